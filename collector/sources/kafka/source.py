"""Kafka in: a member of a consumer group that reads from where the *sink* says, never from where Kafka guesses.

On assignment every partition is placed at the sink's position, else the group's committed offset, else `start`. A poll
makes one batch per partition, and the batches of a partition continue each other without a gap: what does not fit into
the intake is held while its partition is paused, and a batch that fails sends its partition back to the sink's
position. Offsets are committed after the batch is durable.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import KafkaError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from collector.errors import Backpressure, Fenced, Why401Error
from collector.events import Origin
from collector.records import Batch, Position
from collector.redaction import configured, fixed
from collector.settings import KafkaSettings
from collector.sources import Intake
from collector.sources.kafka.client_factory import connect
from collector.sources.kafka.decoding import Decode, Message, decode_event, decode_raw
from collector.sources.kafka.refusals import AccessRefused, check
from collector.telemetry import Telemetry

__all__ = ["Decode", "KafkaSource", "Message", "decode_event", "decode_raw"]

log = logging.getLogger("why401.kafka")
# Four times Kafka's own default: what is done once a batch is cheap, and requests that are alike are counted together.
# Other sources wait for a batch, a fifth of a second at most, and a consumer that is fenced or killed loses that work.
MAX_POLL_RECORDS: Final = 2_000
_KAFKA: Final = fixed("kafka")
# Batches per partition between poll and durability. Fewer than arrive between two commits, and reading waits for every commit.
MAX_IN_FLIGHT: Final = 20
POLL_MS: Final = 200
BUSY_POLL_MS: Final = 20  # while a batch waits for room in the intake
METADATA_MS: Final = 30_000  # new partitions are found within this time
PULSE_SECONDS: Final = 5.0  # how often the ends of the partitions are asked for: lag, and whether Kafka answers
COMMIT_SECONDS: Final = 0.2
RETRY_SECONDS: Final = 0.5  # a partition whose position could not be read, or whose batch failed
MAX_BACKOFF_SECONDS: Final = 10.0
MAX_FAILED_POLLS: Final = 5  # in a row; then a new consumer is made
STOP_GRACE_SECONDS: Final = 5.0  # how long batches on their way may still become durable
CALL_MS: Final = 3_000
MIN_JOIN_SECONDS: Final = 15.0
MAX_PATIENCE: Final = (
    16  # times as long: on a busy machine a broker, or we, may need longer than any limit that was set beforehand
)


class NeverJoined(Why401Error):
    """The group did not take us in. A consumer may wait for ever, a new one asks again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no assignment within {seconds:g} s")


@dataclass(slots=True, repr=False)
class _Lane:
    """One partition: where it stands, what is on its way, and the batch that the intake refused."""

    owned: bool = False
    placed: bool = False
    next: int = 0
    not_before: float = 0.0
    held: Batch[Any] | None = None
    in_flight: deque[tuple[Position, Future[None]]] = field(default_factory=deque)
    to_commit: int = -1


