"""Syslog in: delivery over UDP, TCP and TLS, backpressure, bounds, shutdown."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from collector.errors import ConfigurationError, SinkUnavailable
from collector.settings import SyslogSettings
from collector.sources.syslog import outbox, streams
from collector.sources.syslog.kernel_drops import dropped_by
from collector.sources.syslog.networks import Senders
from collector.sources.syslog.syslog_source import SyslogSource
from collector.telemetry import Telemetry
from tests.collector.sources.access_rig import Pki
from tests.collector.sources.syslog.rig import ANY_PORT, Rig, running
from tests.intakes import LedgerIntake
from tests.waiting import HANG_S, eventually

FULL = b'<187>1 2026-03-03T10:00:00.5Z edge-1 nginx 12 - [request@1 id="7"] no user'


def one(rig: Rig) -> tuple[object, ...]:
    """What is known of the only record."""
    record = rig.records(1)[0]
    return (
        record.text, record.level, record.program, record.time_ns, dict(record.resource), dict(record.attributes),
        record.origin.kind, record.origin.source,
    )  # fmt: skip


EXPECTED = (
    "no user", "ERROR", "nginx", 1772532000500000000,
    {"host.name": "edge-1", "service.name": "nginx", "process.pid": "12"}, {"request@1.id": "7"}, "syslog", "127.0.0.1",
)  # fmt: skip


def test_a_datagram_is_a_record() -> None:
    """Host, program, process, time, severity and structured data are fields, and the text is the message alone."""
    with running() as rig:
        rig.datagram(FULL)
        assert one(rig) == EXPECTED


@pytest.mark.parametrize("stream", [FULL + b"\n", b"%d %s" % (len(FULL), FULL), FULL + b"\0", FULL])
def test_a_message_over_tcp_is_the_same_record(stream: bytes) -> None:
    """However its sender marks where it ends."""
    with running() as rig:
        rig.send(stream)
        assert one(rig) == EXPECTED


def test_two_framings_at_once() -> None:
    """Each connection has its own."""
    with running() as rig, rig.connection() as counting, rig.connection() as breaking:
        counting.sendall(b"18 <134>a: 2 li")
        breaking.sendall(b"<134>b: 1\n<134>b")
        counting.sendall(b"nes\nof")
        breaking.sendall(b": 2\n")
        rig.records(3)
        assert sorted(rig.texts()) == ["a: 2 lines\nof", "b: 1", "b: 2"]


def test_lines_of_one_program_are_one_record() -> None:
    """A stack trace that comes as a message per line, between the messages of another process."""
    lines = ["ERROR no user", "Traceback (most recent call last):", '  File "a.py", line 1', "KeyError: 'sub'"]
    with running() as rig:
        for line in lines:
            rig.datagram(f"<131>Mar  3 10:00:00 h carts[7]: {line}".encode(), b"<134>Mar  3 10:00:00 h web[8]: GET /")
        rig.records(5)
        assert sorted(rig.texts()) == sorted(["\n".join(lines), *["GET /"] * 4])


def test_lines_without_a_priority_go_on_with_their_message() -> None:
    """A sender that ends messages with line breaks, and has line breaks in them."""
    with running() as rig:
        rig.send(
            b"<131>Mar  3 10:00:00 h carts[7]: ERROR no user\njava.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)\n"
        )
        assert [record.text for record in rig.records(1)] == [
            "ERROR no user\njava.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)"
        ]


def test_tls_takes_whoever_trusts_the_certificate(tmp_path: Path) -> None:
    """RFC 5425: counted messages over TLS."""
    pki = Pki.make(tmp_path / "pki")
    with running(tls=ANY_PORT, **pki.settings) as rig:
        rig.send(b"%d %s" % (len(FULL), FULL), "tls", pki.client())
        assert one(rig) == EXPECTED


def test_tls_asks_for_a_certificate_of_the_configured_ca(tmp_path: Path) -> None:
    """A sender with none, and one with another CA's, get nowhere."""
    pki, other = Pki.make(tmp_path / "pki"), Pki.make(tmp_path / "other")
    with running(tls=ANY_PORT, **pki.mutual) as rig:
        rig.send(FULL + b"\n", "tls", pki.client())
        rig.send(FULL + b"\n", "tls", pki.client(other))
        rig.send(FULL + b"\n", "tls", pki.client(pki))
        assert one(rig) == EXPECTED
        assert len(rig.intake.items) == 1


