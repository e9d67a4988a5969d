"""Threats to the OTLP receivers, each by name: what a hostile sender does, and what it gets.

The table of docs/security.md names these tests, and those beside the code that they complete.
"""

from __future__ import annotations

import asyncio.selector_events
import gc
import gzip
import resource
import socket
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import zstandard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector.records import RawRecord
from collector.sources.otlp import connections, grpc_source, http_source
from collector.sources.otlp.connections import Hall
from collector.sources.otlp.grpc_source import OtlpGrpcSource
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.sources.otlp.receiver import Harvest, Ticket
from collector.telemetry import Telemetry
from tests import tokens
from tests.collector.sources.access_rig import EXPORT, GOOD, Pki, bearer, export, token_file
from tests.collector.sources.access_rig import post as post_as
from tests.collector.sources.otlp.rig import (
    HANG_S,
    JSON,
    Rig,
    body_of,
    json_of,
    post,
    running,
    send,
)
from tests.waiting import eventually

MIB = 1 << 20
BOMB_MIB = 200
HEADROOM = 64 * MIB  # what memory may grow by while a bomb of BOMB_MIB is refused


_COMPRESSING_CLIENT = """
import sys, grpc
with grpc.insecure_channel(sys.argv[1], options=[("grpc.max_send_message_length", -1)]) as channel:
    try:
        channel.unary_unary(sys.argv[2])(bytes(int(sys.argv[3])), compression=grpc.Compression.Gzip)
    except grpc.RpcError as error:
        print(error.code())
"""


@pytest.fixture
def http() -> Iterator[Rig]:
    """A receiver that takes 1 MiB."""
    with running(OtlpHttpSource) as rig:
        yield rig


@pytest.fixture
def rpc() -> Iterator[Rig]:
    """The same over gRPC."""
    with running(OtlpGrpcSource) as rig:
        yield rig


@contextmanager
def connected(rig: Rig) -> Iterator[socket.socket]:
    host, _, port = rig.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_S) as client:
        yield client


def call(rig: Rig, body: bytes, **about: Any) -> Any:
    """One gRPC call with any bytes as its message; the response or the error."""
    options = [("grpc.max_send_message_length", -1), ("grpc.max_metadata_size", 16 * MIB)]
    with grpc.insecure_channel(rig.address, options=options) as channel:
        try:
            return channel.unary_unary(EXPORT)(body, timeout=HANG_S, **about)
        except grpc.RpcError as error:
            return error


@contextmanager
def flat_memory() -> Iterator[None]:
    """The peak of resident memory rises by less than HEADROOM."""
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    yield
    assert resident("VmHWM") - before < HEADROOM


def resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name + ":"))


def still_serves(rig: Rig) -> bool:
    """A good sender gets through, over a new connection."""
    if isinstance(rig.source, OtlpGrpcSource):
        with grpc.insecure_channel(rig.address) as channel:
            return not isinstance(export(channel, text="good"), grpc.RpcError)
    return post(rig, body_of("good")).status == 200


def zeros(coding: str) -> bytes:
    """BOMB_MIB of zeros, a thousandth of it on the wire."""
    if coding == "zstd":
        packer = zstandard.ZstdCompressor().compressobj()
    else:
        packer = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(BOMB_MIB)) + packer.flush()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_decompression_bomb_over_http(http: Rig, coding: str) -> None:
    """413 before it is inflated, and memory does not follow."""
    bomb = zeros(coding)
    with flat_memory():
        answer = post(http, bomb, Content_Encoding=coding)

    assert (413, 8) == (answer.status, answer.rpc_status().code)
    assert still_serves(http)


def test_decompression_bomb_in_layers(http: Rig) -> None:
    """Codings on top of each other are not peeled at all."""
    answer = post(http, gzip.compress(zeros("gzip")), Content_Encoding="gzip, gzip")

    assert (415, []) == (answer.status, http.intake.batches)


