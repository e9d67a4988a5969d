from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import Any, NoReturn

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collector.errors import SinkUnavailable
from collector.events import Event, Gateway, Origin, Outcome, to_json
from collector.settings import KafkaSettings
from collector.sources.kafka import source as kafka_source
from collector.sources.kafka.decoding import is_export_request
from collector.sources.kafka.source import MAX_IN_FLIGHT, Decode, KafkaSource, Message, decode_event, decode_raw
from collector.telemetry import Telemetry
from tests.brokers import Broker, free_ports
from tests.intakes import LedgerIntake, running
from tests.waiting import eventually


def _source(
    broker: Broker,
    topic: str,
    *,
    group: str = "",
    start: str = "earliest",
    telemetry: Telemetry | None = None,
    decode: Decode | None = None,
) -> KafkaSource:
    settings = KafkaSettings(bootstrap=(broker.bootstrap,), start=start)
    telemetry, decode = telemetry or Telemetry(), decode or decode_raw("envoy")
    return KafkaSource(settings, telemetry, topics=(topic,), group=group or f"group-{topic}", decode=decode)


def _texts(intake: LedgerIntake) -> list[str]:
    return [item.text for item in intake.items]


def _numbers(first: int, stop: int) -> list[bytes]:
    return [b"line %d" % n for n in range(first, stop)]


def _offsets(intake: LedgerIntake) -> list[tuple[int, int]]:
    return sorted((item.origin.partition, item.origin.offset) for item in intake.items)


def _otlp(*bodies: str) -> dict[str, Any]:
    records = [{"timeUnixNano": "1700000000000000000", "body": {"stringValue": body}} for body in bodies]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}


def _protobuf(*bodies: str) -> bytes:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for body in bodies:
        scope.log_records.add().body.string_value = body
    return request.SerializeToString()


PAYLOADS = {
    "a text line": (b'[2026-01-01] "GET / HTTP/1.1" 401', ['[2026-01-01] "GET / HTTP/1.1" 401']),
    "a text line with its line break": (b"one\r\n", ["one"]),
    "a JSON line": (b'{"status":401}', ['{"status":401}']),
    "lines of JSON": (b'{"a":1}\n\n{"b":2}\n', ['{"a":1}', '{"b":2}']),
    "JSON over several lines": (b'{\n  "a": 1\n}', ['{\n  "a": 1\n}']),
    "lines of text": (b"one\ntwo\n", ["one", "two"]),
    "a stack trace": (b"ERROR x\n\tat a.b\nCaused by: y\n", ["ERROR x\n\tat a.b\nCaused by: y"]),
    "OTLP protobuf": (_protobuf("one", "two"), ["one", "two"]),
    "OTLP JSON": (orjson.dumps(_otlp("one", "two")), ["one", "two"]),
    "OTLP JSON that is cut off": (orjson.dumps(_otlp("one"))[:-5], [""]),
    "a text that starts like protobuf": (b"\nline", ["line"]),
    "invalid UTF-8": (b"\xff\xfeline", ["\ufffd\ufffdline"]),
    "nothing": (b"", [""]),
}


@pytest.mark.kafka
def test_every_payload_form_arrives_with_its_offset_and_index(kafka: Broker):
    """A message holds one record, several, or none that can be read; each keeps the message's offset and its index."""
    topic = kafka.topic()
    kafka.produce(topic, [value for value, _ in PAYLOADS.values()])
    intake, telemetry = LedgerIntake(), Telemetry()
    expected = [
        (text, Origin("kafka", topic, 0, offset, index))
        for offset, (_, texts) in enumerate(PAYLOADS.values())
        for index, text in enumerate(texts)
    ]
    with running(_source(kafka, topic, telemetry=telemetry), intake):
        eventually(lambda: len(intake.items) >= len(expected), "all records")
    assert [(item.text, item.origin) for item in intake.items] == expected
    assert telemetry.by("why401.records.received", "source") == {"kafka": len(expected)}
    assert {item.gateway for item in intake.items} == {"envoy"}
    assert min(item.time_ns for item in intake.items) > 0


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_is_decoded_alone_too(payload: str):
    """The decoder gives the same texts without a broker."""
    value, expected = PAYLOADS[payload]
    assert [record.text for record in decode_raw()(value, Message(Origin("kafka", "t", 0, 1)))] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (_protobuf("x"), True),
        (_protobuf("x") + _protobuf("y" * 300), True),
        (_protobuf("x")[:-1], False),
        (_protobuf("x") + b"\n", False),
        (b"\n" + b"{" + b'"' + b"a" * 122, False),
        (b"", False),
        (b"\n\xff\xff\xff\xff\xff\xff", False),
    ],
)
def test_protobuf_is_told_from_text_by_its_whole_structure(value: bytes, expected: bool):
    """A line break is the tag of resource_logs, so the first byte proves nothing."""
    assert is_export_request(value) == expected