def test_a_full_queue_makes_tcp_wait_and_drops_datagrams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a connection is lost; of datagrams, what there is no room for is counted."""
    monkeypatch.setattr(outbox, "MAX_RECORDS", 10)
    messages = [b"<134>Mar  3 10:00:00 h web[%d]: GET /%d" % (n, n) for n in range(200)]
    with running(LedgerIntake(manual=True, room=0)) as rig, rig.connection() as client:
        client.sendall(b"\n".join(messages) + b"\n")
        eventually(lambda: rig.intake.refused, "the intake is full")
        eventually(lambda: rig.datagram(*messages) or rig.drops().get("queue_full"), "a dropped datagram")
        rig.intake.room, rig.intake.manual = 1_000, False
        eventually(lambda: {f"GET /{n}" for n in range(200)} <= set(rig.texts()), "all of the connection")


def test_what_was_not_stored_is_offered_again() -> None:
    """A batch that failed is not lost with its connection."""
    with running(LedgerIntake(manual=True)) as rig:
        rig.send(FULL + b"\n")
        eventually(lambda: rig.intake.waiting, "a batch")
        rig.intake.manual = False
        rig.intake.fail_waiting(SinkUnavailable("lake", "test"))
        assert one(rig) == EXPECTED


def test_stop_hands_over_what_has_arrived() -> None:
    """Also a record that waits for its next line; half a message is counted."""
    with running() as rig, rig.connection() as lines, rig.connection() as counting:
        lines.sendall(b"<134>Mar  3 10:00:00 h web[8]: GET /1\n<134>Mar  3 10:00:00 h web[8]: GET /2")
        counting.sendall(b"100 <134>half")
        rig.records(1)
        rig.stop.set()
        eventually(lambda: rig.drops().get("incomplete") == 2, "two halves")
    assert rig.texts() == ["GET /1"]


def test_too_long_a_message_keeps_its_beginning() -> None:
    """In a datagram and in both framings, each counted."""
    long = b"<134>Mar  3 10:00:00 h web[8]: GET /" + b"x" * 5_000
    with running(max_message_kib=1) as rig:
        rig.datagram(long)
        rig.send(long + b"\n")
        rig.send(b"%d %s" % (len(long), long))
        assert {len(record.text) for record in rig.records(3)} == {1024 - 31}
        eventually(lambda: rig.cut() == 3, "three cut messages")


def test_the_one_that_is_silent_longest_gives_way() -> None:
    """Beyond the limit a new connection is served."""
    with running(max_connections=2) as rig, rig.connection() as first, rig.connection() as second:
        first.sendall(b"<134>a: 1\n")
        rig.records(1)
        second.sendall(b"<134>b: 1\n")
        rig.records(2)
        rig.send(b"<134>c: 1\n")
        rig.records(3)
        assert first.recv(1) == b"" if not _is_reset(first) else True
        second.sendall(b"<134>b: 2\n")
        rig.records(4)
    assert rig.closed() == {"evicted": 1}


def _is_reset(client: socket.socket) -> bool:
    try:
        client.recv(1, socket.MSG_PEEK)
    except ConnectionError:
        return True
    return False


def test_a_silent_connection_is_closed() -> None:
    """After `idle_seconds`."""
    with running(idle_seconds=1) as rig, rig.connection() as client:
        client.sendall(b"<134>a: 1\n")
        eventually(lambda: rig.closed() == {"idle": 1}, "closed")


def test_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program per message holds no more records back than there may be streams."""
    monkeypatch.setattr(streams, "MAX_STREAMS", 5)
    monkeypatch.setattr(streams, "PAUSE_SECONDS", HANG_S)
    with running() as rig:
        rig.datagram(*(b"<134>Mar  3 10:00:00 h web[%d]: GET /%d" % (n, n) for n in range(20)))
        rig.records(15)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"udp": "0.0.0.0:0"}, "syslog.udp"),
        ({"tcp": "[::]:0"}, "syslog.tcp"),
        ({"tls": "0.0.0.0:0"}, "syslog.tls"),
    ],
)
def test_beyond_loopback_something_must_tell_who_sends(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    """Nothing in UDP or TCP does: networks are named, or a client certificate is asked for."""
    pki = Pki.make(tmp_path / "pki")
    tls = pki.settings if "tls" in settings else {}
    with pytest.raises(ConfigurationError, match=rf"^{says} = .*anybody who reaches it could write into the store"):
        SyslogSource(SyslogSettings(**settings, **tls), Telemetry())
    SyslogSource(SyslogSettings(**settings, **tls), Telemetry(), insecure=True)
    SyslogSource(SyslogSettings(**settings, **tls, allow=("10.0.0.0/8",)), Telemetry())
    if tls:
        SyslogSource(SyslogSettings(**settings, **pki.mutual), Telemetry())


def test_networks_are_of_either_family() -> None:
    """An IPv4 sender at an IPv6 socket is still the IPv4 sender; this machine's own messages are always taken."""
    takes = Senders(SyslogSettings(udp=ANY_PORT, allow=("10.1.0.0/16", "fd00::/8")), Telemetry()).takes

    assert [takes(peer) for peer in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "::1", "127.0.0.1")] == [True] * 5
    assert [takes(peer) for peer in ("10.2.0.1", "::ffff:10.2.0.1", "fe80::1%eth0", "", "x")] == [False] * 5


