"""Records on their way from connections to the intake: batched, bounded, and offered again when a batch was not stored.

Syslog has no acknowledgement. A full outbox makes TCP wait, for nothing more is read; a datagram is dropped and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from itertools import islice
from typing import Final

from collector.errors import Backpressure
from collector.records import Batch, RawRecord
from collector.sources import Intake
from collector.telemetry import Telemetry

SOURCE: Final = "syslog"
BATCH_RECORDS: Final = 1_000
MAX_RECORDS: Final = 10_000
MAX_BYTES: Final = 16 << 20  # of texts
MAX_IN_FLIGHT: Final = 16  # batches handed over and not yet durable
TICK_SECONDS: Final = 0.05
LEAVING_SECONDS: Final = 2.0  # at stop, for what is here to be handed over


class Outbox:
    """Belongs to one event loop. `hand_over` is called every TICK_SECONDS, `leave` at the end."""

    def __init__(self, intake: Intake, telemetry: Telemetry) -> None:
        self._intake = intake
        self._telemetry = telemetry
        self._waiting: deque[RawRecord] = deque()
        self._size = 0
        self.room = asyncio.Event()  # is set while `is_full` is false
        self.room.set()
        self._in_flight: deque[tuple[Future[None], Sequence[RawRecord]]] = deque()

    @property
    def is_full(self) -> bool:
        """Whether no more may be put in."""
        return len(self._waiting) >= MAX_RECORDS or self._size >= MAX_BYTES

    def put(self, record: RawRecord) -> None:
        """Keep a record; whoever puts many asks `is_full` between them."""
        self._waiting.append(record)
        self._size += len(record.text)
        if self.is_full:
            self.room.clear()

    def hand_over(self) -> None:
        """As much as the intake takes now."""
        self._settle()
        while self._waiting and len(self._in_flight) < MAX_IN_FLIGHT:
            records = list(islice(self._waiting, BATCH_RECORDS))
            if not self._offered(records):
                return
            self._telemetry.count("why401.records.received", len(records), source=SOURCE)
            for record in records:
                self._waiting.popleft()
                self._size -= len(record.text)
            if not self.is_full:
                self.room.set()

    async def leave(self) -> None:
        """The last records, for LEAVING_SECONDS at most; those that nobody takes are counted."""
        until = asyncio.get_running_loop().time() + LEAVING_SECONDS
        while (self._waiting or self._in_flight) and asyncio.get_running_loop().time() < until:
            self.hand_over()
            await asyncio.sleep(TICK_SECONDS)
        self.drop(len(self._waiting), "not_delivered")

    def drop(self, amount: int, reason: str) -> None:
        """Count messages that become no event. Amounts of 0 are none."""
        if amount:
            self._telemetry.count("why401.records.received", amount, source=SOURCE)
            self._telemetry.count("why401.records.dropped", amount, reason=reason)

    def _offered(self, records: Sequence[RawRecord]) -> bool:
        batch: Batch[RawRecord] = Batch(records, source=SOURCE)
        try:
            self._intake.offer(batch, timeout_s=0)
        except Backpressure:
            return False
        self._in_flight.append((batch.done, records))
        return True

    def _settle(self) -> None:
        """Forget what is durable; what failed is offered again, as often as it takes."""
        for _ in range(len(self._in_flight)):
            done, records = self._in_flight.popleft()
            if not done.done():
                self._in_flight.append((done, records))
            elif (error := _error_of(done)) is not None:
                self._telemetry.count("why401.errors", stage=SOURCE, kind=type(error).__name__)
                if not self._offered(records):
                    failed: Future[None] = Future()
                    failed.set_exception(error)
                    self._in_flight.append((failed, records))


def _error_of(done: Future[None]) -> BaseException | None:
    try:
        return done.exception()
    except CancelledError:
        return None
