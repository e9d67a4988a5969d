"""Self-telemetry: one table of names, closed sets of attributes, the same numbers at every exit."""

from __future__ import annotations

import socket

import pytest

from collector.errors import ConfigurationError
from collector.settings import TelemetrySettings
from collector.telemetry import INSTRUMENTS, Telemetry, in_memory


def exported(reader: object) -> dict[str, object]:
    data = reader.get_metrics_data()
    return {metric.name: metric.data.data_points for metric in data.resource_metrics[0].scope_metrics[0].metrics}


def test_counts_are_exported_by_name_and_attributes() -> None:
    """What was counted is what the SDK exports."""
    telemetry, reader = in_memory()
    telemetry.count("why401.records.dropped", 2, reason="no_parser")
    telemetry.count("why401.records.dropped", 3, reason="empty")

    points = exported(reader)["why401.records.dropped"]

    assert {("no_parser", 2), ("empty", 3)} == {(point.attributes["reason"], point.value) for point in points}


def test_gauges_are_read_when_exported() -> None:
    """A gauge is a function of the moment."""
    telemetry, reader = in_memory()
    depth = [1]
    telemetry.gauge("why401.queue.records", lambda: depth[0])
    depth[0] = 7

    assert [7] == [point.value for point in exported(reader)["why401.queue.records"]]


@pytest.mark.parametrize(
    ("name", "attributes"),
    [("why401.nothing", {}), ("why401.records.dropped", {}), ("why401.records.dropped", {"reason": "x", "iss": "y"})],
)
def test_names_and_attributes_outside_the_table_are_refused(name: str, attributes: dict[str, str]) -> None:
    """A label that a record could choose cannot be added by accident."""
    with pytest.raises(KeyError):
        Telemetry().count(name, **attributes)


def test_units_and_descriptions_are_complete() -> None:
    """Every instrument says what it is."""
    assert [] == [i.name for i in INSTRUMENTS if not (i.unit and i.description.endswith("."))]


def test_a_taken_prometheus_address_is_named() -> None:
    """Two processes on one machine: the second is told what to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(ConfigurationError, match="expected an address that is not in use"):
            Telemetry().start(TelemetrySettings(prometheus=address))