def test_decompression_bomb_over_grpc(rpc: Rig) -> None:
    """RESOURCE_EXHAUSTED before it is inflated, and memory does not follow."""
    bomb = zeros("gzip")
    with flat_memory():
        error = call(rpc, bomb)

    assert grpc.StatusCode.RESOURCE_EXHAUSTED == error.code()
    assert still_serves(rpc)


def test_decompression_bomb_as_grpc_compression(rpc: Rig) -> None:
    """The same when gRPC itself is told to compress: the receiver, not gRPC, inflates."""
    command = [sys.executable, "-c", _COMPRESSING_CLIENT, rpc.address, EXPORT, str(BOMB_MIB * MIB)]
    with flat_memory():
        told = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=True).stdout

    assert "StatusCode.RESOURCE_EXHAUSTED" == told.strip()
    assert still_serves(rpc)


def nested(depth: int) -> bytes:
    """A LogRecord whose body is that many arrays in each other, in a request."""
    value = b""
    for _ in range(depth):
        value = tag(5, tag(1, value))
    return tag(1, tag(2, tag(2, tag(5, value))))


def tag(number: int, value: bytes) -> bytes:
    size, out = len(value), bytearray()
    while True:
        out.append(size & 0x7F | (0x80 if size > 0x7F else 0))
        size >>= 7
        if not size:
            return bytes([number << 3 | 2]) + bytes(out) + value


PROTOBUF_BOMBS = {
    "records": (tag(1, tag(2, b"\x12\x00" * 400_000)), 413),
    "envelopes": (b"\x0a\x00" * 500_000, 413),
    "values": (tag(1, tag(2, tag(2, tag(5, tag(5, b"\x0a\x00" * 400_000))))), None),
    "deep": (nested(5_000), 400),
    "length": (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 400),
    "varint": (b"\x0a" + b"\xff" * 100, 400),
}


@pytest.mark.parametrize("what", PROTOBUF_BOMBS)
def test_protobuf_bomb(http: Rig, rpc: Rig, what: str) -> None:
    """Two bytes that stand for an object in memory are counted before they become one; depth and lengths are checked."""
    body, expected = PROTOBUF_BOMBS[what]
    with flat_memory():
        status = post(http, body).status
        error = call(rpc, body)

    assert status in ((expected,) if expected else (200, 400, 413))
    assert not isinstance(error, grpc.RpcError) or error.code().value[0] in (3, 8)
    assert still_serves(http)
    assert still_serves(rpc)


