"""OTLP/gRPC: the specification's rules for servers, against the running receiver."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector.errors import ConfigurationError, SinkUnavailable
from collector.settings import OtlpSettings
from collector.sources.otlp.grpc_source import OtlpGrpcSource
from collector.telemetry import Telemetry
from tests.collector.sources.otlp.rig import HANG_S, Rig, body_of, line, request_of, running
from tests.waiting import eventually

MIB = 1 << 20
EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
GZIP, DEFLATE = grpc.Compression.Gzip, grpc.Compression.Deflate


@pytest.fixture(scope="module")
def shared():
    """One receiver for all the tests that leave its intake at "stored"."""
    with running(OtlpGrpcSource) as rig:
        yield rig


@pytest.fixture
def rig():
    """A receiver of the test's own."""
    with running(OtlpGrpcSource, ack_timeout_seconds=30) as rig:
        yield rig


@contextmanager
def exporting(rig: Rig, method: str = EXPORT) -> Iterator[grpc.UnaryUnaryMultiCallable]:
    """A call that takes encoded requests."""
    with grpc.insecure_channel(rig.address) as channel:
        yield channel.unary_unary(method, bytes, ExportLogsServiceResponse.FromString)


def export(rig: Rig, body: bytes, method: str = EXPORT, **options: object) -> ExportLogsServiceResponse:
    with exporting(rig, method) as call:
        return call(body, timeout=HANG_S, **options)


def refusal(rig: Rig, body: bytes, **options: object) -> tuple[grpc.StatusCode, Status]:
    """The code and the google.rpc.Status of a refused request."""
    with pytest.raises(grpc.RpcError) as caught:
        export(rig, body, **options)
    details = dict(caught.value.trailing_metadata()).get("grpc-status-details-bin", b"")
    return caught.value.code(), Status.FromString(details)


def retry_delay(status: Status) -> float | None:
    for detail in status.details:
        info = RetryInfo()
        if detail.Unpack(info):
            return info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return None


@pytest.mark.parametrize("compression", [None, GZIP, DEFLATE], ids=["none", "gzip", "deflate"])
def test_success(shared, compression):
    """Every compression is read, and partial_success is unset."""
    response = export(shared, body_of(f"by {compression}"), compression=compression)

    assert not response.HasField("partial_success")
    assert f"by {compression}" in shared.intake.texts()


def test_empty_request(shared):
    """An empty request is a success and offers nothing to the intake."""
    before = len(shared.intake.batches)

    assert ExportLogsServiceResponse() == export(shared, b"")
    assert before == len(shared.intake.batches)


def test_bad_data(shared):
    """INVALID_ARGUMENT with BadRequest details and without RetryInfo."""
    code, status = refusal(shared, b"\x0a\xff")
    violation = BadRequest()
    status.details[0].Unpack(violation)

    assert (code, status.code, retry_delay(status)) == (grpc.StatusCode.INVALID_ARGUMENT, 3, None)
    assert violation.field_violations[0].description == "not a protobuf ExportLogsServiceRequest"
    assert shared.refused()["INVALID_ARGUMENT"] >= 1


def test_partial_success(shared):
    """A record that cannot be decoded is rejected alone."""
    good = request_of(line("good one")).resource_logs[0].scope_logs[0]
    scope = good.SerializeToString() + b"\x12\x01\xff"
    body = b"\x0a" + bytes([len(scope) + 2]) + b"\x12" + bytes([len(scope)]) + scope

    response = export(shared, body)

    assert response.partial_success.rejected_log_records == 1
    assert "logRecords[1]: not a protobuf LogRecord" in response.partial_success.error_message
    assert "good one" in shared.intake.texts()


@pytest.mark.parametrize("compression", [None, GZIP, DEFLATE], ids=["none", "gzip", "deflate"])
def test_too_large(shared, compression):
    """RESOURCE_EXHAUSTED without RetryInfo beyond the limit, which holds after decompression."""
    code, status = refusal(shared, bytes(MIB + 1), compression=compression)

    assert (code, retry_delay(status)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, None)


@pytest.mark.parametrize("compression", [GZIP, DEFLATE], ids=["gzip", "deflate"])
def test_too_large_after_decompression(rig, compression):
    """The receiver itself inflates and refuses: the answer has a Status and is counted."""
    status = refusal(rig, bytes(MIB + 1), compression=compression)[1]

    assert (status.code, rig.refused()) == (8, {"RESOURCE_EXHAUSTED": 1})


def test_bomb_stays_small(shared):
    """200 MiB of zeros behind gzip are not inflated."""
    with exporting(shared) as call:
        body = bytes(200 * MIB)
        Path("/proc/self/clear_refs").write_text("5")  # restarts the peak of the resident set
        before = resident("VmRSS")
        with pytest.raises(grpc.RpcError) as caught:
            call(body, timeout=HANG_S, compression=GZIP)

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    # The client in this process copies the body once.
    assert resident("VmHWM") - before < 232 * MIB


def resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) * 1024 for row in lines if row.startswith(name))


def test_other_services(shared):
    """Traces are UNIMPLEMENTED."""
    with pytest.raises(grpc.RpcError) as caught:
        export(shared, b"", "/opentelemetry.proto.collector.trace.v1.TraceService/Export")

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_service_name():
    """The service is the one of opentelemetry-proto."""
    assert f"/{logs_service_pb2.DESCRIPTOR.services_by_name['LogsService'].full_name}/Export" == EXPORT


def test_peer_is_the_origin(shared):
    """The origin is the peer's address without its port."""
    export(shared, body_of("from a peer"))

    record = next(r for b in shared.intake.batches for r in b.items if r.text == "from a peer")
    assert (record.origin.kind, record.origin.source) == ("otlp", "127.0.0.1")


def test_full_intake(rig):
    """UNAVAILABLE with the intake's RetryInfo; nothing counts as received, and a resend is taken."""
    rig.intake.outcome = "full"
    code, status = refusal(rig, body_of("a"))

    assert (code, retry_delay(status)) == (grpc.StatusCode.UNAVAILABLE, 2.5)
    assert (rig.received(), rig.refused()) == (0, {"UNAVAILABLE": 1})

    rig.intake.outcome = "stored"
    export(rig, body_of("a"))
    assert rig.telemetry.value("why401.records.received", source="otlp_grpc") == 1


@pytest.mark.parametrize("failure", [SinkUnavailable("store", "disk full"), RuntimeError("bug")], ids=repr)
def test_failed_batch_is_tried_again(rig, failure):
    """UNAVAILABLE; the failed body is forgotten, so that its resend is stored."""
    rig.intake.outcome = failure
    assert grpc.StatusCode.UNAVAILABLE is refusal(rig, body_of("a"))[0]

    rig.intake.outcome = "stored"
    export(rig, body_of("a"))
    assert (len(rig.intake.batches), rig.drops()) == (2, {})


def test_crash_in_the_handler(rig):
    """A bug of ours is retryable and counted."""
    rig.intake.offer = None

    assert grpc.StatusCode.UNAVAILABLE is refusal(rig, body_of("a"))[0]
    assert rig.telemetry.value("why401.errors", stage="otlp_grpc", kind="TypeError") == 1


def test_slow_acknowledgement():
    """UNAVAILABLE when the batch is not durable in time; the resend after its commit is not queued again."""
    with running(OtlpGrpcSource, ack_timeout_seconds=0.2) as rig:
        rig.intake.outcome = "held"
        code, status = refusal(rig, body_of("a"))
        rig.intake.batches[0].done.set_result(None)
        export(rig, body_of("a"), compression=GZIP)

        assert (code, retry_delay(status)) == (grpc.StatusCode.UNAVAILABLE, 1.0)
        assert (len(rig.intake.batches), rig.received(), rig.drops()) == (1, 2, {"replayed": 1})


def test_hundreds_wait_at_once(rig):
    """Three hundred calls of one connection wait for their commit, and the receiver still answers others."""
    rig.intake.outcome = "held"
    before = threading.active_count()
    with exporting(rig) as call:
        waiting = [call.future(body_of(str(n)), timeout=HANG_S) for n in range(300)]
        eventually(lambda: len(rig.intake.batches) == 300, "every request is taken")
        assert threading.active_count() < before + 50
        assert ExportLogsServiceResponse() == call(b"", timeout=HANG_S)
        for batch in rig.intake.batches:
            batch.done.set_result(None)

        assert [ExportLogsServiceResponse()] * 300 == [answer.result(HANG_S) for answer in waiting]


def test_stop_answers_who_waits():
    """Stopping ends waiting calls with UNAVAILABLE."""
    with running(OtlpGrpcSource, ack_timeout_seconds=60) as rig, concurrent.futures.ThreadPoolExecutor(1) as pool:
        rig.intake.outcome = "held"
        waiting = pool.submit(refusal, rig, body_of("a"))
        eventually(lambda: len(rig.intake.batches) == 1, "the request is taken")
        rig.stop.set()

        assert grpc.StatusCode.UNAVAILABLE is waiting.result(HANG_S)[0]


def test_public_address_is_refused():
    """A bind that others reach needs to be asked for."""
    with pytest.raises(ConfigurationError, match=r"otlp\.grpc"):
        OtlpGrpcSource(OtlpSettings(grpc="0.0.0.0:4317"), Telemetry())


def test_address_in_use(shared):
    """A taken port is a configuration error, not a silently shared one."""
    second = OtlpGrpcSource(OtlpSettings(grpc=shared.address), Telemetry())

    with (
        concurrent.futures.ThreadPoolExecutor(1) as pool,
        pytest.raises(ConfigurationError, match=r"otlp\.grpc"),
    ):  # as sources run
        pool.submit(second.run, shared.intake, threading.Event()).result(HANG_S)
