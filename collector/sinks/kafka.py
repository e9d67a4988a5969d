"""Kafka out: events to the event topic, in the order of their raw partitions, durable before they are acknowledged.

Order is the promise that the analyzer's watermark rests on: per raw partition the topic holds runs of offsets without
holes, repeated at most. So nothing expires in the producer, a batch that does not continue the last one is refused
(`Fenced`), and when the producer gives up, all that it held fails together, before anything later is sent.

The positions of raw partitions are the committed offsets of the consumer group. The *source* commits them, after
`batch.done`; a crash in between produces a run again, which the watermark drops.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from collector.errors import Fenced, SinkUnavailable
from collector.events import Event, Outcome, to_json
from collector.records import Batch
from collector.settings import KafkaSettings
from collector.sources.kafka.client_factory import connect
from collector.telemetry import Telemetry

log = logging.getLogger("why401.kafka")
MAX_UNACKED: Final = 20_000  # events inside the producer, which has no bound of its own: about 30 MB
STALL_SECONDS: Final = 10.0  # without an acknowledgement for so long, the pipeline is told to wait
SEND_BLOCK_MS: Final = 2_000
FLUSH_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 5.0
_FOR_EVER_MS: Final = (1 << 31) - 1  # a record that expired would leave a hole
Place = tuple[str, int]


@dataclass(slots=True, repr=False)
class _Sending:
    """A batch on its way: what is sent, and the producer's futures not yet seen done."""

    batch: Batch[Event]
    sent: int = 0
    acks: deque[Any] = field(default_factory=deque)

    @property
    def is_sent(self) -> bool:
        return self.sent == len(self.batch.items)


