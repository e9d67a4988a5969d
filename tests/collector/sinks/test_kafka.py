from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from kafka import TopicPartition

from collector.errors import Fenced, SinkUnavailable
from collector.events import Event, Gateway, Origin, Outcome, Words, from_json
from collector.intake import BoundedIntake
from collector.records import Batch, Position, RawRecord
from collector.settings import KafkaSettings, QueueSettings
from collector.sinks.kafka import KafkaSink
from collector.sources.kafka.source import KafkaSource, decode_raw
from collector.telemetry import Telemetry
from collector.worker import Each, Worker
from tests.brokers import Broker, free_ports
from tests.intakes import running
from tests.waiting import HANG_S, eventually


@pytest.fixture
def topic(kafka: Broker) -> str:
    return kafka.topic(3)


@contextmanager
def _sink(
    broker: Broker, topic: str, telemetry: Telemetry | None = None, *, group: str = "why401"
) -> Iterator[KafkaSink]:
    settings = KafkaSettings(bootstrap=(broker.bootstrap,), events_topic=topic, group=group)
    sink = KafkaSink(settings, telemetry or Telemetry())
    try:
        yield sink
    finally:
        sink.close()


def _event(offset: int, partition: int = 0, *, message: str = "") -> Event:
    origin = Origin("kafka", "raw", partition, offset)
    return Event(offset, offset, origin, Gateway("envoy"), Outcome.DENIED, words=Words(message=message))


def _batch(first: int, stop: int, partition: int = 0) -> Batch[Event]:
    position = Position("raw", partition, first, stop)
    return Batch([_event(offset, partition) for offset in range(first, stop)], (position,))


def _offsets(messages: list[Any]) -> list[tuple[int, int]]:
    events = [from_json(message.value) for message in messages]
    return [(event.origin.partition, event.origin.offset) for event in events]


@pytest.mark.kafka
def test_events_are_durable_and_in_order_when_the_batch_is_done(kafka: Broker, topic: str):
    """All events of a raw partition stand in one partition of the event topic, in the order of their offsets."""
    telemetry = Telemetry()
    batches = [_batch(0, 50), _batch(0, 30, 1), _batch(50, 80), _batch(30, 60, 1)]
    with _sink(kafka, topic, telemetry) as sink:
        for batch in batches:
            sink.write(batch)
        _flush(sink)
        assert all(batch.done.done() and batch.done.exception() is None for batch in batches)
        messages = kafka.messages(topic, 140, 3)
    by_raw = {raw: [message for message in messages if message.key == b"raw-%d" % raw] for raw in (0, 1)}
    assert _offsets(by_raw[0]) == [(0, offset) for offset in range(80)]
    assert _offsets(by_raw[1]) == [(1, offset) for offset in range(60)]
    assert [len({message.partition for message in found}) for found in by_raw.values()] == [1, 1]
    assert telemetry.value("why401.events.stored") == 140


@pytest.mark.kafka
def test_a_batch_is_done_only_after_the_acknowledgement(kafka: Broker, topic: str):
    """`write` alone promises nothing."""
    batch = _batch(0, 10)
    with _sink(kafka, topic) as sink:
        sink.write(batch)
        assert not batch.done.done()
        eventually(lambda: sink.tick() or batch.done.done(), "the acknowledgement")
    assert len(kafka.messages(topic, 10, 3)) == 10


@pytest.mark.kafka
def test_events_of_other_sources_are_keyed_by_their_source(kafka: Broker, topic: str):
    """An OTLP peer or a file has no partition."""
    event = replace(_event(1), origin=Origin("otlp", "10.0.0.1"))
    with _sink(kafka, topic) as sink:
        sink.write(Batch([event, replace(event, origin=Origin("file", "/var/log/a", offset=7))]))
        _flush(sink)
    assert sorted(message.key for message in kafka.messages(topic, 2, 3)) == [b"/var/log/a", b"10.0.0.1"]


@pytest.mark.kafka
def test_a_batch_that_leaves_a_hole_is_fenced(kafka: Broker, topic: str):
    """The analyzer's watermark would take the missing offsets for repeated ones."""
    late = _batch(20, 30)
    with _sink(kafka, topic) as sink:
        sink.write(_batch(0, 10))
        sink.write(late)
        _flush(sink)
    assert isinstance(error := late.done.exception(), Fenced)
    assert (error.expected, error.found) == (20, 10)
    assert len(kafka.messages(topic, 10, 3)) == 10


@pytest.mark.kafka
def test_positions_are_the_groups_committed_offsets(kafka: Broker, topic: str):
    """A partition without a commit is left out; asking also says where the next batch begins."""
    group = f"group-{topic}"
    raw = kafka.topic(2, name=f"{topic}-raw")
    kafka.commit(group, TopicPartition(raw, 0), 7)
    continues, repeats = (Batch([_event(first)], (Position(raw, 0, first, first + 1),)) for first in (7, 6))
    with _sink(kafka, topic, group=group) as sink:
        assert sink.positions(raw, (0, 1)) == {0: 7}
        sink.write(repeats)
        sink.write(continues)
        _flush(sink)
        assert sink.positions(raw, (0, 1)) == {0: 8}
    assert isinstance(repeats.done.exception(), Fenced)
    assert continues.done.exception() is None


