"""`--workers N`: what is refused before anything is started, and whose series are on the one page of metrics."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, Counter

from collector import metrics_endpoint
from collector.errors import ConfigurationError
from collector.settings import FileSettings, KafkaSettings, OtlpSettings, Settings, Share, TelemetrySettings
from tests.brokers import free_ports
from tests.waiting import HANG_S
from why401 import workers
from why401.cli.up import command as up

SILENT = Settings(otlp=OtlpSettings(grpc="", http=""), telemetry=TelemetrySettings(prometheus=""))


def nothing(_: Settings) -> None:
    pytest.fail("was started")


@pytest.mark.parametrize(
    "settings",
    [
        replace(SILENT, files=FileSettings(paths=("access.log",))),
        replace(SILENT, kafka=KafkaSettings(bootstrap=("127.0.0.1:9092",))),
    ],
    ids=["only files", "brokers, and no topic"],
)
def test_workers_need_something_to_share(settings: Settings) -> None:
    """A second process that reads nothing is refused before it starts."""
    with pytest.raises(ConfigurationError, match="only Kafka, OTLP, syslog and Pub/Sub are shared"):
        workers.run(nothing, settings, 2)


@pytest.mark.parametrize("key", ["otlp.http", "otlp.grpc", "telemetry.prometheus"])
def test_workers_do_not_join_those_of_another_program(key: str) -> None:
    """An address that somebody listens on is refused, though workers may share it."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        section, name = key.split(".")
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = replace(SILENT, kafka=KafkaSettings(bootstrap=("127.0.0.1:9092",), topics=("raw",)))
        settings = replace(settings, **{section: replace(getattr(settings, section), **{name: address})})
        with pytest.raises(ConfigurationError, match=f"{key} = .*cannot be bound"):
            workers.run(nothing, settings, 2)


def test_files_that_are_read_once_are_read_by_one(tmp_path: Path) -> None:
    """`--no-follow --workers 2` is an error that says so."""
    result = CliRunner().invoke(up, ["--no-follow", "--file", "-", "--data-dir", str(tmp_path), "--workers", "2"])
    assert "files are read by one process" in str(result.exception)


def test_one_page_has_the_series_of_all_workers(tmp_path: Path) -> None:
    """A family once, each series with its worker, exemplars, too; a worker that is away is left out."""
    registries = [CollectorRegistry() for _ in range(3)]
    for number, registry in enumerate(registries, start=1):
        counter = Counter("stored", "Events.", ["kind"], registry=registry)
        counter.labels("a").inc(number, exemplar={"trace_id": str(number) * 32})
    (port,) = free_ports(1)
    for number in (2, 1):  # the third is being started
        share = Share(number=number, of=3, folder=str(tmp_path))
        metrics_endpoint.serve(registries[number - 1], f"127.0.0.1:{port}", share)

    request = Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": "application/openmetrics-text"})
    with urlopen(request, timeout=HANG_S) as answer:
        lines = answer.read().decode().splitlines()

    assert 1 == lines.count("# TYPE stored counter")
    totals = [line.partition(" # {")[::2] for line in lines if line.startswith("stored_total")]
    assert [total for total, _ in totals] == [
        f'stored_total{{kind="a",worker="{number}"}} {number}.0' for number in (1, 2)
    ]
    assert ["1" * 32 in totals[0][1], "2" * 32 in totals[1][1]] == [True, True]