def test_an_event_keeps_the_origin_of_its_raw_record():
    """The watermark of the analyzer is kept per raw partition."""
    event = Event(1, 2, Origin("kafka", "raw", 3, 4), Gateway("envoy"), Outcome.DENIED)
    assert decode_event(to_json(event), Message(Origin("kafka", "why401.events", 0, 9))) == [event]


def test_a_message_that_is_no_event_is_an_unread_event():
    """Its offset on the event topic is kept, so that the loss is counted and reading goes on."""
    origin = Origin("kafka", "why401.events", 0, 9)
    (event,) = decode_event(b"{}", Message(origin, 5, 6))
    assert (event.outcome, event.origin, event.words.reason) == (Outcome.UNREAD, origin, "unreadable")


@pytest.mark.kafka
@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_compressed_batches_are_read(kafka: Broker, codec: str):
    """Compression of Kafka's batches is invisible."""
    topic, intake = kafka.topic(), LedgerIntake()
    kafka.produce(topic, _numbers(0, 50), compression_type=codec)
    with running(_source(kafka, topic), intake):
        eventually(lambda: len(intake.items) >= 50, "all records")
    assert _texts(intake) == [line.decode() for line in _numbers(0, 50)]


@pytest.mark.kafka
def test_reading_begins_where_the_sink_says(kafka: Broker):
    """The sink's position wins over the group's committed offset."""
    topic = kafka.topic()
    kafka.produce(topic, _numbers(0, 10))
    with running(_source(kafka, topic), LedgerIntake()):
        eventually(lambda: kafka.committed(f"group-{topic}", topic) == 10, "the commit of all")
    intake = LedgerIntake(next={(topic, 0): 3})
    with running(_source(kafka, topic), intake):
        eventually(lambda: len(intake.items) >= 7, "the records from 3 on")
    assert _offsets(intake) == [(0, offset) for offset in range(3, 10)]


@pytest.mark.kafka
def test_a_partition_unknown_to_the_sink_begins_at_the_committed_offset(kafka: Broker):
    """Else everything would be read again by a sink that keeps no positions."""
    topic, first, second = kafka.topic(), LedgerIntake(), LedgerIntake()
    kafka.produce(topic, _numbers(0, 4))
    with running(_source(kafka, topic), first):
        eventually(lambda: kafka.committed(f"group-{topic}", topic) == 4, "the commit")
    kafka.produce(topic, _numbers(4, 6))
    with running(_source(kafka, topic), second):
        eventually(lambda: len(second.items) >= 2, "the new records")
    assert _offsets(second) == [(0, 4), (0, 5)]


@pytest.mark.kafka
def test_latest_begins_at_the_end_and_remembers_it(kafka: Broker):
    """Records between a first stop and the next start are not skipped."""
    topic, intake = kafka.topic(), LedgerIntake()
    kafka.produce(topic, _numbers(0, 5))
    with running(_source(kafka, topic, start="latest"), LedgerIntake()):
        eventually(lambda: kafka.committed(f"group-{topic}", topic) == 5, "the first position")
    kafka.produce(topic, _numbers(5, 7))
    with running(_source(kafka, topic, start="latest"), intake):
        eventually(lambda: len(intake.items) >= 2, "the new records")
    assert _offsets(intake) == [(0, 5), (0, 6)]


@pytest.mark.kafka
def test_offsets_are_committed_only_when_the_batch_is_durable(kafka: Broker):
    """A commit says that nothing before it is needed any more."""
    topic, intake = kafka.topic(), LedgerIntake(manual=True)
    kafka.produce(topic, _numbers(0, 3))
    with running(_source(kafka, topic), intake):
        eventually(lambda: intake.waiting, "the batch")
        assert kafka.committed(f"group-{topic}", topic) in (None, 0)
        intake.commit_waiting()
        eventually(lambda: kafka.committed(f"group-{topic}", topic) == 3, "the commit")


