"""Which events of the event topic are new: a collector that crashed sends raw records again that it sent already.

A raw record is (topic, partition, offset), and its events are numbered from 0 (`Origin.index`): the number is of the
record's content, so whoever reads it, and whenever, gives an event the same one. Per raw partition the first appearances
of (offset, index) are in order, whatever crashes: a collector begins where another was acknowledged, and leaves out nothing.
So the store keeps the last pair that it took, as `next` (the offset after it) and `seen` (its index + 1), and an event is
new if and only if it lies behind.

Times decide nothing here: two readings of one record may have the same, from a clock that was set back or from a topic
that was copied, and a mark that told readings apart by `observed_ns` took the last record of a partition twice.

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
    """Progress through one raw partition: the last event taken is number `seen` - 1 of the record at `next` - 1."""

    next: int = 0
    seen: int = 0

    def takes(self, offset: int, index: int) -> bool:
        """Whether the event is new; remembers it.

        >>> mark = Watermark()
        >>> [mark.takes(*place) for place in ((4, 0), (5, 0), (5, 1), (4, 0), (5, 0), (5, 1), (6, 0))]
        [True, True, True, False, False, False, True]
        """
        if (offset + 1, index + 1) <= (self.next, self.seen):
            return False
        self.next, self.seen = offset + 1, index + 1
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
    return marks.setdefault(key, Watermark()).takes(origin.offset, origin.index)
