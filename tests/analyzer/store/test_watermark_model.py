"""Whatever crashes, rebalances and sends again: every event is taken once, in order, and none is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from analyzer.store.watermarks import RawPartition, Watermark, fresh
from analyzer.verdicts import Verdict
from collector.events import Origin
from collector.records import Position
from tests.analyzer.verdict_samples import failing

TOPIC = "why401.events"
PARTITIONS = (0, 1)
RECORDS = 12  # per raw partition
MOST_AT_ONCE = 4
SAMPLE = failing()
Place = tuple[int, int, int]  # raw partition, offset, index


@dataclass
class Producer:
    """A collector that reads one raw partition: what it sends next, and what it read with its clock."""

    partition: int
    at: int  # in the list of the partition's events
    committed: int = 0


class Delivery(RuleBasedStateMachine):
    """Two producers per raw partition, of which one may believe that the partition is still its own; one analyzer."""

    @initialize(sizes=st.lists(st.integers(1, 3), min_size=RECORDS * 2, max_size=RECORDS * 2), clock=st.integers(1, 3))
    def begin(self, sizes: list[int], clock: int) -> None:
        self.raw = {p: _events(p, sizes[p * RECORDS : (p + 1) * RECORDS]) for p in PARTITIONS}
        self.clock = clock
        self.topic: list[tuple[Place, int]] = []
        self.producers = {(p, n): Producer(p, 0) for p in PARTITIONS for n in (0, 1)}
        self.acknowledged = dict.fromkeys(PARTITIONS, 0)  # as the consumer group has it
        self.marks: dict[RawPartition, Watermark] = {}
        self.next = 0  # in the event topic
        self.taken: list[Place] = []

    @rule(partition=st.sampled_from(PARTITIONS), who=st.integers(0, 1), count=st.integers(1, MOST_AT_ONCE))
    def send(self, partition: int, who: int, count: int) -> None:
        """A producer goes on, perhaps to the middle of a record; it may be one that lost the partition long ago."""
        producer = self.producers[partition, who]
        for place in self.raw[partition][producer.at : producer.at + count]:
            self.topic.append((place, self.clock))
            producer.at += 1

    @rule(partition=st.sampled_from(PARTITIONS), who=st.integers(0, 1))
    def acknowledge(self, partition: int, who: int) -> None:
        """The whole records that a producer sent are committed in Kafka; a zombie may set the offset back."""
        events = self.raw[partition]
        at = self.producers[partition, who].at
        while 0 < at < len(events) and events[at][2] != 0:
            at -= 1
        self.acknowledged[partition] = at

    @rule(partition=st.sampled_from(PARTITIONS), who=st.integers(0, 1))
    def rebalance(self, partition: int, who: int) -> None:
        """A producer starts, or starts again, where the group's offset is."""
        self.producers[partition, who].at = self.acknowledged[partition]

    @rule(step=st.integers(-1, 1))
    def tick(self, step: int) -> None:
        """Clocks go on, stand, or go back; two machines' may agree to the nanosecond."""
        self.clock += step

    @rule(count=st.integers(1, 2 * MOST_AT_ONCE))
    def deliver(self, count: int) -> None:
        """A commit of the analyzer."""
        taken, self.marks = self._consumed(self.next, count)
        self.taken += taken
        self.next = min(len(self.topic), self.next + count)

    @rule(count=st.integers(1, 2 * MOST_AT_ONCE))
    def fail(self, count: int) -> None:
        """A commit that was rolled back: nothing remains of it."""
        self._consumed(self.next, count)

    @rule(back=st.integers(1, 3 * MOST_AT_ONCE), count=st.integers(1, 3 * MOST_AT_ONCE))
    def deliver_again(self, back: int, count: int) -> None:
        """The same bytes come a second time, as from a mirrored topic: nothing of them is new."""
        start = max(0, self.next - back)
        taken, marks = self._consumed(start, min(count, self.next - start))

        assert [] == taken
        self.marks = marks

    @invariant()
    def what_was_delivered_is_taken_once_and_in_order(self) -> None:
        for partition in PARTITIONS:
            delivered = {place for place, _ in self.topic[: self.next] if place[0] == partition}
            assert sorted(delivered) == [place for place in self.taken if place[0] == partition]

    def _consumed(self, start: int, count: int) -> tuple[list[Place], dict[RawPartition, Watermark]]:
        marks = {key: replace(mark) for key, mark in self.marks.items()}
        verdicts = [_verdict(*each) for each in self.topic[start : start + count]]
        kept = fresh(verdicts, [Position(TOPIC, 0, start, start + len(verdicts))], marks)
        return [_place(verdict) for verdict in kept], marks


def _events(partition: int, sizes: list[int]) -> list[Place]:
    """The events of a raw partition; every third record was compacted away."""
    offsets = [offset for offset in range(2 * RECORDS) if offset % 3 != 1]
    return [(partition, offset, index) for offset, size in zip(offsets, sizes, strict=False) for index in range(size)]


def _verdict(place: Place, observed_ns: int) -> Verdict:
    partition, offset, index = place
    origin = Origin("kafka", "raw", partition, offset, index)
    return Verdict(replace(SAMPLE.event, origin=origin, observed_ns=observed_ns))


def _place(verdict: Verdict) -> Place:
    origin = verdict.event.origin
    return origin.partition, origin.offset, origin.index


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