@contextmanager
def without_collector() -> Iterator[None]:
    """Only reference counts free memory."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


REFUSED = {
    "full": (body_of("x" * 1_000, "y"), 503),
    "undecodable": (body_of("x")[:-1], 400),
    "records-undecodable": (tag(1, tag(2, tag(2, b"\xff"))), 400),
    "too-large": (body_of(*["x" * 1_000] * 1_100), 413),
}


@pytest.mark.parametrize("kind", [OtlpHttpSource, OtlpGrpcSource])
@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_request_is_forgotten_at_once(kind: Any, what: str) -> None:
    """A flood of requests that are refused does not fill memory until the garbage collector comes by."""
    body, status = REFUSED[what]
    with running(kind) as rig:
        rig.intake.outcome = "full"
        with without_collector():
            before = there(RawRecord, Harvest, Ticket)
            answers = [post(rig, body).status if kind is OtlpHttpSource else call(rig, body) for _ in range(3)]
            eventually(lambda: not there(RawRecord, Harvest, Ticket) - before, "nothing is left of the requests")

    assert kind is OtlpGrpcSource or [status] * 3 == answers


@pytest.mark.parametrize(
    "sent", [b"", b"\0\0\r\n\r\n", b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"]
)
def test_a_closed_connection_is_forgotten_at_once(http: Rig, sent: bytes) -> None:
    """Connections that come and go do not fill memory until the garbage collector comes by."""
    connection = asyncio.selector_events._SelectorSocketTransport
    with without_collector():
        before = there(connection)
        for _ in range(3):
            with connected(http) as client:
                client.sendall(sent)
        assert 200 == post(http, body_of("x")).status
        eventually(lambda: not there(connection) - before, "no connection is left")


def there(*kinds: type) -> set[int]:
    """The objects of these kinds in memory, by id; other tests of this process may have left some for good."""
    return {id(one) for one in gc.get_objects() if isinstance(one, kinds)}


JSON_BOMBS = {
    "arrays": (b"[" * 1_000_000, 400),
    "objects": (b'{"resourceLogs":' * 60_000, 400),
    "values": (
        json_of({"body": {"stringValue": "x"}}).replace(
            b'{"stringValue": "x"}', b'{"arrayValue":{"values":[' * 500 + b"]}}" * 500
        ),
        400,
    ),
    "records": (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * 300_000 + b"{}]}]}]}", 413),
    "integer": (json_of({"body": {"intValue": "1"}}).replace(b'"1"', b"1" * 500_000), 400),
    "infinity": (json_of({"body": {"doubleValue": 1}}).replace(b": 1}", b": 1e999999}"), (200, 400)),
    "keys": (b'{"resourceLogs":[],' + b",".join(b'"%d":0' % n for n in range(100_000)) + b"}", (200, 413)),
}


@pytest.mark.parametrize("what", JSON_BOMBS)
def test_json_bomb(http: Rig, what: str) -> None:
    """Depth, counts and huge numbers end in an answer; the receiver goes on."""
    body, expected = JSON_BOMBS[what]
    with flat_memory():
        status = post(http, body, JSON).status

    assert status in (expected if isinstance(expected, tuple) else (expected,))
    assert still_serves(http)


@pytest.mark.parametrize("sent", [b"", b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nX-A: "], ids=["nothing", "half-a-head"])
def test_slowloris_head(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """A head that does not end is cut off in time, however often a byte of it comes; others are served meanwhile."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    with running(OtlpHttpSource) as rig, connected(rig) as slow:
        slow.sendall(sent)
        assert still_serves(rig)
        over = threading.Event()
        drip = threading.Thread(target=dripping, args=(slow, over, bool(sent)))
        drip.start()
        answer = received(slow)
        over.set()
        drip.join(HANG_S)

        assert b"" == answer
        assert {"slow": 1} == rig.telemetry.by("why401.connections.closed", "reason")


def dripping(slow: socket.socket, over: threading.Event, drips: bool) -> None:
    while drips and not over.wait(0.1):
        try:
            slow.send(b"a")
        except OSError:
            return


def received(client: socket.socket) -> bytes:
    try:
        return client.recv(1)
    except ConnectionResetError:
        return b""


def test_slowloris_body_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies that do not end are given up with a retryable answer; others are served meanwhile."""
    monkeypatch.setattr(http_source, "READ_TIMEOUT_S", 1.0)
    with running(OtlpHttpSource) as rig, ExitStack() as slow:
        clients = [slow.enter_context(connected(rig)) for _ in range(100)]
        for client in clients:
            client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
            client.sendall(b"Content-Length: 100\r\n\r\n{")
        assert still_serves(rig)

        assert {b"HTTP/1.1 503"} == {client.recv(12) for client in clients}
        assert 1 == len(rig.intake.batches)


def test_slowloris_body_over_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that do not come are given up with UNAVAILABLE; others are served meanwhile."""
    monkeypatch.setattr(grpc_source, "READ_TIMEOUT_S", 2.0)
    over = threading.Event()
    with running(OtlpGrpcSource) as rig, grpc.insecure_channel(rig.address) as channel:
        never = channel.stream_unary(EXPORT)
        calls = [never.future(iter(lambda: over.wait(HANG_S) and None, 0), timeout=HANG_S) for _ in range(20)]
        assert still_serves(rig)
        codes = {waiting.exception().code() for waiting in calls}
        over.set()

    assert {grpc.StatusCode.UNAVAILABLE} == codes