def test_an_address_that_is_taken_is_said() -> None:
    """The setting, its value and the system's word."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match="cannot be bound"):
            SyslogSource(SyslogSettings(tcp=address), Telemetry()).run(LedgerIntake(), threading.Event())


@pytest.mark.skipif(not Path("/proc/net/udp").exists(), reason="only Linux says what it drops")
def test_what_the_kernel_drops_is_known() -> None:
    """Datagrams that found a full buffer."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        bound.bind(("127.0.0.1", 0))
        for _ in range(100):
            client.sendto(b"x" * 500, bound.getsockname())
        kept = 0
        bound.setblocking(False)
        with suppress(BlockingIOError):
            while bound.recv(1_000):
                kept += 1
        assert dropped_by(bound) == 100 - kept > 0


@pytest.mark.skipif(not shutil.which("logger"), reason="logger (util-linux) is not installed")
@pytest.mark.parametrize(
    "how",
    [
        ["--udp", "--rfc3164"], ["--udp", "--rfc5424"], ["--tcp", "--rfc3164"], ["--tcp", "--rfc5424"],
        ["--tcp", "--octet-count", "--rfc5424", "--sd-id", "a@1", "--sd-param", 'b="c"'],
    ],
)  # fmt: skip
def test_util_linux_logger(how: list[str]) -> None:
    """The program by which Unix users write to syslog, in each of its forms."""
    with running() as rig:
        host, port = rig.at("udp" if "--udp" in how else "tcp")
        command = ["logger", *how, "--server", host, "--port", str(port), "--tag", "edge", "--id=7", "-p", "local0.err"]
        subprocess.run([*command, "no user 'sub'"], check=True, timeout=HANG_S)
        record = rig.records(1)[0]
    assert (record.text, record.level, record.program, record.resource["process.pid"]) == (
        "no user 'sub'", "ERROR", "edge", "7",
    )  # fmt: skip
    assert dict(record.attributes).get("a@1.b") == ("c" if "--sd-id" in how else None)
    assert abs(record.time_ns - record.observed_ns) < 60e9
