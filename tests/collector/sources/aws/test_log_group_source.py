"""CloudWatch Logs against moto's server: groups by name and beginning, each event once, places that outlive the process."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from collector.settings import AwsSettings
from collector.sources.aws.log_group_source import LogGroupSource
from collector.telemetry import Telemetry
from tests.intakes import LedgerIntake, running
from tests.waiting import eventually


@pytest.fixture
def logs(client: Any) -> Any:
    return client("logs")


def write(logs: Any, group: str, stream: str, *messages: str, ago_s: float = 1.0) -> None:
    for make in (
        lambda: logs.create_log_group(logGroupName=group),
        lambda: logs.create_log_stream(logGroupName=group, logStreamName=stream),
    ):
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            make()
    at = int((time.time() - ago_s) * 1000)
    events = [{"timestamp": at, "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def reading(
    endpoint: str, folder: Path, intake: LedgerIntake, *groups: str, telemetry: Telemetry | None = None, **settings: Any
):
    aws = AwsSettings(endpoint=endpoint, region="us-east-1", poll_seconds=1, log_groups=groups, **settings)
    return running(LogGroupSource(aws, telemetry or Telemetry(), folder), intake)


def texts(intake: LedgerIntake) -> list[str]:
    return sorted(item.text for item in intake.items)


def test_groups_by_name_and_by_beginning(logs: Any, endpoint: str, name: str, tmp_path: Path):
    """Every stream of them, and a group that is made later."""
    write(logs, f"{name}/api/a", "one", "a1", "a2")
    write(logs, f"{name}/api/a", "two", "a3")
    write(logs, f"{name}/own", "one", "own\n")
    write(logs, f"{name}/other", "one", "not ours")
    intake = LedgerIntake()
    with reading(endpoint, tmp_path, intake, f"{name}/api/*", f"{name}/own"):
        eventually(lambda: len(intake.items) == 4, "what is there")
        write(logs, f"{name}/api/b", "one", "b1")
        eventually(lambda: len(intake.items) == 5, "the new group")

    assert ["a1", "a2", "a3", "b1", "own"] == texts(intake)
    assert {f"{name}/api/a", f"{name}/api/b", f"{name}/own"} == {item.origin.source for item in intake.items}
    assert all(abs(item.time_ns / 1e9 - time.time()) < 3600 for item in intake.items)


def test_an_event_is_read_once_though_its_time_is_asked_for_again(logs: Any, endpoint: str, name: str, tmp_path: Path):
    """Late events are read, in this process and the next one; those that were read are not."""
    write(logs, name, "one", "early", ago_s=5)
    first, second = LedgerIntake(), LedgerIntake()
    with reading(endpoint, tmp_path, first, name):
        eventually(lambda: first.items, "the event")
        write(logs, name, "one", "late", ago_s=30)
        eventually(lambda: len(first.items) == 2, "the late event")
    write(logs, name, "one", "later", ago_s=20)
    with reading(endpoint, tmp_path, second, name):
        eventually(lambda: second.items, "what came between")

    assert (["early", "late"], ["later"]) == (texts(first), texts(second))


def test_what_was_not_stored_is_read_again(logs: Any, endpoint: str, name: str, tmp_path: Path):
    """The place is kept when the events are durable."""
    write(logs, name, "one", "event", ago_s=4000)
    lost, again = LedgerIntake(manual=True), LedgerIntake()
    with reading(endpoint, tmp_path, lost, name):
        eventually(lambda: lost.waiting, "the event")
    with reading(endpoint, tmp_path, again, name):
        eventually(lambda: again.items, "the event, again")

    assert ["event"] == texts(again)


def test_what_is_older_than_asked_for_is_left_alone(logs: Any, endpoint: str, name: str, tmp_path: Path):
    """`since_hours` and the time for late events behind it."""
    write(logs, name, "one", "old", ago_s=2 * 3600)
    write(logs, name, "one", "new", ago_s=600)
    intake = LedgerIntake()
    with reading(endpoint, tmp_path, intake, name, since_hours=1):
        eventually(lambda: intake.items, "the new event")

    assert ["new"] == texts(intake)


def test_a_group_that_is_not_there_is_asked_for_again(logs: Any, endpoint: str, name: str, tmp_path: Path):
    """The others are read meanwhile."""
    write(logs, f"{name}/b", "one", "b")
    intake, telemetry = LedgerIntake(), Telemetry()
    with reading(endpoint, tmp_path, intake, f"{name}/a", f"{name}/b", telemetry=telemetry):
        eventually(lambda: intake.items, "the group that is there")
        write(logs, f"{name}/a", "one", "a")
        eventually(lambda: len(intake.items) == 2, "the other one")

    assert ["a", "b"] == texts(intake)
    assert "ResourceNotFoundException" in telemetry.by("why401.errors", "kind")