@pytest.mark.kafka
def test_a_rebalance_loses_and_doubles_nothing(kafka: Broker):
    """Two members come and go while records are written; every offset is committed exactly once."""
    topic, intake = kafka.topic(4), LedgerIntake()
    sources = [_source(kafka, topic) for _ in range(3)]
    with running(sources[0], intake):
        _produce_everywhere(kafka, topic, 0, 50)
        eventually(lambda: len(intake.items) >= 200, "the first records")
        with running(sources[1], intake), running(sources[2], intake):
            _produce_everywhere(kafka, topic, 50, 100)
            eventually(lambda: len(set(_offsets(intake))) >= 400, "the records of the second phase")
            eventually(lambda: min(map(_owned, sources)) > 0, "a share for every member")
        _produce_everywhere(kafka, topic, 100, 150)
        eventually(lambda: len(set(_offsets(intake))) >= 600, "the records of the third phase")
    assert _offsets(intake) == [(partition, offset) for partition in range(4) for offset in range(150)]


def _owned(source: KafkaSource) -> int:
    return sum(lane.owned for lane in list(source.lanes.values()))


def _produce_everywhere(broker: Broker, topic: str, first: int, stop: int) -> None:
    for partition in range(4):
        broker.produce(topic, _numbers(first, stop), partition=partition)


@pytest.mark.kafka
def test_backpressure_pauses_and_keeps_the_membership(kafka: Broker, monkeypatch: pytest.MonkeyPatch):
    """What is refused is offered again, in order; the partition is placed once, so the member never left."""
    monkeypatch.setattr("collector.sources.kafka.source.MAX_POLL_RECORDS", 10)
    topic, intake = kafka.topic(), LedgerIntake(manual=True, room=2)
    kafka.produce(topic, _numbers(0, 100))
    with running(_source(kafka, topic), intake):
        eventually(lambda: intake.refused >= 20, "refusals")
        assert [position.next for batch in intake.waiting for position in batch.positions] == [10, 20]
        eventually(lambda: intake.commit_waiting() or len(intake.items) >= 100, "all records")
    assert _offsets(intake) == [(0, offset) for offset in range(100)]
    assert intake.asked == [(topic, 0)]


@pytest.mark.kafka
def test_batches_on_their_way_are_bounded(kafka: Broker, monkeypatch: pytest.MonkeyPatch):
    """An intake that takes everything and makes nothing durable does not fill the memory."""
    monkeypatch.setattr("collector.sources.kafka.source.MAX_POLL_RECORDS", 5)
    monkeypatch.setattr("collector.sources.kafka.source.MAX_IN_FLIGHT", 3)
    monkeypatch.setattr("collector.sources.kafka.source.STOP_GRACE_SECONDS", 0.1)
    monkeypatch.setattr("collector.sources.kafka.source.PULSE_SECONDS", 0.05)
    topic, intake = kafka.topic(), LedgerIntake(manual=True)
    source = _source(kafka, topic)
    kafka.produce(topic, _numbers(0, 100))
    with running(source, intake):
        eventually(lambda: len(intake.waiting) >= 3, "three batches")
        eventually(lambda: source.lag(topic) == 85, "a lag that stays")
        assert len(intake.waiting) == 3


@pytest.mark.kafka
def test_a_fenced_batch_sends_the_partition_to_the_stores_position(kafka: Broker):
    """Another consumer was faster: reading goes on after what it committed."""
    topic, intake, telemetry = kafka.topic(), LedgerIntake(manual=True), Telemetry()
    kafka.produce(topic, _numbers(0, 10))
    with running(_source(kafka, topic, telemetry=telemetry), intake):
        eventually(lambda: intake.waiting, "a batch")
        intake.next[(topic, 0)] = 6
        eventually(lambda: intake.commit_waiting() or len(intake.items) >= 4, "the rest")
    assert _offsets(intake) == [(0, offset) for offset in range(6, 10)]
    assert telemetry.value("why401.errors", stage="kafka", kind="Fenced") == 1


@pytest.mark.kafka
def test_a_batch_that_the_sink_refused_is_read_again(kafka: Broker):
    """Nothing is lost when the sink goes away with batches inside."""
    topic, intake = kafka.topic(), LedgerIntake(manual=True)
    kafka.produce(topic, _numbers(0, 5))
    with running(_source(kafka, topic), intake):
        eventually(lambda: intake.waiting, "a batch")
        intake.fail_waiting(SinkUnavailable("store", "gone"))
        eventually(lambda: intake.commit_waiting() or len(intake.items) >= 5, "the records again")
    assert _offsets(intake) == [(0, offset) for offset in range(5)]