def test_requests_without_end_ahead_of_their_answers(http: Rig) -> None:
    """A sender that pipelines and never reads its answers is cut off, and not buffered for."""
    head = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
    ahead = head * 200_000
    with connected(http) as client, flat_memory():
        with pytest.raises(OSError):
            client.sendall(ahead)

        assert still_serves(http)
        assert {"pipelined": 1} == http.telemetry.by("why401.connections.closed", "reason")


@pytest.fixture
def many_files() -> Iterator[None]:
    """A thousand connections have two ends in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip(f"only {hard} file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("kind", [OtlpHttpSource, OtlpGrpcSource])
def test_a_thousand_idle_connections(kind: Any, many_files: None) -> None:
    """A good sender gets through beside them."""
    with running(kind) as rig, ExitStack() as idle:
        for _ in range(1000):
            idle.enter_context(connected(rig))

        assert still_serves(rig)
        assert ["good"] == rig.intake.texts()


def test_a_thousand_idle_connections_beyond_the_limit(monkeypatch: pytest.MonkeyPatch, many_files: None) -> None:
    """With room for fewer, the longest idle give way; a request that is on its way is never one of them."""
    hall = Hall(Telemetry(), limit=50)
    monkeypatch.setattr(http_source, "Hall", lambda _: hall)
    with running(OtlpHttpSource) as rig, ExitStack() as idle, connected(rig) as busy:
        busy.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n")
        busy.sendall(b"Content-Length: 100\r\n\r\n")
        eventually(lambda: hall._all and not hall._idle, "every connection has asked something")
        for _ in range(1000):
            idle.enter_context(connected(rig))
        eventually(
            lambda: hall._telemetry.value("why401.connections.closed", reason="evicted") >= 950,
            "connections are evicted",
        )
        assert still_serves(rig)
        body = body_of("b" * 200)
        busy.sendall((body + bytes(100))[:100])

        assert b"HTTP/1.1 400" == busy.recv(12)  # cut at a hundred bytes, and answered all the same


def test_a_thousand_stalled_handshakes(tmp_path: Path, many_files: None) -> None:
    """Connections that never speak TLS do not keep a good sender out."""
    pki = Pki.make(tmp_path / "pki")
    with running(OtlpHttpSource, **pki.settings) as rig, ExitStack() as mute:
        for _ in range(1000):
            mute.enter_context(connected(rig))

        assert 200 == post_as(rig, {}, pki.client()).status


def test_replayed_batch_is_counted_once(http: Rig) -> None:
    """The same request eight times, as an SDK sends it over broken connections: eight times 200, one batch."""
    body = body_of("one", "two")
    statuses = [post(http, body).status for _ in range(8)]

    assert ([200] * 8, ["one", "two"]) == (statuses, http.intake.texts())
    assert (16, {"replayed": 14}) == (http.received(), http.drops())


def test_replayed_batch_in_other_clothes(http: Rig) -> None:
    """Another coding of the same request is the same request."""
    body = body_of("one")
    packed = [("gzip", gzip.compress(body)), ("deflate", zlib.compress(body)), ("zstd", zstandard.compress(body))]
    statuses = [post(http, body).status, *(post(http, data, Content_Encoding=coding).status for coding, data in packed)]

    assert ([200] * 4, ["one"]) == (statuses, http.intake.texts())


def test_replayed_batch_over_grpc_at_once(rpc: Rig) -> None:
    """Eight at the same moment are one batch."""
    with grpc.insecure_channel(rpc.address) as channel, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: export(channel, text="one"), range(8)))

    assert {ExportLogsServiceResponse} == {type(answer) for answer in answers}
    assert ["one"] == rpc.intake.texts()


@pytest.mark.parametrize("shape", ["one-field", "many-fields", "endless-name", "long-path"])
def test_oversized_headers_over_http(http: Rig, shape: str) -> None:
    """431 or a closed connection after 64 KiB; memory does not follow, and nothing reaches the application."""
    piece = {
        "one-field": b"a" * 65_536,
        "many-fields": b"a: b\r\n" * 10_000,
        "endless-name": b"n" * 65_536,
        "long-path": b"p" * 65_536,
    }[shape]
    start = {"long-path": b"POST /", "one-field": b"POST /v1/logs HTTP/1.1\r\nA: "}.get(
        shape, b"POST /v1/logs HTTP/1.1\r\n"
    )
    with flat_memory(), connected(http) as client:
        try:
            client.sendall(start)
            for _ in range(1000):
                client.sendall(piece)
        except OSError:
            pass
        answer = everything(client)

    assert answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400")) or answer == b""
    assert http.telemetry.value("why401.connections.closed") >= 1
    assert still_serves(http)


def everything(client: socket.socket) -> bytes:
    out = b""
    try:
        while piece := client.recv(65_536):
            out += piece
    except OSError:
        pass
    return out


def test_endless_trailers(http: Rig) -> None:
    """Fields behind a chunked body are not kept."""
    with flat_memory(), connected(http) as client:
        client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n")
        client.sendall(b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
        client.settimeout(5)
        try:
            for _ in range(1000):
                client.sendall(b"a: b\r\n" * 10_000)
        except OSError:
            pass

    assert still_serves(http)


def test_oversized_headers_over_grpc(rpc: Rig) -> None:
    """RESOURCE_EXHAUSTED, and nothing reaches the application."""
    error = call(rpc, body_of("x"), metadata=[("a", "b" * MIB)])

    assert grpc.StatusCode.RESOURCE_EXHAUSTED == error.code()
    assert [] == rpc.intake.batches
    assert still_serves(rpc)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/grpc", "a" * 9000],
)  # fmt: skip
def test_wrong_content_type(http: Rig, content_type: str) -> None:
    """415, and the body is not looked at; no browser can be made to send what is accepted without asking first."""
    headers = {"Content-Type": content_type} if content_type else {}
    answer = send(http, body_of("x"), headers)

    assert (415, []) == (answer.status, http.intake.batches)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ],
    ids=["nul", "tls", "h2c", "smuggled", "two-lengths", "websocket"],
)
def test_what_is_no_request(http: Rig, raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Answered with 4xx or closed; no line in the log, so that a flood of it fills no disk."""
    with connected(http) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        answer = everything(client)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert ([], []) == (http.intake.batches, caplog.records)
    assert still_serves(http)