class KafkaSink:
    """Produces to `settings.events_topic`. `group` is the one that reads the raw topics."""

    def __init__(self, settings: KafkaSettings, telemetry: Telemetry, *, group: str = "") -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._group = group or settings.group
        self._producer: KafkaProducer | None = None
        self._queue: deque[_Sending] = deque()
        self._unacked = 0
        self._moved = time.monotonic()  # the last acknowledgement, or the last time that nothing waited for one
        self._lock = threading.Lock()  # over the two positions; sources ask for them from their own threads
        self._next: dict[Place, int] = {}
        self._acked: dict[Place, int] = {}

    def write(self, batch: Batch[Event]) -> None:
        """Take a batch, or fail it with Fenced when it does not continue what was taken of its partition."""
        fenced = self._claim(batch)
        if fenced is not None:
            _fail(batch, fenced)
            return
        self._queue.append(_Sending(batch))

    def tick(self) -> None:
        """Send, and resolve what is acknowledged. Raises SinkUnavailable."""
        self._settle()
        self._send()
        self._settle()
        self._check_progress()

    def flush(self) -> None:
        """Send everything and wait for the acknowledgements. Raises SinkUnavailable."""
        deadline = time.monotonic() + FLUSH_SECONDS
        while self._queue:
            self.tick()
            if time.monotonic() > deadline:
                raise SinkUnavailable("kafka", f"{self._unacked} events unacknowledged after {FLUSH_SECONDS:g} s")
            if self._producer is not None:
                self._flush_producer(self._producer)

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        """The group's committed offsets, or what this sink knows to be acknowledged beyond them.

        The caller has nothing of these partitions on its way; what is answered is where they continue.
        """
        committed = self._committed(topic, partitions)
        out: dict[int, int] = {}
        with self._lock:
            for partition in partitions:
                place = (topic, partition)
                known = max(committed.get(partition, -1), self._acked.get(place, -1))
                self._next.pop(place, None)
                if known >= 0:
                    out[partition] = self._next[place] = known
        return out

    def close(self) -> None:
        """Give the producer a moment, then fail what is left."""
        self._drop(SinkUnavailable("kafka", "closed"), CLOSE_SECONDS)

    def _claim(self, batch: Batch[Event]) -> Fenced | None:
        with self._lock:
            for position in batch.positions:
                expected = self._next.get((position.topic, position.partition), position.first)
                if expected != position.first:
                    return Fenced(position.topic, position.partition, position.first, expected)
            for position in batch.positions:
                self._next[(position.topic, position.partition)] = position.next
        return None

    def _send(self) -> None:
        if all(sending.is_sent for sending in self._queue):
            return
        producer = self._connected()
        for sending in self._queue:
            while not sending.is_sent and self._unacked < MAX_UNACKED:
                self._send_one(producer, sending)

    def _send_one(self, producer: KafkaProducer, sending: _Sending) -> None:
        event = sending.batch.items[sending.sent]
        try:
            ack = producer.send(self._settings.events_topic, to_json(event), key=_key(event))
        except MessageSizeTooLargeError:
            self._telemetry.count("why401.records.dropped", reason="too_large")
        except KafkaTimeoutError as error:  # no metadata: nothing was taken, and this event is the next to send
            raise SinkUnavailable("kafka", str(error)) from None
        except KafkaError as error:
            raise self._give_up(error) from None
        else:
            sending.acks.append(ack)
            self._unacked += 1
        sending.sent += 1

    def _settle(self) -> None:
        """Resolve the batches at the head of the queue; a batch behind one that waits, waits too."""
        while self._queue:
            sending = self._queue[0]
            self._take_acks(sending)
            if sending.acks or not sending.is_sent:
                return
            self._queue.popleft()
            self._acknowledge(sending.batch)
        self._moved = time.monotonic()

    def _take_acks(self, sending: _Sending) -> None:
        while sending.acks and sending.acks[0].is_done:
            if sending.acks[0].failed():
                raise self._give_up(sending.acks[0].exception)
            sending.acks.popleft()
            self._unacked -= 1
            self._moved = time.monotonic()

    def _acknowledge(self, batch: Batch[Event]) -> None:
        with self._lock:
            for position in batch.positions:
                self._acked[(position.topic, position.partition)] = position.next
        stored = sum(event.outcome is not Outcome.UNREAD for event in batch.items)
        self._telemetry.count("why401.events.stored", stored)
        if not batch.done.done():
            batch.done.set_result(None)

    def _check_progress(self) -> None:
        waited = time.monotonic() - self._moved
        if self._unacked and waited > STALL_SECONDS:
            raise SinkUnavailable("kafka", f"no acknowledgement for {waited:.0f} s; {self._unacked} events wait")

    def _connected(self) -> KafkaProducer:
        if self._producer is None:
            try:
                self._producer = self._new_producer()
            except (KafkaError, OSError) as error:
                raise SinkUnavailable("kafka", f"{type(error).__name__}: {error}") from None
            self._moved = time.monotonic()
        return self._producer

    def _new_producer(self) -> KafkaProducer:
        return connect(
            KafkaProducer,
            self._settings,
            enable_idempotence=True,
            acks="all",
            compression_type="zstd",
            linger_ms=20,
            batch_size=256 << 10,  # well below the broker's message.max.bytes of 1 MiB, before compression
            max_block_ms=SEND_BLOCK_MS,
            delivery_timeout_ms=_FOR_EVER_MS,
        )

    def _flush_producer(self, producer: KafkaProducer) -> None:
        try:
            producer.flush(timeout=1.0)
        except KafkaTimeoutError:
            log.debug("the producer's flush takes longer than a second")

    def _give_up(self, error: BaseException) -> SinkUnavailable:
        """The producer cannot deliver a record: end it before it sends what comes after."""
        log.error("the producer of %s gave up: %s: %s", self._settings.events_topic, type(error).__name__, error)
        self._telemetry.count("why401.errors", stage="kafka", kind=type(error).__name__)
        unavailable = SinkUnavailable("kafka", f"{type(error).__name__}: {error}")
        self._drop(unavailable, 0.0)
        return unavailable

    def _drop(self, error: SinkUnavailable, timeout_s: float) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=timeout_s)
        failed = [sending.batch for sending in self._queue]
        self._queue.clear()
        self._unacked = 0
        with self._lock:
            for position in (position for batch in reversed(failed) for position in batch.positions):
                # Batches that still come and continue the failed ones must not be taken before those come again.
                self._next[(position.topic, position.partition)] = position.first
        for batch in failed:
            _fail(batch, error)

    def _committed(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        places = [TopicPartition(topic, partition) for partition in partitions]
        try:
            admin = connect(KafkaAdminClient, self._settings)
            try:
                found = admin.list_group_offsets({self._group: places})[self._group]
            finally:
                admin.close()
        except (KafkaError, OSError) as error:
            raise SinkUnavailable("kafka", f"{type(error).__name__}: {error}") from None
        return {place.partition: held.offset for place, held in found.items()}


def _fail(batch: Batch[Event], error: Exception) -> None:
    done: Future[None] = batch.done
    if not done.done():
        done.set_exception(error)


def _key(event: Event) -> bytes:
    """One key per raw partition, so that its events stay in order in one partition of the event topic."""
    origin = event.origin
    if origin.kind == "kafka":
        return f"{origin.source}-{origin.partition}".encode()
    return (origin.source or origin.kind).encode("utf-8", "replace")
