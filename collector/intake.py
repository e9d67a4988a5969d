"""The bounded door between sources and the worker: a queue per source, emptied by what their batches cost.

A backlog in Kafka or in a file must not make a sender wait that wants an answer: batches of one source keep their order,
and the source whose batches have cost least comes next. Records that are slow to read delay their own source; another
waits for the batch that is being worked on, not for those behind it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from collector.errors import Backpressure
from collector.records import Batch, RawRecord
from collector.settings import QueueSettings
from collector.sinks import Sink
from collector.telemetry import Telemetry

ITEM_BYTES: Final = 1024  # an item without its texts
SHARES: Final = 4  # the last of so many parts of the room is for sources that hold less than one part


@dataclass(slots=True)
class _Load:
    """How much waits, of one source or of all."""

    records: int = 0
    size: int = 0

    def add(self, records: int, size: int) -> None:
        self.records += records
        self.size += size

    def fits(self, records: int, size: int, bound: _Load) -> bool:
        """Whether so much more stays within the bound."""
        return self.records + records <= bound.records and self.size + size <= bound.size


@dataclass(slots=True)
class _Line:
    """What waits of one source, first come first; and the seconds that its batches have cost so far."""

    batches: deque[tuple[Batch[Any], int]] = field(default_factory=deque)
    load: _Load = field(default_factory=_Load)
    cost: float = 0.0


class BoundedIntake:
    """The Intake of collector.sources: bounded in records and in bytes, fair between sources."""

    def __init__(self, settings: QueueSettings, sink: Sink, telemetry: Telemetry) -> None:
        records, size = settings.max_records, settings.max_mib << 20
        self._bound = _Load(records, size)
        self._share = _Load(records // SHARES, size // SHARES)
        self._unreserved = _Load(records - self._share.records, size - self._share.size)
        self._sink = sink
        self._lines: dict[str, _Line] = {}  # of the configured sources; the one that was served last is last
        self._least = 0.0  # the cost of the source that was served last, when it was
        self._all = _Load()
        self._changed = threading.Condition()
        self._closed = False
        telemetry.gauge("why401.queue.records", lambda: self._all.records)
        telemetry.gauge("why401.queue.bytes", lambda: self._all.size)

    def offer(self, batch: Batch[Any], *, timeout_s: float) -> None:
        """Queue a batch or raise Backpressure. A batch larger than the bound enters an empty queue alone."""
        records, size = len(batch.items), _size(batch)
        with self._changed:
            line = self._lines.setdefault(batch.source, _Line())
            fits = self._changed.wait_for(
                lambda: self._closed or self._fits(line.load, records, size), timeout=timeout_s
            )
            if self._closed or not fits:
                raise Backpressure(1.0, "shutting down" if self._closed else "queue full")
            if not line.batches:  # who had nothing to do has saved nothing up
                line.cost = max(line.cost, self._least)
            line.batches.append((batch, size))
            line.load.add(records, size)
            self._all.add(records, size)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Batch[Any] | None:
        """The next batch of the source that has cost least, or None after the timeout; the worker's side."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(line.batches for line in self._lines.values()), timeout_s):
                return None
            waiting = ((source, line) for source, line in self._lines.items() if line.batches)
            source, line = min(waiting, key=lambda pair: pair[1].cost)
            self._lines[source] = self._lines.pop(source)  # among equals, who waited longest
            self._least = line.cost
            batch, size = line.batches.popleft()
            line.load.add(-len(batch.items), -size)
            self._all.add(-len(batch.items), -size)
            self._changed.notify_all()
            return batch

    def charge(self, source: str, seconds: float) -> None:
        """What a batch of the source has cost the worker."""
        with self._changed:
            if line := self._lines.get(source):
                line.cost += seconds

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        """The sink's, which is where they are durable."""
        return self._sink.positions(topic, partitions)

    def close(self) -> None:
        """Refuse further batches; those inside are still worked off."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, mine: _Load, records: int, size: int) -> bool:
        if self._all.records == 0:
            return True
        is_small = mine.fits(records, size, self._share)
        return self._all.fits(records, size, self._bound if is_small else self._unreserved)


def _size(batch: Batch[Any]) -> int:
    """Bytes of memory, about."""
    weight = batch.weight or sum(len(item.text) for item in batch.items if isinstance(item, RawRecord))
    return weight + ITEM_BYTES * len(batch.items)
