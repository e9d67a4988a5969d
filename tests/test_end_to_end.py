"""Real Envoy, real Kafka, real processes: every record is in the store once, whatever is killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from analyzer.lake import connect_reader, run_query
from collector.settings import Settings, load
from tests.brokers import Broker, free_ports
from tests.waiting import HANG_S, eventually
from why401.demo.labels import LabelledRun


@contextmanager
def why401(command: str, config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One why401 process; ended by its own pid."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "why401", command, "--config", str(config)], stderr=out, stdout=out
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(HANG_S)


def configured(place: Path, text: str) -> Path:
    file = place / "why401.toml"
    file.write_text(f'data_dir = "{place}/lake"\n{text}\n[telemetry]\nprometheus = ""\n')
    return file


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    con = connect_reader(settings, memory_mib=256)
    try:
        return run_query(con, sql, timeout_s=30).rows
    finally:
        con.close()


def total(settings: Settings) -> int:
    try:
        return int(rows(settings, "SELECT coalesce(sum(value), 0) FROM pipeline WHERE counter = 'received'")[0][0])
    except Exception:  # the store is not there yet
        return 0


@pytest.mark.envoy
@pytest.mark.kafka
def test_every_record_is_stored_once_though_the_analyzer_is_killed(kafka: Broker, tmp_path: Path) -> None:
    """Envoy → OTLP → collect → Kafka, and Envoy's file log → raw topic → collect → Kafka; analyze dies by SIGKILL again and again."""
    grpc, http = free_ports(2)
    raw, events = kafka.topic(2), kafka.topic(3)
    config = configured(
        tmp_path,
        f'[otlp]\ngrpc = "127.0.0.1:{grpc}"\nhttp = "127.0.0.1:{http}"\n'
        f'[kafka]\nbootstrap = ["{kafka.bootstrap}"]\ntopics = ["{raw}"]\nevents_topic = "{events}"\ngroup = "{raw}"\n'
        "session_timeout_seconds = 3\n"
        "[store]\ncommit_rows = 100\ncommit_interval_ms = 100\nmaintenance_seconds = 5\n",
    )
    settings = load(config, {})
    log = tmp_path / "why401.log"
    with why401("collect", config, log):
        eventually(lambda: _listens(grpc), "collect listens")
        sent = _drive_envoy(folder(tmp_path, "envoy"), grpc, kafka, (raw, events), rounds=12)
        killed = _analyze_and_kill(config, log, settings, times=3, most=2 * sent)
        assert 3 == killed, log.read_text()[-2000:]
        with why401("analyze", config, log):
            eventually(
                lambda: total(settings) >= 2 * sent,
                f"{2 * sent} records stored, {total(settings)} are",
            )

    counts = dict(
        rows(settings, "SELECT counter, sum(value) FROM pipeline WHERE reason <> 'duplicate' GROUP BY counter")
    )
    assert counts["received"] == counts["stored"] + counts.get("dropped", 0)
    assert [(2 * sent,)] == rows(settings, "SELECT sum(requests)::BIGINT FROM traffic")
    doubled = rows(
        settings,
        "SELECT request_id, origin_kind, count(*) FROM failures WHERE request_id LIKE '%.%' GROUP BY ALL HAVING count(*) <> 1",
    )
    assert [] == doubled


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _drive_envoy(place: Path, otlp: int, kafka: Broker, topics: tuple[str, str], *, rounds: int) -> int:
    """Send every fault and good request `rounds` times, hand Envoy's file log to the raw topic; how many requests."""
    raw, events = topics
    with LabelledRun(place, otlp_port=otlp) as run:
        for _ in range(rounds):
            run.send()
        lines = [json.dumps(record).encode() for record in run.records()]
        for partition in (0, 1):
            kafka.produce(raw, lines[partition::2], partition=partition)
        eventually(lambda: kafka.count(events, 3) >= 2 * len(lines), "Envoy's exporter and collect have sent all")
        return len(lines)


def _analyze_and_kill(config: Path, log: Path, settings: Settings, *, times: int, most: int) -> int:
    """Start the analyzer, let it store a part, or all that is left of `most`, kill it: `times` times. How often it died by our hand."""
    killed = 0
    for _ in range(times):
        with why401("analyze", config, log) as process:
            before = min(total(settings), most - 1)
            eventually(
                lambda b=before: total(settings) > b or process.poll() is not None,
                "some records stored",
            )
            process.kill()
            killed += process.wait(HANG_S) == -signal.SIGKILL
    return killed


@pytest.mark.envoy
def test_readers_work_while_the_writer_streams(tmp_path: Path) -> None:
    """Another process runs SQL on every view, beside the running writer, without an error; a record is visible within seconds."""
    grpc, http = free_ports(2)
    config = configured(
        tmp_path, f'[otlp]\ngrpc = "127.0.0.1:{grpc}"\nhttp = "127.0.0.1:{http}"\n[store]\nmaintenance_seconds = 5\n'
    )
    with why401("up", config, tmp_path / "why401.log"):
        eventually(lambda: _listens(grpc), "up listens")
        stop = threading.Event()
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(config)], stdout=subprocess.PIPE, text=True, stdin=subprocess.PIPE
        )
        with LabelledRun(folder(tmp_path, "envoy"), otlp_port=grpc) as run:
            for _ in range(ROUNDS):
                run.send()
            sent = len(run.records())
            settings = load(config, {})
            eventually(lambda: total(settings) >= sent, "all stored")
        stop.set()
        answer, _ = reader.communicate("stop\n", timeout=HANG_S)

    report = json.loads(answer.strip().rpartition("\n")[2])
    assert [] == report["errors"]
    assert report["rounds"] >= 1


ROUNDS = 3  # of the demo's faults: about 280 records in ten batches; each waits for a commit
READER = """
import json, sys, threading, time
from analyzer.lake import connect_reader, run_query, NoStore
from analyzer.store.migrate import views
from collector.settings import load
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
settings, errors, rounds, con = load(sys.argv[1], {}), [], 0, None
while not (stop.is_set() and rounds):  # a slow machine ends its first round after the last record
    try:
        con = con or connect_reader(settings, memory_mib=256)
        for view in views():
            run_query(con, f"SELECT count(*) FROM {view.name}", timeout_s=60)
        rounds += 1
        time.sleep(0.2)  # as a page that refreshes; without a pause it takes a core of a slow machine for itself
    except NoStore:
        continue
    except Exception as error:
        errors.append(f"{type(error).__name__}: {error}")
        break
print(json.dumps({"errors": errors, "rounds": rounds}))
"""


def test_the_environment_of_the_suite_is_clean() -> None:
    """A WHY401_ variable of the developer's shell must not steer these tests."""
    assert [] == [
        name
        for name in os.environ
        if name.startswith("WHY401_") and not name.startswith(("WHY401_TEST", "WHY401_CACHE"))
    ]
