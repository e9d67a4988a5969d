"""Which events of the event topic are new: a collector that crashed sends raw records again that it sent already.

A raw record is (topic, partition, offset); the events of one record come in its order, one behind the other, and
carry the `observed_ns` of the collector that read it. Per raw partition the store keeps `next` (the offset after
the last record seen), `seen` (how many events of that last record it took), and the reading that is under way: `run`
(its observed_ns) and `position` (events of that reading so far). Then, for an event at `offset`:

    offset >= next        a new record: take it
    offset <  next - 1    sent again: skip
    offset == next - 1    the last record: its further events are taken, also in a later append; when observed_ns
                          changes, another collector reads it again, and its first `seen` events are skipped

Events of one raw partition must share one partition of the event topic (the collector's sink keys them so).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.verdicts import Verdict
from collector.events import Origin
from collector.records import Position

RawPartition = tuple[str, int]


@dataclass(slots=True)
class Watermark:
    """Progress through one raw partition."""

    next: int = -1
    seen: int = 0
    run: int = 0
    position: int = 0

    def takes(self, offset: int, observed_ns: int) -> bool:
        """Whether the event is new; remembers it."""
        if offset >= self.next:
            self.next, self.seen, self.run, self.position = offset + 1, 1, observed_ns, 1
            return True
        if offset < self.next - 1:
            return False
        if observed_ns != self.run:
            self.run, self.position = observed_ns, 0
        self.position += 1
        if self.position <= self.seen:
            return False
        self.seen = self.position
        return True


def raw_partition(origin: Origin, positions: Sequence[Position]) -> RawPartition | None:
    """The raw partition to check, or None: not from Kafka, or the batch's own positions guard it already."""
    if origin.kind != "kafka" or origin.offset < 0 or not positions:
        return None
    if any(position.topic == origin.source for position in positions):
        return None
    return origin.source, origin.partition


def fresh(
    verdicts: Sequence[Verdict], positions: Sequence[Position], marks: dict[RawPartition, Watermark]
) -> list[Verdict]:
    """The verdicts whose events the store has not seen; advances `marks` in place."""
    return [verdict for verdict in verdicts if _is_fresh(verdict, positions, marks)]


def _is_fresh(verdict: Verdict, positions: Sequence[Position], marks: dict[RawPartition, Watermark]) -> bool:
    origin = verdict.event.origin
    key = raw_partition(origin, positions)
    if key is None:
        return True
    return marks.setdefault(key, Watermark()).takes(origin.offset, verdict.event.observed_ns)