class KafkaSource:
    """Reads `topics` as a member of `group`; `decode` makes items of a message's value. One per thread."""

    def __init__(
        self, settings: KafkaSettings, telemetry: Telemetry, *, topics: Sequence[str], group: str, decode: Decode
    ) -> None:
        check(settings)
        self._settings = settings
        self._telemetry = telemetry
        self._topics = tuple(topics)
        self._group = group
        self._decode = decode
        self._lanes: dict[TopicPartition, _Lane] = {}  # outlives a consumer: batches on their way are waited for
        self._ends: dict[TopicPartition, int] = {}
        self._patience = 1  # doubled each time that the group did not take us in
        for topic in self._topics:
            telemetry.gauge("why401.kafka.lag", partial(self.lag, topic), topic=topic)

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Reads until `stop`; when Kafka is away it reconnects for ever.

        Raises ConfigurationError when the brokers have never let us in and say why.
        """
        backoff = RETRY_SECONDS
        has_been_in = False
        while not stop.is_set():
            try:
                with self._consumer() as consumer:
                    has_been_in = True
                    log.info("reading %s as group %s", ", ".join(self._topics), self._group)
                    _Session(self, consumer, intake).serve(stop)
            except Exception as error:  # kafka-python also raises OSError and RuntimeError; none may end the source
                self.failed(error)
                if isinstance(error, NeverJoined):
                    self._patience = min(2 * self._patience, MAX_PATIENCE)
                if isinstance(error, AccessRefused) and not has_been_in:  # later, credentials may be being rotated
                    raise error.as_configuration_error() from None
                log.warning("Kafka: %s; trying again in %.1f s", _about(error), backoff)
                stop.wait(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)
            else:
                backoff = RETRY_SECONDS

    def failed(self, error: BaseException) -> None:
        """Count a failure by its class."""
        self._telemetry.count("why401.errors", stage="kafka", kind=type(error).__name__)

    def received(self, items: int) -> None:
        """Count what the intake took."""
        self._telemetry.count("why401.records.received", items, source="kafka")

    def items(self, records: Sequence[Any]) -> list[Any]:
        """The items of a poll's records."""
        now = time.time_ns()
        return [item for record in records for item in self._items(record, now)]

    def _items(self, record: Any, now: int) -> Sequence[Any]:
        origin = Origin(kind=_KAFKA, source=configured(record.topic), partition=record.partition, offset=record.offset)
        message = Message(origin, record.timestamp * 1_000_000 if record.timestamp > 0 else 0, now)
        try:
            return list(self._decode(record.value or b"", message))
        except Exception as error:  # a decoder's bug costs one message, never the partition
            self.failed(error)
            return list(decode_raw()(b"", message))

    @contextmanager
    def _consumer(self) -> Iterator[KafkaConsumer]:
        consumer = connect(
            KafkaConsumer,
            self._settings,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="none",  # a position that is gone must be seen, not silently replaced
            max_poll_records=MAX_POLL_RECORDS,
            session_timeout_ms=self._settings.session_timeout_seconds * 1_000,
            heartbeat_interval_ms=min(3_000, self._settings.session_timeout_seconds * 250),
            fetch_max_bytes=16 << 20,
            fetch_max_wait_ms=100,
            metadata_max_age_ms=METADATA_MS,
        )
        try:
            yield consumer
        finally:
            for lane in self._lanes.values():
                disown(lane)
            try:
                consumer.close(autocommit=False, timeout_ms=CALL_MS)
            except Exception as error:
                self.failed(error)

    def lag(self, topic: str) -> float:
        """Records of the owned partitions not yet read, as of the last pulse."""
        lanes = list(self._lanes.items())
        owned = ((place, lane) for place, lane in lanes if lane.owned and lane.placed and place.topic == topic)
        return float(sum(max(self._ends.get(place, 0) - lane.next, 0) for place, lane in owned))

    @property
    def lanes(self) -> dict[TopicPartition, _Lane]:
        """The state per partition; the session's."""
        return self._lanes

    @property
    def ends(self) -> dict[TopicPartition, int]:
        """The last known end offsets; the session's."""
        return self._ends

    @property
    def topics(self) -> tuple[str, ...]:
        """What is subscribed to."""
        return self._topics

    @property
    def join_seconds(self) -> float:
        """How long a group may take to let us in: by twice the session timeout it has let go of dead members. Longer after each failure."""
        return self._patience * max(MIN_JOIN_SECONDS, 5 + 2 * self._settings.session_timeout_seconds)

    def joined(self) -> None:
        """The group took us in: the next time it need not be waited for longer."""
        self._patience = 1

    @property
    def start_at_end(self) -> bool:
        """Where a partition never read before begins."""
        return self._settings.start == "latest"


