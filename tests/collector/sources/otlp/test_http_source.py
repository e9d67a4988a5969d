"""OTLP/HTTP: the specification's rules for servers, one row each, against the running receiver."""

from __future__ import annotations

import concurrent.futures
import gzip
import socket
import threading
import zlib
from pathlib import Path

import pytest
import zstandard
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector.errors import ConfigurationError, SinkUnavailable
from collector.settings import OtlpSettings
from collector.sources.otlp import http_source
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.telemetry import Telemetry
from tests.collector.sources.otlp.rig import (
    HANG_S,
    JSON,
    PROTOBUF,
    body_of,
    json_of,
    post,
    running,
    send,
)
from tests.waiting import eventually

MIB = 1 << 20


@pytest.fixture(scope="module")
def shared():
    """One receiver for all the tests that leave its intake at "stored"."""
    with running(OtlpHttpSource) as rig:
        yield rig


@pytest.fixture
def rig():
    """A receiver of the test's own."""
    with running(OtlpHttpSource, ack_timeout_seconds=30) as rig:
        yield rig


@pytest.mark.parametrize(
    ("content_type", "answered"),
    [
        pytest.param("application/x-protobuf", PROTOBUF, id="protobuf"),
        pytest.param("application/json", JSON, id="json"),
        pytest.param("application/json; charset=utf-8", JSON, id="parameters"),
        pytest.param("APPLICATION/JSON", JSON, id="upper-case"),
        pytest.param("Application/X-Protobuf ;x=y", PROTOBUF, id="both"),
    ],
)
def test_success_has_the_type_of_the_request(shared, content_type, answered):
    """200, the request's content type, partial_success unset."""
    record = {"body": {"stringValue": content_type}}
    body = json_of(record) if answered == JSON else body_of(content_type)

    answer = post(shared, body, content_type)

    assert (200, answered) == (answer.status, answer.headers["content-type"])
    if answered == JSON:
        assert answer.json() == {}
    else:
        assert not ExportLogsServiceResponse.FromString(answer.body).HasField("partial_success")
    assert content_type in shared.intake.texts()


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        pytest.param("identity", bytes, id="identity"),
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param("GZIP", gzip.compress, id="upper-case"),
        pytest.param("deflate", zlib.compress, id="deflate"),
        pytest.param("zstd", zstandard.ZstdCompressor().compress, id="zstd"),
    ],
)
def test_codings(shared, coding, compress):
    """Every coding of Accept-Encoding is decoded."""
    answer = post(shared, compress(body_of(f"in {coding}")), Content_Encoding=coding)

    assert answer.status == 200
    assert f"in {coding}" in shared.intake.texts()


@pytest.mark.parametrize("body", [b"", b"\x0a\x00"], ids=["no-bytes", "empty-envelope"])
def test_empty_request_succeeds(shared, body):
    """An empty request is a success and offers nothing to the intake."""
    before = len(shared.intake.batches)

    assert (200, before) == (post(shared, body).status, len(shared.intake.batches))


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        pytest.param("POST", "/v1/logs", {}, (415, 3), id="no-content-type"),
        pytest.param("POST", "/v1/logs", {"Content-Type": "text/plain"}, (415, 3), id="text"),
        pytest.param("POST", "/v1/logs", {"Content-Type": "application/grpc"}, (415, 3), id="grpc"),
        pytest.param(
            "POST", "/v1/logs", {"Content-Type": PROTOBUF, "Content-Encoding": "br"}, (415, 3), id="unknown-coding"
        ),
        pytest.param(
            "POST",
            "/v1/logs",
            {"Content-Type": PROTOBUF, "Content-Encoding": "gzip, gzip"},
            (415, 3),
            id="stacked-coding",
        ),
        pytest.param("GET", "/v1/logs", {"Content-Type": PROTOBUF}, (405, 12), id="get"),
        pytest.param("PATCH", "/v1/logs", {"Content-Type": PROTOBUF}, (405, 12), id="patch"),
        pytest.param("POST", "/v1/traces", {"Content-Type": PROTOBUF}, (404, 12), id="traces"),
        pytest.param("POST", "/v1/logs/", {"Content-Type": PROTOBUF}, (404, 12), id="slash"),
        pytest.param(
            "POST", "/v1/logs", {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}, (400, 3), id="not-gzip"
        ),
        pytest.param("POST", "/v1/logs", {"Content-Type": JSON}, (400, 3), id="not-json"),
    ],
)
def test_permanent_refusals(shared, method, path, headers, expected):
    """Every 4xx has a google.rpc.Status as its body, in the request's type, and counts as refused."""
    status, code = expected
    before = shared.refused().get(str(status), 0)

    answer = send(shared, b"\x01\x02", headers, method=method, path=path)

    assert status == answer.status
    if headers.get("Content-Type") == JSON:
        assert (JSON, code) == (answer.headers["content-type"], answer.json()["code"])
    else:
        assert (PROTOBUF, code) == (answer.headers["content-type"], answer.rpc_status().code)
        assert answer.rpc_status().message
    assert before + 1 == shared.refused()[str(status)]
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    ("status", "method", "header", "expected"),
    [
        pytest.param(405, "GET", "allow", "POST", id="allow"),
        pytest.param(415, "POST", "accept-encoding", "gzip, deflate, zstd, identity", id="accept-encoding"),
        pytest.param(415, "POST", "accept-post", f"{PROTOBUF}, {JSON}", id="accept-post"),
    ],
)
def test_refusals_say_what_would_be_right(shared, status, method, header, expected):
    """405 and 415 name what is accepted."""
    answer = send(shared, b"x", {}, method=method)

    assert (status, expected) == (answer.status, answer.headers[header])


