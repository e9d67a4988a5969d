"""A served OTLP source, an intake that a test steers, and plain HTTP clients."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.errors import Backpressure
from collector.events import Origin
from collector.records import Batch, RawRecord
from collector.settings import OtlpSettings
from collector.sources.otlp.grpc_source import OtlpGrpcSource
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.sources.otlp.receiver import Harvest
from collector.telemetry import Telemetry
from tests.waiting import HANG_S

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


class SteeredIntake:
    """Takes batches; `outcome` decides what becomes of the next ones: stored, held, full or an exception."""

    def __init__(self) -> None:
        self.outcome: str | Exception = "stored"
        self.batches: list[Batch[RawRecord]] = []

    def offer(self, batch: Batch[Any], *, timeout_s: float) -> None:
        if self.outcome == "full":
            raise Backpressure(retry_after_s=2.5)
        self.batches.append(batch)
        if self.outcome == "stored":
            batch.done.set_result(None)
        elif isinstance(self.outcome, Exception):
            batch.done.set_exception(self.outcome)

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        return {}

    def texts(self) -> list[str]:
        return [record.text for batch in self.batches for record in batch.items]


@dataclass
class Rig:
    """One running source."""

    source: OtlpHttpSource | OtlpGrpcSource
    intake: SteeredIntake
    telemetry: Telemetry
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return self.source.address

    def drops(self) -> dict[str, int]:
        return self.telemetry.by("why401.records.dropped", "reason")

    def received(self) -> int:
        return int(self.telemetry.value("why401.records.received"))

    def refused(self) -> dict[str, int]:
        return self.telemetry.by("why401.requests.refused", "status")


@contextmanager
def running(kind: type[OtlpHttpSource | OtlpGrpcSource], **settings: Any) -> Iterator[Rig]:
    """The source on a free port of loopback, stopped and joined at the end."""
    values = {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0", "max_body_mib": 1} | settings
    telemetry = Telemetry()
    rig = Rig(kind(OtlpSettings(**values), telemetry), SteeredIntake(), telemetry)
    thread = threading.Thread(target=rig.source.run, args=(rig.intake, rig.stop))
    thread.start()
    try:
        assert rig.source.ready.wait(HANG_S)
        yield rig
    finally:
        rig.stop.set()
        thread.join(HANG_S)
        assert not thread.is_alive()


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def rpc_status(self) -> Status:
        """The Status of an error answer in protobuf."""
        return Status.FromString(self.body)

    def json(self) -> Any:
        return orjson.loads(self.body)


def send(rig: Rig, body: Any, headers: Mapping[str, str], *, method: str = "POST", path: str = "/v1/logs") -> Answer:
    """One request; an iterable body goes out in chunks, without Content-Length."""
    connection = http.client.HTTPConnection(rig.address, timeout=HANG_S)
    try:
        chunked = not isinstance(body, (bytes, str))
        connection.request(method, path, body=body, headers=dict(headers), encode_chunked=chunked)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def post(rig: Rig, body: bytes, content_type: str = PROTOBUF, **headers: str) -> Answer:
    """POST /v1/logs; keyword names become header names."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(rig, body, {"Content-Type": content_type} | named)


def request_of(*records: LogRecord, **resource: str) -> ExportLogsServiceRequest:
    """The records under one resource and scope."""
    attributes = [KeyValue(key=k, value=AnyValue(string_value=v)) for k, v in resource.items()]
    scope = ScopeLogs(log_records=records)
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=Resource(attributes=attributes), scope_logs=[scope])]
    )


def line(text: str, **fields: Any) -> LogRecord:
    """A log record whose body is a text."""
    return LogRecord(body=AnyValue(string_value=text), **fields)


def body_of(*texts: str) -> bytes:
    """A protobuf request with these lines."""
    return request_of(*map(line, texts)).SerializeToString()


def json_of(*records: Any) -> bytes:
    """A JSON request with these records under one scope."""
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}).encode()


def fresh_harvest() -> Harvest:
    """What a decoder fills."""
    return Harvest(Origin("otlp", source="192.0.2.1"), "envoy", 7)