@pytest.mark.kafka
def test_a_decoders_bug_costs_one_message(kafka: Broker):
    """The message stays as an empty record with its offset."""
    topic, intake, telemetry = kafka.topic(), LedgerIntake(), Telemetry()

    def decode(value: bytes, message: Message) -> list[Any]:
        if value == b"line 1":
            raise RuntimeError
        return list(decode_raw()(value, message))

    kafka.produce(topic, _numbers(0, 3))
    with running(_source(kafka, topic, telemetry=telemetry, decode=decode), intake):
        eventually(lambda: len(intake.items) >= 3, "all messages")
    assert _texts(intake) == ["line 0", "", "line 2"]
    assert telemetry.value("why401.errors", stage="kafka", kind="RuntimeError") == 1


@pytest.mark.kafka
def test_positions_continue_each_other_over_transaction_markers(kafka: Broker):
    """Markers take offsets and are no records; a position without holes is what the store's fence compares."""
    topic, intake = kafka.topic(), LedgerIntake()
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=topic)
    producer.init_transactions()
    for line in _numbers(0, 5):
        producer.begin_transaction()
        producer.send(topic, line, partition=0)
        producer.commit_transaction()
    producer.close()
    with running(_source(kafka, topic), intake):
        eventually(lambda: len(intake.items) >= 5, "all records")
    assert _offsets(intake) == [(0, offset) for offset in range(0, 10, 2)]
    assert all(left.next == right.first for left, right in pairwise(intake.positions_seen))


@pytest.mark.kafka
def test_records_that_retention_deleted_are_noted_and_passed(kafka: Broker):
    """The loss is counted, reading goes on, and the store's chain of positions stays whole."""
    topic, telemetry = kafka.topic(), Telemetry()
    kafka.produce(topic, _numbers(0, 10))
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.delete_records({TopicPartition(topic, 0): 6})
    admin.close()
    intake = LedgerIntake(next={(topic, 0): 2})
    with running(_source(kafka, topic, telemetry=telemetry), intake):
        eventually(lambda: len(intake.items) >= 4, "what is left")
    assert _offsets(intake) == [(0, offset) for offset in range(6, 10)]
    assert intake.positions_seen[0].first == 2
    assert telemetry.value("why401.errors", stage="kafka", kind="OffsetOutOfRangeError") == 1


@pytest.mark.kafka
def test_lag_is_what_is_not_yet_read(kafka: Broker, monkeypatch: pytest.MonkeyPatch):
    """The gauge counts records behind the partition's end, paused partitions too."""
    monkeypatch.setattr("collector.sources.kafka.source.MAX_POLL_RECORDS", 10)
    monkeypatch.setattr("collector.sources.kafka.source.PULSE_SECONDS", 0.05)
    topic, intake = kafka.topic(), LedgerIntake(manual=True, room=1)
    source = _source(kafka, topic)
    kafka.produce(topic, _numbers(0, 100))
    with running(source, intake):
        eventually(lambda: intake.refused, "backpressure")
        eventually(lambda: source.lag(topic) == 80, "a lag of all but one taken and one held batch")
        eventually(lambda: intake.commit_waiting() or source.lag(topic) == 0, "no lag")


@pytest.mark.kafka
def test_a_broker_that_goes_away_and_comes_back_costs_nothing(kafka: Broker, monkeypatch: pytest.MonkeyPatch):
    """Reading continues by itself, and the outage is counted."""
    if not kafka.is_ours:
        pytest.skip("the broker of WHY401_TEST_KAFKA is not ours to stop")
    monkeypatch.setattr("collector.sources.kafka.source.PULSE_SECONDS", 0.2)
    monkeypatch.setattr("collector.sources.kafka.source.METADATA_MS", 1_000)
    topic, intake, telemetry = kafka.topic(2), LedgerIntake(), Telemetry()
    kafka.produce(topic, _numbers(0, 10))
    with running(_source(kafka, topic, telemetry=telemetry), intake):
        eventually(lambda: len(intake.items) >= 10, "the records before")
        before = telemetry.value("why401.errors", stage="kafka")
        kafka.stop(hard=True)
        try:
            eventually(lambda: telemetry.value("why401.errors", stage="kafka") > before, "a counted error")
        finally:
            kafka.start()
        kafka.produce(topic, _numbers(0, 10), partition=1)
        kafka.produce(topic, _numbers(10, 20))
        eventually(lambda: len(set(_offsets(intake))) >= 30, "the records after")
    expected = [(0, offset) for offset in range(20)] + [(1, offset) for offset in range(10)]
    assert _offsets(intake) == expected