def test_a_client_that_resets(http: Rig) -> None:
    """Connections that vanish in the middle of a request stop nothing."""
    for _ in range(100):
        with connected(http) as client:
            client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: ")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert still_serves(http)


CREDENTIALS = {"none": {}, "unknown": bearer("x" * 64), "forged": bearer(tokens.token(key="k2", headers={"kid": "k1"}))}


@pytest.mark.parametrize("what", CREDENTIALS)
def test_unauthenticated_flood_over_http(tmp_path: Path, what: str) -> None:
    """A thousand requests with large bodies: each 401 with nothing kept, counted exactly, a good sender beside them."""
    body = bytes(256 << 10)
    head = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n" % len(
        body
    )
    for name, value in CREDENTIALS[what].items():
        head += f"{name}: {value}\r\n".encode()
    with running(OtlpHttpSource, token_file=token_file(tmp_path, f"edge {GOOD}")) as rig:

        def flood(_: int) -> list[bytes]:
            with connected(rig) as client:
                out = []
                for _ in range(50):
                    client.sendall(head + b"\r\n" + body)
                    out.append(one_answer(client))
                return out

        with flat_memory(), ThreadPoolExecutor(8) as pool:
            flooding = [pool.submit(flood, n) for n in range(20)]
            good = [post_as(rig, bearer(GOOD), text=f"good {n}").status for n in range(20)]
            statuses = {status for done in flooding for status in done.result()}

        reason = "no_credential" if what == "none" else "unknown_token"
        assert ({b"HTTP/1.1 401"}, [200] * 20, 20) == (statuses, good, len(rig.intake.batches))
        assert {reason: 1000} == rig.telemetry.by("why401.senders.refused", "reason")