def test_bad_data_names_the_field(shared):
    """400 carries BadRequest details with the field's path, in JSON too."""
    in_json = post(shared, json_of({"traceId": "no"}), JSON).json()
    violation = BadRequest()
    post(shared, b"\x0a\xff").rpc_status().details[0].Unpack(violation)

    assert in_json["details"][0]["fieldViolations"][0]["field"] == "resourceLogs[0].scopeLogs[0].logRecords[0].traceId"
    assert violation.field_violations[0].description == "not a protobuf ExportLogsServiceRequest"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="deep-array"),
        pytest.param(b'{"resourceLogs":' * 60_000, id="deep-object"),
        pytest.param(b'{"resourceLogs":[' + b"9" * 100_000 + b"]}", id="huge-integer"),
        pytest.param(b'{"resourceLogs":"\xff"}', id="invalid-utf-8"),
        pytest.param(b'{"resourceLogs":"\\udc00"}', id="lone-surrogate"),
    ],
)
def test_hostile_json(shared, body):
    """400 with a Status, and the receiver goes on."""
    answer = post(shared, body, JSON)

    assert (answer.status, answer.json()["code"]) == (400, 3)
    assert post(shared, b"").status == 200


def test_partial_success_is_never_4xx(shared):
    """One bad record among good ones: 200, how many were rejected, and why."""
    body = json_of({"body": {"stringValue": "good one"}}, {"spanId": "bad"})
    before = shared.received()

    answer = post(shared, body, JSON)

    assert (answer.status, answer.json()["partialSuccess"]["rejectedLogRecords"]) == (200, "1")
    assert "spanId" in answer.json()["partialSuccess"]["errorMessage"]
    assert "good one" in shared.intake.texts()
    assert (before + 2, 1) == (shared.received(), shared.drops()["undecodable"])


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(bytes(MIB + 1), {}, id="identity"),
        pytest.param(gzip.compress(bytes(MIB + 1)), {"Content-Encoding": "gzip"}, id="gzip"),
        pytest.param([bytes(MIB), b"x"], {}, id="chunked"),
    ],
)
def test_too_large(shared, body, headers):
    """413 beyond the limit, which holds after decompression."""
    answer = send(shared, body, {"Content-Type": PROTOBUF} | headers)

    assert (answer.status, answer.rpc_status().code) == (413, 8)


def test_declared_too_large(shared):
    """A Content-Length beyond the limit is refused before the body arrives."""
    host, _, port = shared.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_S) as client:
        client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        client.sendall(b"Content-Length: 99999999999\r\n\r\n")

        assert client.recv(12) == b"HTTP/1.1 413"


def test_gzip_bomb_stays_small(shared):
    """200 MiB of zeros, 200 kB on the wire: 413, and memory does not follow."""
    compressor = zlib.compressobj(wbits=31)
    bomb = b"".join(compressor.compress(bytes(MIB)) for _ in range(200)) + compressor.flush()
    Path("/proc/self/clear_refs").write_text("5")  # restarts the peak of the resident set
    before = resident("VmRSS")

    answer = post(shared, bomb, Content_Encoding="gzip")

    assert answer.status == 413
    assert resident("VmHWM") - before < 32 * MIB


def resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def test_chunked_gzip_without_content_length(shared):
    """What the JavaScript SDK sends."""
    body = gzip.compress(body_of("chunked line"))
    chunks = [body[i : i + 7] for i in range(0, len(body), 7)]

    answer = send(shared, chunks, {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"})

    assert (answer.status, "chunked line" in shared.intake.texts()) == (200, True)


def test_peer_is_the_origin(shared):
    """The origin is the peer's address without its port, whatever X-Forwarded-For says."""
    post(shared, body_of("from a peer"), X_Forwarded_For="192.0.2.9")

    record = next(r for b in shared.intake.batches for r in b.items if r.text == "from a peer")
    assert (record.origin.kind, record.origin.source) == ("otlp", "127.0.0.1")


def test_full_intake(rig):
    """503 with Retry-After and RetryInfo; nothing counts as received, and a resend is taken."""
    rig.intake.outcome = "full"
    answer = post(rig, body_of("a"))
    info = RetryInfo()
    answer.rpc_status().details[0].Unpack(info)

    assert (answer.status, answer.headers["retry-after"], answer.rpc_status().code) == (503, "3", 14)
    assert (info.retry_delay.seconds, info.retry_delay.nanos) == (2, 500_000_000)
    assert (rig.received(), rig.refused()) == (0, {"503": 1})

    rig.intake.outcome = "stored"
    assert (post(rig, body_of("a")).status, rig.received()) == (200, 1)


@pytest.mark.parametrize("failure", [SinkUnavailable("store", "disk full"), RuntimeError("bug")], ids=repr)
def test_failed_batch_is_tried_again(rig, failure):
    """503, never 500; the failed body is forgotten, so that its resend is stored."""
    rig.intake.outcome = failure
    assert post(rig, body_of("a")).status == 503

    rig.intake.outcome = "stored"
    assert post(rig, body_of("a")).status == 200
    assert (len(rig.intake.batches), rig.drops()) == (2, {})


def test_crash_in_the_handler_is_503(rig):
    """A bug of ours is retryable, is counted, and its text is not shown."""
    rig.intake.offer = None

    answer = post(rig, body_of("a"))

    assert (answer.status, answer.rpc_status().message) == (503, "not stored: TypeError")
    assert rig.telemetry.value("why401.errors", stage="otlp_http", kind="TypeError") == 1


def test_cancelled_batch_is_503(rig):
    """A batch whose future was cancelled is retryable."""
    rig.intake.outcome = "held"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, rig, body_of("a"))
        eventually(lambda: len(rig.intake.batches) == 1, "the request is taken")
        rig.intake.batches[0].done.cancel()

        assert waiting.result(HANG_S).status == 503


def test_slow_acknowledgement():
    """503 when the batch is not durable in time; the resend after its commit is answered and not queued again."""
    with running(OtlpHttpSource, ack_timeout_seconds=0.2) as rig:
        rig.intake.outcome = "held"
        slow = post(rig, body_of("a", "b"))
        rig.intake.batches[0].done.set_result(None)
        again = post(rig, body_of("a", "b"))

        assert (slow.status, slow.headers["retry-after"], again.status) == (503, "1", 200)
        assert (len(rig.intake.batches), rig.received(), rig.drops()) == (1, 4, {"replayed": 2})


def test_resend_in_flight_waits_for_the_same_batch(rig):
    """Two equal requests at once are one batch and two successes."""
    rig.intake.outcome = "held"
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(post, rig, body_of("a"))
        eventually(lambda: len(rig.intake.batches) == 1, "the request is taken")
        second = pool.submit(post, rig, gzip.compress(body_of("a")), Content_Encoding="gzip")
        rig.intake.batches[0].done.set_result(None)

        assert [first.result(HANG_S).status, second.result(HANG_S).status] == [200, 200]
    assert (len(rig.intake.batches), rig.drops()) == (1, {"replayed": 1})


def test_replay_repeats_the_partial_success(rig):
    """A resend gets the answer that the first request would have got."""
    body = json_of({"body": {"stringValue": "a"}}, {"spanId": "bad"})

    assert post(rig, body, JSON).json() == post(rig, body, JSON).json()
    assert (rig.received(), rig.drops()) == (4, {"undecodable": 1, "replayed": 2})


def test_hundreds_wait_at_once(rig):
    """Three hundred requests wait for their commit without a thread each, and the receiver still answers others."""
    rig.intake.outcome = "held"
    before = threading.active_count()
    with concurrent.futures.ThreadPoolExecutor(300) as pool:
        waiting = [pool.submit(post, rig, body_of(str(n))) for n in range(300)]
        eventually(lambda: len(rig.intake.batches) == 300, "every request is taken")
        assert threading.active_count() <= before + 300 + 2
        assert post(rig, b"").status == 200
        for batch in rig.intake.batches:
            batch.done.set_result(None)

        assert {200} == {answer.result(HANG_S).status for answer in waiting}


def test_stop_answers_who_waits():
    """Stopping ends waiting requests with 503 instead of a broken connection."""
    with running(OtlpHttpSource, ack_timeout_seconds=60) as rig, concurrent.futures.ThreadPoolExecutor(1) as pool:
        rig.intake.outcome = "held"
        waiting = pool.submit(post, rig, body_of("a"))
        eventually(lambda: len(rig.intake.batches) == 1, "the request is taken")
        rig.stop.set()

        assert waiting.result(HANG_S).status == 503


def test_slow_body_is_503(monkeypatch):
    """A body that does not arrive is given up with a retryable answer."""
    monkeypatch.setattr(http_source, "READ_TIMEOUT_S", 0.2)
    with running(OtlpHttpSource) as rig:
        host, _, port = rig.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=HANG_S) as client:
            client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
            client.sendall(b"Content-Length: 10\r\n\r\n{")

            assert client.recv(12) == b"HTTP/1.1 503"


