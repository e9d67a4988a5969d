"""The bounded door and the worker behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

import pytest

from collector.errors import Backpressure, SinkUnavailable
from collector.events import Event, Origin, Outcome, gateway
from collector.intake import BoundedIntake
from collector.records import Batch, RawRecord
from collector.settings import QueueSettings
from collector.telemetry import Telemetry
from collector.worker import Each, Worker
from tests.waiting import HANG_S


class ListSink:
    """Keeps what it is given; `away` makes the next ticks fail."""

    def __init__(self, away: int = 0) -> None:
        self.events: list[Event] = []
        self.away = away
        self._waiting: list[Batch[Event]] = []

    def write(self, batch: Batch[Event]) -> None:
        self._waiting.append(batch)

    def tick(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise SinkUnavailable("list", "away")
        self.flush()

    def flush(self) -> None:
        for batch in self._waiting:
            self.events.extend(batch.items)
            batch.done.set_result(None)
        self._waiting = []

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        return {}

    def close(self) -> None:
        return


def as_event(record: RawRecord) -> Event:
    return Event(1, 1, record.origin, gateway("x"), Outcome.DENIED)


def batch(count: int, text: str = "") -> Batch[RawRecord]:
    return Batch([RawRecord(Origin("file", offset=n), 1, text=text) for n in range(count)])


def running(
    sink: ListSink, queue: QueueSettings | None = None
) -> tuple[BoundedIntake, threading.Event, threading.Thread]:
    telemetry = Telemetry()
    intake = BoundedIntake(queue or QueueSettings(), sink, telemetry)
    stop = threading.Event()
    thread = threading.Thread(target=Worker(intake, Each(as_event), sink, telemetry).run, args=(stop,))
    thread.start()
    return intake, stop, thread


def test_a_batch_is_acknowledged_after_the_sink_has_it() -> None:
    """The future resolves when every event of the batch is in the sink, in order."""
    sink = ListSink()
    intake, stop, thread = running(sink)
    given = batch(3)

    intake.offer(given, timeout_s=1)
    given.done.result(HANG_S)
    stop.set()
    thread.join(HANG_S)

    assert [0, 1, 2] == [event.origin.offset for event in sink.events]


def test_a_sink_that_is_away_is_waited_for() -> None:
    """Nothing is lost and nothing is doubled while it is away."""
    sink = ListSink(away=3)
    intake, stop, thread = running(sink)
    given = batch(2)

    intake.offer(given, timeout_s=1)
    given.done.result(HANG_S)
    stop.set()
    thread.join(HANG_S)

    assert 2 == len(sink.events)


def test_what_was_taken_before_the_end_is_committed() -> None:
    """Stopping works off what is inside; a closed intake refuses more."""
    sink = ListSink()
    intake, stop, thread = running(sink)
    given = [batch(10) for _ in range(20)]
    for each in given:
        intake.offer(each, timeout_s=1)
    intake.close()
    stop.set()
    thread.join(HANG_S)

    assert 200 == len(sink.events)
    with pytest.raises(Backpressure, match="shutting down"):
        intake.offer(batch(1), timeout_s=0)


def test_a_waiting_source_goes_on_when_there_is_room() -> None:
    """Backpressure is a wait first, an error only after the time-out."""
    sink = ListSink()
    intake = BoundedIntake(QueueSettings(max_records=100), sink, Telemetry())
    intake.offer(batch(100), timeout_s=0)
    threading.Timer(0.2, lambda: intake.take(1)).start()
    begun = time.monotonic()

    intake.offer(batch(100), timeout_s=20)

    assert time.monotonic() - begun < 20
