"""The real OpenTelemetry SDK against both receivers."""

from __future__ import annotations

import logging

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from collector.sources.otlp.grpc_source import OtlpGrpcSource
from collector.sources.otlp.http_source import OtlpHttpSource
from tests.collector.sources.access_rig import GOOD, Pki, bearer, token_file
from tests.collector.sources.otlp.rig import Rig, running
from tests.waiting import eventually


def http_exporter(rig: Rig, compression: Compression) -> HttpExporter:
    return HttpExporter(endpoint=f"http://{rig.address}/v1/logs", compression=compression)


CLIENTS = [
    pytest.param(OtlpHttpSource, lambda rig: http_exporter(rig, Compression.NoCompression), id="http"),
    pytest.param(OtlpHttpSource, lambda rig: http_exporter(rig, Compression.Gzip), id="http-gzip"),
    pytest.param(OtlpHttpSource, lambda rig: http_exporter(rig, Compression.Deflate), id="http-deflate"),
    pytest.param(OtlpGrpcSource, lambda rig: GrpcExporter(endpoint=rig.address, insecure=True), id="grpc"),
]


def provider_of(exporter) -> LoggerProvider:
    provider = LoggerProvider(resource=Resource.create({"service.name": "edge"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=100))
    return provider


def emit(provider: LoggerProvider, text: str) -> None:
    from opentelemetry._logs import LogRecord

    record = LogRecord(timestamp=5, body=text, attributes={"http.response.status_code": 401, "nested": {"a": [1, "b"]}})
    provider.get_logger("test").emit(record)


@pytest.mark.parametrize(("kind", "exporter"), CLIENTS)
def test_sent_is_received(kind, exporter):
    """Every record that the SDK sends arrives once, with its attributes and resource."""
    with running(kind) as rig:
        provider = provider_of(exporter(rig))
        for n in range(1000):
            emit(provider, f"line {n}")
        provider.shutdown()

        assert [f"line {n}" for n in range(1000)] == rig.intake.texts()
        record = rig.intake.batches[0].items[0]
        assert record.attributes == {"http.response.status_code": 401, "nested": {"a": [1, "b"]}}
        assert (record.resource["service.name"], record.time_ns) == ("edge", 5)
        assert (rig.received(), rig.drops(), rig.refused()) == (1000, {}, {})


@pytest.mark.parametrize(("kind", "exporter"), CLIENTS[-2:])
def test_resend_until_there_is_room(kind, exporter, caplog):
    """An SDK that is told to wait sends again, and its records are stored once."""
    caplog.set_level(logging.CRITICAL)
    with running(kind) as rig:
        rig.intake.outcome = "full"
        provider = provider_of(exporter(rig))
        emit(provider, "patience")
        eventually(lambda: rig.telemetry.value("why401.requests.refused") >= 1, "a refusal")
        rig.intake.outcome = "stored"
        eventually(lambda: rig.intake.texts() == ["patience"], "the record that was sent again")
        provider.shutdown()

        assert (rig.received(), rig.drops()) == (1, {})


def secure_http(rig: Rig, pki: Pki) -> HttpExporter:
    ca = str(pki.folder / "ca.pem")
    return HttpExporter(endpoint=f"https://{rig.address}/v1/logs", certificate_file=ca, headers=bearer(GOOD))


def secure_grpc(rig: Rig, pki: Pki) -> GrpcExporter:
    credentials = grpc.ssl_channel_credentials((pki.folder / "ca.pem").read_bytes())
    endpoint = "https://" + rig.address.replace("127.0.0.1", "localhost")
    return GrpcExporter(endpoint=endpoint, credentials=credentials, headers=(("authorization", f"Bearer {GOOD}"),))


@pytest.mark.parametrize(
    ("kind", "exporter"),
    [pytest.param(OtlpHttpSource, secure_http, id="http"), pytest.param(OtlpGrpcSource, secure_grpc, id="grpc")],
)
def test_sent_is_received_over_tls_with_a_token(tmp_path, monkeypatch, kind, exporter):
    """The SDK's own settings are enough to come in."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests puts them above the exporter's certificate_file
        monkeypatch.delenv(name, raising=False)
    pki = Pki.make(tmp_path / "pki")
    with running(kind, **pki.settings, token_file=token_file(tmp_path, f"edge {GOOD}")) as rig:
        provider = provider_of(exporter(rig, pki))
        emit(provider, "safe")
        provider.shutdown()

        assert ["safe"] == rig.intake.texts()