def test_client_that_leaves(shared):
    """A connection closed in the middle of a body stops nothing and stores nothing."""
    host, _, port = shared.address.rpartition(":")
    before = len(shared.intake.batches)
    with socket.create_connection((host, int(port)), timeout=HANG_S) as client:
        client.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        client.sendall(b"Content-Length: 10\r\n\r\n{")

    assert (200, before) == (post(shared, b"").status, len(shared.intake.batches))


def test_bytes_of_all_requests_are_bounded(shared, monkeypatch):
    """When undecoded bodies hold too much together, the next one is told to wait."""
    monkeypatch.setattr("collector.sources.otlp.receiver.HELD_BODIES", 0)
    with running(OtlpHttpSource) as rig:
        assert (post(rig, body_of("a")).status, post(rig, b"").status) == (503, 200)


def test_waiting_requests_are_bounded(monkeypatch):
    """Beyond the limit of waiting requests the next one is told to wait."""
    monkeypatch.setattr("collector.sources.otlp.receiver.MAX_WAITING", 0)
    with running(OtlpHttpSource) as rig:
        assert (post(rig, b"").status, rig.refused()) == (503, {"503": 1})


@pytest.mark.parametrize("address", ["0.0.0.0:4318", "[::]:4318", "gateway.example:4318", "192.0.2.1:4318"])
def test_public_address_is_refused(address):
    """Raw logs hold credentials: a bind that others reach needs to be asked for."""
    with pytest.raises(ConfigurationError) as caught:
        OtlpHttpSource(OtlpSettings(http=address), Telemetry())

    assert ("otlp.http", address) == (caught.value.key, caught.value.value)


def test_ipv6():
    """An IPv6 address keeps its brackets, and its peers lose them."""
    with running(OtlpHttpSource, http="[::1]:0") as rig:
        assert post(rig, body_of("a")).status == 200
        assert (rig.address[:6], rig.intake.batches[0].items[0].origin.source) == ("[::1]:", "::1")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", "[::1]:0", "127.8.8.8:1"])
def test_loopback_address_is_accepted(address):
    """Loopback in every spelling needs no permission."""
    assert address == OtlpHttpSource(OtlpSettings(http=address), Telemetry()).address


def test_public_address_on_request():
    """`insecure` allows any address."""
    assert OtlpHttpSource(OtlpSettings(http="0.0.0.0:0"), Telemetry(), insecure=True).address == "0.0.0.0:0"


def test_address_in_use(shared):
    """A taken port is a configuration error that names the setting."""
    second = OtlpHttpSource(OtlpSettings(http=shared.address), Telemetry())

    with pytest.raises(ConfigurationError, match=r"otlp\.http"):
        second.run(shared.intake, threading.Event())