def one_answer(client: socket.socket) -> bytes:
    """The status line's beginning; the rest of the answer is read and dropped."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65_536)
    head, _, rest = data.partition(b"\r\n\r\n")
    fields = [line.split(b": ") for line in head.lower().split(b"\r\n")]
    left = next(int(field[1]) for field in fields if field[0] == b"content-length") - len(rest)
    while left > 0:
        left -= len(client.recv(left))
    return data[:12]


def test_unauthenticated_flood_of_one_endless_body(tmp_path: Path) -> None:
    """After its 401 a refused body is read for one more mebibyte, then the connection is closed."""
    endless = bytes(256 * MIB)
    with running(OtlpHttpSource, token_file=token_file(tmp_path, f"edge {GOOD}")) as rig:
        with connected(rig) as client, flat_memory():
            client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
            answer = one_answer(client)
            with pytest.raises(OSError):
                client.sendall(endless)

        assert b"HTTP/1.1 401" == answer
        assert {"discarded": 1} == rig.telemetry.by("why401.connections.closed", "reason")


def test_unauthenticated_flood_over_grpc(tmp_path: Path) -> None:
    """UNAUTHENTICATED without reading the message, counted exactly, a good sender beside it."""
    body = bytes(256 << 10)
    with running(OtlpGrpcSource, token_file=token_file(tmp_path, f"edge {GOOD}")) as rig:

        def flood(_: int) -> set[grpc.StatusCode]:
            with grpc.insecure_channel(rig.address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
                method = channel.unary_unary(EXPORT)
                return {refused_code(method, body) for _ in range(50)}

        with flat_memory(), ThreadPoolExecutor(8) as pool:
            flooding = [pool.submit(flood, n) for n in range(10)]
            with grpc.insecure_channel(rig.address) as channel:
                good = [export(channel, GOOD, text=f"good {n}") for n in range(20)]
            codes = set().union(*(done.result() for done in flooding))

        assert ({grpc.StatusCode.UNAUTHENTICATED}, 20) == (codes, len(rig.intake.batches))
        assert {ExportLogsServiceResponse} == {type(answer) for answer in good}
        assert {"no_credential": 500} == rig.telemetry.by("why401.senders.refused", "reason")


def refused_code(method: Any, body: bytes) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as raised:
        method(body, timeout=HANG_S)
    return raised.value.code()


def test_the_flood_has_no_labels_of_its_own(tmp_path: Path) -> None:
    """Whatever is presented, the counters have attribute values of ours only."""
    presented = [bearer(f"{n:064d}") for n in range(50)] + [{"Authorization": f"Odd{n} x"} for n in range(50)]
    with running(OtlpHttpSource, token_file=token_file(tmp_path, f"edge {GOOD}")) as rig:
        for headers in presented:
            post_as(rig, headers)

        assert {"unknown_token": 50, "wrong_scheme": 50} == rig.telemetry.by("why401.senders.refused", "reason")
        assert {} == rig.telemetry.by("why401.senders.accepted", "sender")


def test_the_hall_forgets_who_left(http: Rig) -> None:
    """A thousand connections one after the other leave nothing behind."""
    hall = Hall(Telemetry(), limit=2)
    made: list[Any] = [object() for _ in range(1000)]
    for connection in made:
        assert hall.enter(connection)
        hall.leave(connection)

    assert (0, 0) == (len(hall._all), len(hall._idle))