class _Session(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """The life of one consumer. The listener's methods run while `poll` blocks our thread."""

    def __init__(self, source: KafkaSource, consumer: KafkaConsumer, intake: Intake) -> None:
        self._source = source
        self._consumer = consumer
        self._intake = intake
        self._lanes = source.lanes
        self._next_pulse = 0.0
        self._next_commit = 0.0
        self._join_by: float | None = time.monotonic() + source.join_seconds  # None: joined, with partitions or without

    def serve(self, stop: threading.Event) -> None:
        self._consumer.subscribe(topics=list(self._source.topics), listener=self)
        failed = 0
        while not stop.is_set():
            try:
                self._step()
                self._watch_join()
                failed = 0
            except KafkaError as error:
                self._source.failed(error)
                failed += 1
                if failed >= MAX_FAILED_POLLS:
                    raise
                stop.wait(RETRY_SECONDS)
        self._finish()

    def _watch_join(self) -> None:
        if self._join_by is not None and time.monotonic() > self._join_by:
            raise NeverJoined(self._source.join_seconds)

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self._join_by = None
        self._source.joined()
        for place in assigned:
            lane = self._lanes.setdefault(place, _Lane())
            lane.owned, lane.placed, lane.held = True, False, None
            # Placing asks the sink, which may take long; until then the partition has a position and is not fetched.
            self._consumer.pause(place)
            self._consumer.seek(place, 0)

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self._join_by = time.monotonic() + self._source.join_seconds
        self._insist_on_joining()
        for place in revoked:
            if place in self._lanes:
                disown(self._lanes[place])

    def _insist_on_joining(self) -> None:
        """Keep kafka-python 3.0.12 from forgetting the join that begins now.

        A leader that saw new partitions joins again because two snapshots differ, and they are equal as soon as it has
        assigned them. When `poll` runs out of time between that and the group's answer, `need_rejoin` is false at the
        next one and the finished join is never looked at: no assignment, no heartbeats, for ever. The Java client had
        the same (KAFKA-9815) and mended it in the same way. Every start is at risk: the first join comes before the
        topic's metadata, so a second one follows. tests/collector/sources/kafka/test_source.py shows it.
        """
        coordinator = getattr(self._consumer, "_coordinator", None)
        if coordinator is not None:
            coordinator.request_rejoin()

    def _step(self) -> None:
        self._settle()
        self._place()
        self._offer_held()
        self._pace()
        for place, records in self._poll().items():
            self._take(place, records)
        self._commit()
        self._pulse()

    def _poll(self) -> Mapping[TopicPartition, Sequence[Any]]:
        self._unpark()
        busy = any(lane.held or lane.in_flight for lane in self._lanes.values())
        try:
            polled: Mapping[TopicPartition, Sequence[Any]] = self._consumer.poll(BUSY_POLL_MS if busy else POLL_MS)
        except OffsetOutOfRangeError as error:
            self._source.failed(error)
            self._skip_to_beginning(error.args[0])
            return {}
        return polled

    def _unpark(self) -> None:
        """Help kafka-python 3.0.12 to give parked records back.

        Its fetcher parks the half-read fetch of a paused partition and restores it only while no fetch is in line
        (`_next_partition_records is None`); one that was read to its end stays in line when nothing follows it, and then
        the resumed partition is neither restored nor fetched again. tests/collector/sources/kafka/test_source.py shows it.
        """
        fetcher = getattr(self._consumer, "_fetcher", None)
        if fetcher is not None and not getattr(fetcher, "_next_partition_records", True):
            fetcher._next_partition_records = None  # noqa: SLF001

    def _skip_to_beginning(self, gone: Mapping[TopicPartition, int]) -> None:
        """Retention was faster than we, or the topic was made anew: go on with what is still there."""
        begins = self._consumer.beginning_offsets(list(gone), timeout_ms=CALL_MS)
        for place, offset in gone.items():
            if self._lanes[place].owned:
                log.error("%s[%d]: offset %d is gone, going on at %d", *place, offset, begins[place])
                self._consumer.seek(place, begins[place])

    def _take(self, place: TopicPartition, records: Sequence[Any]) -> None:
        lane = self._lanes[place]
        if not lane.placed:
            return
        # `first` continues the last batch, not the first record: compaction and transaction markers leave holes.
        position = Position(place.topic, place.partition, lane.next, records[-1].offset + 1)
        lane.next = position.next
        self._offer(lane, Batch(self._source.items(records), (position,), source="kafka"))

    def _offer(self, lane: _Lane, batch: Batch[Any]) -> None:
        try:
            self._intake.offer(batch, timeout_s=0)
        except Backpressure:
            lane.held = batch
            return
        lane.held = None
        lane.in_flight.append((batch.positions[0], batch.done))
        self._source.received(len(batch.items))

    def _offer_held(self) -> None:
        for lane in self._lanes.values():
            if lane.held is not None and len(lane.in_flight) < MAX_IN_FLIGHT:
                self._offer(lane, lane.held)

    def _pace(self) -> None:
        """Pause what has to wait; polling goes on, so the member stays in its group."""
        paused = self._consumer.paused()
        for place, lane in self._owned():
            flows = lane.placed and lane.held is None and len(lane.in_flight) < MAX_IN_FLIGHT
            if flows and place in paused:
                self._consumer.resume(place)
            elif not flows and place not in paused:
                self._consumer.pause(place)

    def _settle(self) -> None:
        for place, lane in list(self._lanes.items()):
            while lane.in_flight and lane.in_flight[0][1].done():
                self._settle_one(lane, *lane.in_flight.popleft())
            if not lane.owned and not lane.in_flight:
                del self._lanes[place]

    def _settle_one(self, lane: _Lane, position: Position, done: Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is None and not done.cancelled():
            lane.to_commit = position.next if lane.placed else lane.to_commit
            return
        lane.placed, lane.held = False, None
        if error is not None:
            self._source.failed(error)
        if not isinstance(error, Fenced):
            lane.not_before = time.monotonic() + RETRY_SECONDS

    def _place(self) -> None:
        """Seek what was assigned or sent back, once nothing of it is on its way any more."""
        now = time.monotonic()
        for place, lane in self._owned():
            if lane.placed or lane.in_flight or now < lane.not_before:
                continue
            try:
                lane.next = self._position(place, lane)
            except Exception as error:  # the sink's own errors too: the partition waits, the others go on
                self._source.failed(error)
                lane.not_before = now + RETRY_SECONDS
                continue
            lane.placed = True
            self._consumer.seek(place, lane.next)
            log.info("%s[%d]: reading from offset %d", *place, lane.next)

    def _position(self, place: TopicPartition, lane: _Lane) -> int:
        stored = self._intake.positions(place.topic, (place.partition,)).get(place.partition)
        if stored is not None:
            return stored
        committed: int | None = self._consumer.committed(place, timeout_ms=CALL_MS)
        if committed is not None and committed >= 0:
            return committed
        ask = self._consumer.end_offsets if self._source.start_at_end else self._consumer.beginning_offsets
        offset: int = ask([place], timeout_ms=CALL_MS)[place]
        # Else "latest" would begin anew, further on, when we stop before the first record.
        lane.to_commit = offset
        return offset

    def _commit(self) -> None:
        now = time.monotonic()
        due = {place: lane.to_commit for place, lane in self._owned() if lane.to_commit >= 0}
        if not due or now < self._next_commit:
            return
        self._next_commit = now + COMMIT_SECONDS
        self._consumer.commit_async(_offsets(due), callback=self._committed)
        for place in due:
            self._lanes[place].to_commit = -1

    def _committed(self, _: object, response: object) -> None:
        if isinstance(response, Exception):
            self._source.failed(response)

    def _pulse(self) -> None:
        now = time.monotonic()
        if now < self._next_pulse:
            return
        self._next_pulse = now + PULSE_SECONDS
        places = [place for place, _ in self._owned()]
        if places:
            self._source.ends.update(self._consumer.end_offsets(places, timeout_ms=CALL_MS))

    def _finish(self) -> None:
        """Commit what becomes durable within the grace; the rest is read again by whoever comes next."""
        deadline = time.monotonic() + STOP_GRACE_SECONDS
        while any(lane.in_flight for lane in self._lanes.values()) and time.monotonic() < deadline:
            self._settle()
            self._poll_only()
        due = {place: lane.to_commit for place, lane in self._owned() if lane.to_commit >= 0}
        if due:
            self._consumer.commit(_offsets(due), timeout_ms=CALL_MS)

    def _poll_only(self) -> None:
        """Keep the membership alive without reading on."""
        self._consumer.pause(*(place for place, _ in self._owned()))
        self._consumer.poll(BUSY_POLL_MS)

    def _owned(self) -> list[tuple[TopicPartition, _Lane]]:
        return [(place, lane) for place, lane in self._lanes.items() if lane.owned]


def disown(lane: _Lane) -> None:
    """Another member has the partition now; what is on its way is waited for, what is held is its to read."""
    lane.owned, lane.placed, lane.held, lane.to_commit = False, False, None, -1


def _offsets(due: Mapping[TopicPartition, int]) -> dict[TopicPartition, OffsetAndMetadata]:
    return {place: OffsetAndMetadata(offset, "", -1) for place, offset in due.items()}


def _about(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
