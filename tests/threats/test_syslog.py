"""Threats to the syslog receiver, each by name: what a hostile sender does, and what it gets."""

from __future__ import annotations

import logging
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.sources.syslog import framing, outbox, streams
from collector.sources.syslog.streams import Streams
from collector.sources.syslog.syslog_messages import Reader
from tests.collector.sources.syslog.rig import Rig, running
from tests.intakes import LedgerIntake
from tests.waiting import HANG_S, eventually

MIB = 1 << 20
GOOD = b"<134>Mar  3 10:00:00 edge web[1]: good"


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A receiver over UDP and TCP."""
    with running() as running_rig:
        yield running_rig


def still_serves(rig: Rig) -> bool:
    """A good sender gets through, over a new connection and over UDP."""
    rig.send(GOOD + b"\n")
    rig.datagram(GOOD)
    return eventually(lambda: rig.texts().count("good") == 2, "two good messages")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"GET /v1/logs HTTP/1.1\r\nHost: localhost\r\n\r\n", "not_syslog"),
        (b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n<134>Mar  3 10:00:00 h web: forged\n", "not_syslog"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "not_syslog"),
        (bytes(range(256)), "not_syslog"),
        (b"\0" * 100, "not_syslog"),
        (b"1234 no priority\n", "not_syslog"),
        (b"<999>no priority\n", "not_syslog"),
        (b"<" + b"1" * 100_000, "not_syslog"),
        (b"99999999999 <134>a", "framing"),
        (b"99999999 <134>a", "framing"),
        (b"7 <134>ax <134>b", "framing"),
        (b"9999999 <134>a", "incomplete"),
        (b"100 <134>half", "incomplete"),
    ],
)
def test_what_is_no_syslog_is_counted(rig: Rig, raw: bytes, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    """Another protocol (what a web page can make a browser send, too), binary, false and huge counts, halves: no record, no error, no log line."""
    with caplog.at_level(logging.WARNING):
        rig.send(raw)
        eventually(lambda: rig.drops() == {reason: 1}, reason)
    assert not {"forged"} & set(rig.texts())
    assert still_serves(rig)
    assert caplog.records == []


@given(st.binary(max_size=3_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_datagram_is_a_record_or_counted(data: bytes) -> None:
    """Whatever the bytes are, nothing is raised, and a text holds no more than came."""
    together = Streams()
    for prefix in (b"", b"<134>", b"<134>1 ", b"<134>Mar  3 10:00:00 ", b"<134>1 2026-03-03T10:00:00Z a b c d ["):
        message = Reader("127.0.0.1", "").read(prefix + data)
        records = [] if message is None else [*together.feed(message), *together.rest()]
        assert all(len(record.text) <= len(prefix + data) for record in records)


def test_a_message_without_end_takes_no_memory(rig: Rig) -> None:
    """Of a line of 64 MiB the beginning is kept; nothing waits for its end."""
    framer = framing.Framer(64 << 10)
    messages = [*framer.feed(b"<134>")]
    for _ in range(64):
        messages += framer.feed(b"x" * MIB)
    assert [len(message) for message in messages] == [64 << 10]
    assert framer.cut == 1
    assert not framer.is_incomplete


def test_lines_without_end_are_one_bounded_record() -> None:
    """A stack trace that never stops holds back what one record may have."""
    reader, together = Reader("127.0.0.1", ""), Streams()
    for n in range(5_000):
        message = reader.read(b"<131>Mar  3 10:00:00 h a[1]: " + (b"\tat a.B.c(B.java:1)" if n else b"ERROR x"))
        assert message is not None
        assert not list(together.feed(message))
    (record,) = together.rest()
    assert len(record.text) < 1 << 17
    assert together.cut == 1


def test_a_flood_of_programs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new name with each message opens no more streams than there may be, and no label of its own."""
    monkeypatch.setattr(streams, "PAUSE_SECONDS", HANG_S)
    together = Streams()
    out = 0
    for n in range(5_000):
        message = Reader("127.0.0.1", "").read(b"<134>Mar  3 10:00:00 h p%d[1]: x" % n)
        assert message is not None
        out += len(list(together.feed(message)))
    assert out == 5_000 - streams.MAX_STREAMS


def test_a_flood_of_datagrams_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its room the receiver keeps nothing, and takes messages again afterwards."""
    monkeypatch.setattr(outbox, "MAX_RECORDS", 100)
    with running(LedgerIntake(manual=True, room=0)) as rig:
        eventually(lambda: rig.datagram(*[GOOD] * 200) or rig.drops().get("queue_full", 0) > 1_000, "drops")
        rig.intake.room, rig.intake.manual = 1_000, False
        eventually(rig.texts, "what was kept")
        assert len(rig.texts()) <= 100 + streams.MAX_STREAMS
        assert rig.telemetry.value("why401.records.received") == len(rig.texts()) + sum(rig.drops().values())


def test_silent_connections_beyond_the_limit() -> None:
    """Beyond the limit the one that is silent longest is closed; good senders are served meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, hard), hard))
    try:
        with running(max_connections=100) as rig, ExitStack() as open_ones:
            for _ in range(500):
                client = open_ones.enter_context(socket.create_connection(rig.at("tcp"), timeout=HANG_S))
                client.sendall(b"<13")
            eventually(lambda: rig.closed().get("evicted", 0) >= 350, "evictions")
            assert still_serves(rig)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_senders_outside_of_the_networks_get_nowhere() -> None:
    """Their datagrams are counted, their connections closed before a byte is read; this machine's own are taken."""
    with running(allow=("192.0.2.0/24",)) as rig:
        rig.source._senders.takes = lambda peer: False  # type: ignore[method-assign,misc]  # as for a peer of another network
        rig.datagram(GOOD)
        rig.send(GOOD + b"\n")
        eventually(lambda: (rig.drops(), rig.closed()) == ({"sender": 1}, {"sender": 1}), "both refused")
    assert rig.texts() == []


def test_a_header_is_no_way_into_the_sentence() -> None:
    """What a sender writes as host, program or structured data is a value: no line break of it makes a record."""
    message = Reader("127.0.0.1", "").read(b'<131>1 - evil\rhost app 1 - [a b="c\n<131>forged"] no user')
    assert message is not None
    assert message.record.text == "no user"
    assert dict(message.record.attributes) == {"a.b": "c\n<131>forged"}
