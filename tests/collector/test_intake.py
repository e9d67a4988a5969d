"""The intake: bounded, in order for each source, fair between them."""

from __future__ import annotations

from typing import Any

import pytest

from collector.errors import Backpressure
from collector.intake import BoundedIntake
from collector.settings import QueueSettings
from collector.telemetry import Telemetry
from tests.collector.test_worker import ListSink, batch


def small(source: str = "", records: int = 10) -> Any:
    made = batch(records)
    made.source = source
    return made


@pytest.mark.parametrize(
    ("queue", "text"),
    [(QueueSettings(max_records=100, max_mib=64), ""), (QueueSettings(max_records=10**6, max_mib=1), "x" * 20_000)],
)
def test_a_full_queue_says_so(queue: QueueSettings, text: str) -> None:
    """Bounded in records and in bytes; the refusal names the wait, and takes nothing."""
    intake = BoundedIntake(queue, ListSink(), Telemetry())
    intake.offer(batch(60, text), timeout_s=0)

    with pytest.raises(Backpressure) as raised:
        intake.offer(batch(60, text), timeout_s=0)

    assert raised.value.retry_after_s > 0


def test_what_a_batch_weighs_counts() -> None:
    """Records that are structured say in their batch what they hold in memory."""
    intake = BoundedIntake(QueueSettings(max_records=10**6, max_mib=1), ListSink(), Telemetry())
    heavy = batch(2)
    heavy.weight = 1 << 20
    intake.offer(heavy, timeout_s=0)

    with pytest.raises(Backpressure):
        intake.offer(batch(2), timeout_s=0)


def test_a_batch_larger_than_the_queue_enters_alone() -> None:
    """Else it could never enter."""
    intake = BoundedIntake(QueueSettings(max_records=100), ListSink(), Telemetry())

    intake.offer(batch(500), timeout_s=0)

    assert 500 == len(intake.take(1).items)


def test_sources_take_turns_and_each_keeps_its_order() -> None:
    """A backlog of one source delays the others by one batch, not by all of it."""
    intake = BoundedIntake(QueueSettings(), ListSink(), Telemetry())
    backlog = [small("kafka") for _ in range(5)]
    late = [small("otlp_http") for _ in range(2)]
    for each in [*backlog, *late]:
        intake.offer(each, timeout_s=0)

    taken = [intake.take(1) for _ in range(7)]

    assert [backlog[0], late[0], backlog[1], late[1], *backlog[2:]] == taken
    assert intake.take(0) is None


def test_who_costs_much_waits_for_who_costs_little() -> None:
    """A source whose batches are slow delays itself: the others get as much time as it had."""
    intake = BoundedIntake(QueueSettings(), ListSink(), Telemetry())
    for source in ("kafka", "otlp_http") * 5:
        intake.offer(small(source), timeout_s=0)

    taken = []
    while batch := intake.take(0):
        taken.append(batch.source)
        intake.charge(batch.source, 3.5 if batch.source == "kafka" else 1.0)

    assert ["kafka", *["otlp_http"] * 4, "kafka", "otlp_http", *["kafka"] * 3] == taken


def test_nobody_saves_time_up() -> None:
    """A source that was away has one turn's advantage, not that of all the time it did not use."""
    intake = BoundedIntake(QueueSettings(), ListSink(), Telemetry())
    for _ in range(10):
        intake.offer(small("kafka"), timeout_s=0)
        assert intake.take(0) is not None
        intake.charge("kafka", 1.0)
    for source in ("kafka", "file") * 3:
        intake.offer(small(source), timeout_s=0)

    taken = []
    while batch := intake.take(0):
        taken.append(batch.source)
        intake.charge(batch.source, 1.0)

    assert ["file", "kafka", "file", "kafka", "file", "kafka"] == taken


def test_a_backlog_leaves_room_for_others() -> None:
    """One source fills three quarters of the queue; who holds little still comes in, up to the bound."""
    intake = BoundedIntake(QueueSettings(max_records=100), ListSink(), Telemetry())
    for _ in range(7):
        intake.offer(small("kafka"), timeout_s=0)

    with pytest.raises(Backpressure):
        intake.offer(small("kafka"), timeout_s=0)
    for _ in range(2):
        intake.offer(small("otlp_http"), timeout_s=0)
    with pytest.raises(Backpressure):
        intake.offer(small("otlp_http"), timeout_s=0)
    intake.offer(small("otlp_grpc"), timeout_s=0)
    with pytest.raises(Backpressure):
        intake.offer(small("otlp_grpc"), timeout_s=0)


def test_room_is_given_back() -> None:
    """What was taken no longer counts, for its source and for all."""
    intake = BoundedIntake(QueueSettings(max_records=100), ListSink(), Telemetry())
    for _ in range(20):
        intake.offer(small("kafka", 70), timeout_s=0)
        assert 70 == len(intake.take(0).items)