def test_without_any_broker_the_source_waits_counts_and_still_stops(monkeypatch: pytest.MonkeyPatch):
    """A wrong address must not end the process, nor leave threads behind: Kafka may come later."""
    monkeypatch.setattr("collector.sources.kafka.client_factory.BOOTSTRAP_MS", 300)
    (port,) = free_ports(1)
    telemetry, before = Telemetry(), set(threading.enumerate())
    settings = KafkaSettings(bootstrap=(f"127.0.0.1:{port}",))
    source = KafkaSource(settings, telemetry, topics=("raw",), group="g", decode=decode_raw())
    with running(source, LedgerIntake()):
        eventually(lambda: telemetry.value("why401.errors", stage="kafka") >= 2, "counted errors")
    eventually(lambda: set(threading.enumerate()) <= before, "the end of its threads")


def test_a_paused_partition_goes_on_after_its_neighbour_has_ended(kafka: Broker, monkeypatch: pytest.MonkeyPatch):
    """kafka-python parks half-read fetches of paused partitions; they come back also when nothing else is being read."""
    monkeypatch.setattr("collector.sources.kafka.source.MAX_POLL_RECORDS", 250)
    topic = kafka.topic(2)
    for partition in (0, 1):
        kafka.produce(topic, [b"x" * 1_000] * 10_000, partition=partition)
    intake = LedgerIntake(manual=True)

    def commit_and_count() -> bool:
        paused = len(intake.waiting) >= 2 * MAX_IN_FLIGHT  # both partitions wait for the sink
        stuck_or_ended = intake.offered_at < time.monotonic() - 0.5
        if paused or stuck_or_ended:
            intake.commit_waiting()
        return len(intake.items) == 20_000

    with running(_source(kafka, topic), intake):
        eventually(commit_and_count, "every record")


@pytest.mark.kafka
def test_a_join_that_ends_between_two_polls_is_not_forgotten(kafka: Broker, monkeypatch: pytest.MonkeyPatch):
    """New partitions make the leader join again; polls far shorter than a join must not lose its answer."""
    monkeypatch.setattr("collector.sources.kafka.source.POLL_MS", 1)
    monkeypatch.setattr("collector.sources.kafka.source.METADATA_MS", 200)
    topic, intake, telemetry = kafka.topic(1), LedgerIntake(), Telemetry()
    with running(_source(kafka, topic, telemetry=telemetry), intake):
        for partitions in range(2, 7):
            kafka.widen(topic, partitions)
            kafka.produce(topic, [b"line"], partition=partitions - 1)
            eventually(lambda wanted=partitions - 1: len(intake.items) >= wanted, "the new partition's record")
    assert telemetry.value("why401.errors", stage="kafka", kind="NeverJoined") == 0


def test_a_member_that_its_group_never_takes_in_gives_up(monkeypatch: pytest.MonkeyPatch):
    """Without an assignment in time the session ends, and `run` makes a new consumer; an empty assignment is one."""
    monkeypatch.setattr(KafkaSource, "join_seconds", -1.0)
    settings = KafkaSettings(bootstrap=("127.0.0.1:9",))
    source = KafkaSource(settings, Telemetry(), topics=("raw",), group="g", decode=decode_raw())
    session = kafka_source._Session(source, None, LedgerIntake())

    with pytest.raises(kafka_source.NeverJoined):
        session._watch_join()
    session.on_partitions_assigned([])
    session._watch_join()


def test_a_group_that_takes_long_is_given_longer(monkeypatch: pytest.MonkeyPatch):
    """On a starved machine the same limit would break every join; who was taken in begins anew with the shortest."""
    monkeypatch.setattr("collector.sources.kafka.source.RETRY_SECONDS", 0.0)
    settings = KafkaSettings(bootstrap=("127.0.0.1:9",))
    source = KafkaSource(settings, Telemetry(), topics=("raw",), group="g", decode=decode_raw())
    stop, waited = threading.Event(), []

    def never() -> NoReturn:
        waited.append(source.join_seconds)
        if len(waited) == 3:
            stop.set()
        raise kafka_source.NeverJoined(waited[-1])

    monkeypatch.setattr(source, "_consumer", never)
    source.run(LedgerIntake(), stop)

    first = waited[0]
    assert [first, 2 * first, 4 * first] == waited
    kafka_source._Session(source, None, LedgerIntake()).on_partitions_assigned([])
    assert first == source.join_seconds