@pytest.mark.kafka
def test_an_outage_of_the_broker_is_waited_out_in_order(kafka: Broker, topic: str, monkeypatch: pytest.MonkeyPatch):
    """The pipeline is told to wait; afterwards every event is there once and in order."""
    if not kafka.is_ours:
        pytest.skip("the broker of WHY401_TEST_KAFKA is not ours to stop")
    monkeypatch.setattr("collector.sinks.kafka.STALL_SECONDS", 0.5)
    with _sink(kafka, topic) as sink:
        sink.write(_batch(0, 10))
        _flush(sink)
        kafka.stop(hard=True)
        try:
            during = [_batch(10, 20), _batch(20, 30)]
            for batch in during:
                sink.write(batch)
            why = eventually(lambda: _refusal(sink), "the sink's word that it cannot")
            assert not any(batch.done.done() for batch in during)
        finally:
            kafka.start()
        eventually(lambda: _refusal(sink) is None and all(batch.done.done() for batch in during), "both batches")
    assert (why.sink, [batch.done.exception() for batch in during]) == ("kafka", [None, None])
    assert _offsets(kafka.messages(topic, 30, 3)) == [(0, offset) for offset in range(30)]


def _flush(sink: KafkaSink) -> None:
    """Until it is done, as the worker does: on a busy machine a broker may be late."""
    eventually(lambda: _is_flushed(sink), "the flush")


def _is_flushed(sink: KafkaSink) -> bool:
    try:
        sink.flush()
    except SinkUnavailable:
        return False
    return True


def _refusal(sink: KafkaSink) -> SinkUnavailable | None:
    try:
        sink.tick()
    except SinkUnavailable as error:
        return error
    return None


@pytest.mark.kafka
def test_when_the_producer_gives_up_everything_after_the_loss_fails_too(kafka: Broker):
    """A refused event must come again before those behind it."""
    topic = kafka.topic(configs={"max.message.bytes": "600"})
    bad = Batch([_event(5, message="".join(map(str, range(2000))))], (Position("raw", 0, 5, 6),))
    behind, good = _batch(6, 8), _batch(5, 8)
    telemetry = Telemetry()
    with _sink(kafka, topic, telemetry) as sink:
        sink.write(bad)
        eventually(lambda: _refusal(sink), "the refusal")
        sink.write(behind)
        sink.write(good)
        _flush(sink)
    assert isinstance(bad.done.exception(), SinkUnavailable)
    assert isinstance(behind.done.exception(), Fenced)
    assert good.done.exception() is None
    assert telemetry.value("why401.errors", stage="kafka") == 1


@pytest.mark.kafka
def test_an_event_larger_than_any_request_is_counted_and_passed(kafka: Broker, topic: str):
    """One monster must not stop the pipeline."""
    telemetry = Telemetry()
    batch = Batch([_event(0), _event(1, message="x" * (2 << 20)), _event(2)], (Position("raw", 0, 0, 3),))
    with _sink(kafka, topic, telemetry) as sink:
        sink.write(batch)
        _flush(sink)
    assert batch.done.exception() is None
    assert telemetry.by("why401.records.dropped", "reason") == {"too_large": 1}
    assert _offsets(kafka.messages(topic, 2, 3)) == [(0, 0), (0, 2)]


def test_without_a_broker_the_sink_says_unavailable_and_keeps_the_batch(monkeypatch: pytest.MonkeyPatch):
    """Nothing is acknowledged; at `close` the batch fails, so that its source sends it again."""
    monkeypatch.setattr("collector.sources.kafka.client_factory.BOOTSTRAP_MS", 300)
    (port,) = free_ports(1)
    sink = KafkaSink(KafkaSettings(bootstrap=(f"127.0.0.1:{port}",)), Telemetry())
    batch = _batch(0, 1)
    sink.write(batch)
    with pytest.raises(SinkUnavailable):
        sink.tick()
    with pytest.raises(SinkUnavailable):
        sink.positions("raw", (0,))
    assert not batch.done.done()
    sink.close()
    sink.close()
    assert isinstance(batch.done.exception(), SinkUnavailable)


@pytest.mark.kafka
def test_collecting_from_kafka_to_kafka_passes_every_offset_once(kafka: Broker, topic: str):
    """Source, intake, worker and sink together, with a clean restart in between: no hole and no repetition."""
    raw = kafka.topic(2)
    for first in (0, 100):
        for partition in (0, 1):
            kafka.produce(raw, [b"line"] * 100, partition=partition)
        _collect(kafka, raw, topic, until=2 * (first + 100))
    offsets = _offsets(kafka.messages(topic, 400, 3))
    assert sorted(offsets) == [(partition, offset) for partition in (0, 1) for offset in range(200)]
    for partition in (0, 1):
        in_order = [offset for raw_partition, offset in offsets if raw_partition == partition]
        assert in_order == list(range(200))


def _collect(broker: Broker, raw: str, topic: str, *, until: int) -> None:
    group, telemetry = f"group-{topic}", Telemetry()
    settings = KafkaSettings(bootstrap=(broker.bootstrap,), events_topic=topic, group=group)
    source = KafkaSource(settings, telemetry, topics=(raw,), group=group, decode=decode_raw())
    with _sink(broker, topic, group=group) as sink:
        intake = BoundedIntake(QueueSettings(), sink, telemetry)
        worker, stop = Worker(intake, Each(_as_event), sink, telemetry), threading.Event()
        thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
        thread.start()
        try:
            with running(source, intake):
                eventually(lambda: _committed(broker, group, raw) >= until, f"the commit of {until} records")
        finally:
            stop.set()
            thread.join(HANG_S)


def _committed(broker: Broker, group: str, raw: str) -> int:
    return sum(broker.committed(group, raw, partition) or 0 for partition in (0, 1))


def _as_event(record: RawRecord) -> Event:
    return Event(record.time_ns, record.observed_ns, record.origin, Gateway("envoy"), Outcome.DENIED)
