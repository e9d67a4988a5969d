"""An intake in memory that commits as the store does: a batch must continue its partition, else it is fenced."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from collector.errors import Backpressure, Fenced
from collector.records import Batch, FilePlace, Position
from collector.sources import Source
from tests.waiting import HANG_S


@dataclass
class LedgerIntake:
    """Commits at once, or when `commit_waiting` is called (`manual`); refuses beyond `room` waiting batches."""

    manual: bool = False
    room: int = 1_000
    next: dict[tuple[str, int], int] = field(default_factory=dict)
    items: list[Any] = field(default_factory=list)
    places: dict[tuple[int, int, str], FilePlace] = field(default_factory=dict)  # of each content the latest
    positions_seen: list[Position] = field(default_factory=list)
    waiting: list[Batch[Any]] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    refused: int = 0
    offered_at: float = 0.0  # monotonic, of the last batch taken
    lock: threading.RLock = field(default_factory=threading.RLock)

    def offer(self, batch: Batch[Any], *, timeout_s: float) -> None:
        with self.lock:
            if len(self.waiting) >= self.room:
                self.refused += 1
                raise Backpressure(1.0)
            self.waiting.append(batch)
            self.offered_at = time.monotonic()
            if not self.manual:
                self.commit_waiting()

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        with self.lock:
            self.asked += [(topic, partition) for partition in partitions]
            return {p: self.next[(topic, p)] for p in partitions if (topic, p) in self.next}

    def commit_waiting(self) -> None:
        with self.lock:
            for batch in self.waiting:
                self._commit(batch)
            self.waiting.clear()

    def fail_waiting(self, error: Exception) -> None:
        with self.lock:
            for batch in self.waiting:
                batch.done.set_exception(error)
            self.waiting.clear()

    def _commit(self, batch: Batch[Any]) -> None:
        for position in batch.positions:
            found = self.next.get((position.topic, position.partition), position.first)
            if found != position.first:
                batch.done.set_exception(Fenced(position.topic, position.partition, position.first, found))
                return
        for position in batch.positions:
            self.next[(position.topic, position.partition)] = position.next
        self.positions_seen += batch.positions
        self.items += batch.items
        self.places |= {(place.device, place.inode, place.head): place for place in batch.places}
        batch.done.set_result(None)


@contextmanager
def running(source: Source, intake: Any) -> Iterator[threading.Event]:
    """The source in a thread of its own; at the end it must return by itself."""
    stop = threading.Event()
    thread = threading.Thread(target=source.run, args=(intake, stop), daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(HANG_S)
    assert not thread.is_alive(), "the source did not return after stop"
