"""How sources whose peer can be asked again hand over: in order, a bounded number on their way, and told when each is durable.

What `then` does (remember an object, delete a message) is done after the records before it are durable, never earlier: what is lost on
the way is read again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import Final

from collector.errors import Backpressure
from collector.records import Batch, RawRecord
from collector.sources import Intake
from collector.telemetry import Telemetry

MAX_IN_FLIGHT: Final = 16  # batches handed over and not yet durable
MAX_WAITING: Final = 1_000  # of these and of steps between them: objects without a record are no batches
OFFER_SECONDS: Final = 0.5
BACKPRESSURE_SECONDS: Final = 0.05  # an intake that shuts down refuses at once
Then = Callable[[], None]


def _nothing() -> None:
    """For records that are followed by others of the same object."""


@dataclass(slots=True)
class _Step:
    """A batch on its way, or none, and what is done once it and all before it are durable."""

    items: Sequence[RawRecord]
    then: Then
    done: Future[None] = field(default_factory=Future)


class HandingOver:
    """Of one source, on its thread."""

    def __init__(self, intake: Intake, stop: threading.Event, telemetry: Telemetry, source: str) -> None:
        self._intake = intake
        self._stop = stop
        self._telemetry = telemetry
        self._source = source
        self._steps: deque[_Step] = deque()
        self._log = logging.getLogger(f"why401.{source}")

    def give(self, records: Sequence[RawRecord], then: Then = _nothing) -> None:
        """Wait for room as long as it takes; nothing is handed over, and `then` never called, once the source stops."""
        while self._is_full() and not self._stop.is_set():
            self._settle_first()
        if self._stop.is_set():
            return
        step = _Step(records, then)
        if not records:
            step.done.set_result(None)
        elif not self._offered(step):
            return
        self._steps.append(step)
        if records:
            self._telemetry.count("why401.records.received", len(records), source=self._source)
        self.settle()

    def settle(self) -> None:
        """Do what is due now, without waiting."""
        while self._steps and self._steps[0].done.done() and not self._stop.is_set():
            self._settle_first()

    def drain(self) -> None:
        """Wait until all is durable; at stop, a moment for what is on its way."""
        while self._steps and not self._stop.is_set():
            self._settle_first()
        wait([step.done for step in self._steps], timeout=OFFER_SECONDS)
        while self._steps and self._steps[0].done.done() and _is_durable(self._steps[0].done):
            self._do(self._steps.popleft().then)

    def failed(self, kind: str, what: str) -> None:
        """Count a failure by its kind, and say what it is about."""
        self._telemetry.count("why401.errors", stage=self._source, kind=kind)
        self._log.warning("%s: %s", what, kind)

    def _is_full(self) -> bool:
        on_their_way = sum(1 for step in self._steps if step.items)
        return on_their_way >= MAX_IN_FLIGHT or len(self._steps) >= MAX_WAITING

    def _settle_first(self) -> None:
        step = self._steps[0]
        try:
            step.done.result(timeout=OFFER_SECONDS)
        except TimeoutError:
            return
        except CancelledError:
            self._steps.clear()  # the worker is gone: what comes behind is not durable either
        except Exception as error:  # not durable: the same records again, before what came behind them
            self.failed(type(error).__name__, "not stored, given again")
            self._stop.wait(OFFER_SECONDS)
            again = _Step(step.items, step.then)
            if self._offered(again):
                self._steps[0] = again
        else:
            self._steps.popleft()
            self._do(step.then)

    def _do(self, then: Then) -> None:
        try:
            then()
        except Exception as error:  # remembered later, or read again: at least once
            self.failed(type(error).__name__, "what was read could not be remembered")

    def _offered(self, step: _Step) -> bool:
        batch = Batch(step.items, done=step.done, source=self._source)
        while not self._stop.is_set():
            try:
                self._intake.offer(batch, timeout_s=OFFER_SECONDS)
            except Backpressure:
                self._stop.wait(BACKPRESSURE_SECONDS)
                continue
            return True
        return False


def _is_durable(done: Future[None]) -> bool:
    return not done.cancelled() and done.exception() is None
