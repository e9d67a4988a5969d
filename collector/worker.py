"""The one thread behind the intake: batches in, a stage applied to every item, a sink that commits.

    sources (threads) → Intake (bounded queue) → Worker: stage(batch) → sink.write → sink.tick → batch.done resolves

A full queue raises Backpressure in the source's own thread; a sink that is away makes the worker wait, the queue fill
and the sources wait in turn. Nothing is dropped on the way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from collector.errors import SinkUnavailable
from collector.events import Event
from collector.intake import BoundedIntake
from collector.records import Batch
from collector.sinks import Sink
from collector.telemetry import Telemetry

log = logging.getLogger("why401.worker")
TICK_SECONDS: Final = 0.05
MAX_BACKOFF_SECONDS: Final = 10.0


class Stage(Protocol):
    """What the worker does to every batch. It may keep batches back; their order is kept."""

    def __call__(self, batch: Batch[Any]) -> Sequence[Batch[Event]]:
        """Take one batch; the batches that are ready for the sink."""

    def due(self) -> Sequence[Batch[Event]]:
        """Called at least every 100 ms: what was kept back long enough."""

    def rest(self) -> Sequence[Batch[Event]]:
        """Everything that is kept back, at shutdown."""


class Each:
    """A stage that is a function of one item, and keeps nothing back."""

    def __init__(self, of_item: Callable[[Any], Event]) -> None:
        self._of_item = of_item

    def __call__(self, batch: Batch[Any]) -> Sequence[Batch[Event]]:
        """Every item in its turn."""
        return (Batch([self._of_item(item) for item in batch.items], batch.positions, batch.done, places=batch.places),)

    def due(self) -> Sequence[Batch[Event]]:
        """Nothing."""
        return ()

    rest = due


class Worker:
    """Runs until `stop` is set and the intake is empty; then flushes the sink."""

    def __init__(
        self,
        intake: BoundedIntake,
        stage: Stage,
        sink: Sink,
        telemetry: Telemetry,
    ) -> None:
        self._intake = intake
        self._stage = stage
        self._sink = sink
        self._telemetry = telemetry

    def run(self, stop: threading.Event) -> None:
        """The loop. After `stop` the intake refuses, what is inside is worked off, the sink is flushed."""
        while True:
            batch = self._intake.take(TICK_SECONDS)
            if batch is not None:
                self._work(batch)
            elif stop.is_set():
                break
            self._write(self._stage.due())
            self._patiently(self._sink.tick, stop)
        self._write(self._stage.rest())
        self._patiently(self._sink.flush, stop)

    def _work(self, batch: Batch[Any]) -> None:
        started = time.thread_time()
        ready = self._stage(batch)
        self._intake.charge(batch.source, time.thread_time() - started)
        self._write(ready)

    def _write(self, batches: Sequence[Batch[Event]]) -> None:
        for batch in batches:
            self._telemetry.count("why401.events.sent", batch.records, sink=type(self._sink).__name__)
            self._sink.write(batch)

    def _patiently(self, action: Callable[[], None], stop: threading.Event) -> None:
        """Wait out a sink that is away. At shutdown it is tried a few times, then given up: nothing was acknowledged."""
        backoff = 0.1
        tries_after_stop = 0
        while tries_after_stop < 5:
            try:
                action()
            except SinkUnavailable as error:
                self._telemetry.count("why401.errors", stage="sink", kind=error.sink)
                log.warning("%s; trying again in %.1f s", error, backoff)
                tries_after_stop += stop.is_set()
                time.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)
            else:
                return
        log.error("gave up on the sink at shutdown; what it held was not acknowledged and will be sent again")
