"""OTLP/protobuf requests → raw records, one LogRecord decoded at a time.

The envelope (ResourceLogs, ScopeLogs) is walked by hand: two bytes on the wire make a message of fifty in memory, so
decoding a whole request of 64 MiB could take gigabytes before anything is counted. Field numbers:
opentelemetry-proto logs/v1/logs.proto and collector/logs/v1/logs_service.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.records import RawRecord
from collector.sources.otlp.protobuf_walk import Span, Walk, record_at
from collector.sources.otlp.receiver import MAX_DEPTH, MAX_RECORD_BYTES, Harvest, Refusal, Refused

_INT64_MAX: Final = (1 << 63) - 1
_REQUEST_RESOURCE_LOGS: Final = 1
_RESOURCE_LOGS_RESOURCE: Final = 1
_RESOURCE_LOGS_SCOPE_LOGS: Final = 2
_SCOPE_LOGS_LOG_RECORDS: Final = 2
EVENT_NAME: Final = "event.name"  # the attribute that named an event before log records had a field for it


def decode(body: bytes, harvest: Harvest) -> None:
    """Harvest an ExportLogsServiceRequest. Raises Refused when the envelope cannot be decoded."""
    walk = Walk(body, "ExportLogsServiceRequest")
    for n, resource_logs in enumerate(walk.fields((0, len(body)), _REQUEST_RESOURCE_LOGS)):
        _resource_logs(walk, resource_logs, harvest, f"resourceLogs[{n}]")


def _resource_logs(walk: Walk, span: Span, harvest: Harvest, where: str) -> None:
    scopes = list(walk.fields(span, _RESOURCE_LOGS_SCOPE_LOGS))
    if not scopes:
        return
    resource = _resource(walk, span, where)
    for n, scope in enumerate(scopes):
        for m, record in enumerate(walk.fields(scope, _SCOPE_LOGS_LOG_RECORDS)):
            harvest.make_room()
            try:
                harvest.records.append(_record(walk.body, record, resource, harvest))
            except Refused as refused:
                harvest.reject(refused, f"{where}.scopeLogs[{n}].logRecords[{m}]")


def _resource(walk: Walk, span: Span, where: str) -> dict[str, Any]:
    # A singular field that comes twice is merged, and concatenation is protobuf's merge.
    encoded = b"".join(walk.body[start:stop] for start, stop in walk.fields(span, _RESOURCE_LOGS_RESOURCE))
    if len(encoded) > MAX_RECORD_BYTES:
        raise Refused(Refusal.TOO_LARGE, f"the resource is larger than {MAX_RECORD_BYTES} bytes", where=where)
    try:
        return _Values().attributes(Resource.FromString(encoded).attributes, 1)
    except DecodeError:
        raise Refused(Refusal.BAD_DATA, "not a protobuf Resource", where=where) from None


def _record(body: bytes, span: Span, resource: dict[str, Any], harvest: Harvest) -> RawRecord:
    record: LogRecord = record_at(body, span, LogRecord)
    values = _Values()
    text, fields = body_parts(values.plain(record.body, 1))
    attributes = values.attributes(record.attributes, 1)
    if record.event_name:
        attributes[EVENT_NAME] = record.event_name
    harvest.values += values.count
    return RawRecord(
        origin=harvest.origin,
        observed_ns=harvest.observed_ns,
        text=text,
        fields=fields,
        attributes=attributes,
        resource=resource,
        time_ns=first_time(record.time_unix_nano, record.observed_time_unix_nano),
        trace_id=trace_id_text(record.trace_id),
        span_id=span_id_text(record.span_id),
        gateway=harvest.gateway,
    )


class _Values:
    """AnyValues of one record or resource → plain values, counted."""

    def __init__(self) -> None:
        self.count = 0

    def attributes(self, pairs: Sequence[KeyValue], depth: int) -> dict[str, Any]:
        """KeyValues as a dict."""
        self.count += len(pairs)
        return {pair.key: self.plain(pair.value, depth) for pair in pairs}

    def plain(self, value: AnyValue, depth: int) -> Any:
        """One AnyValue; one without a kind is None."""
        kind = value.WhichOneof("value")
        if kind == "string_value":
            return value.string_value
        if kind in ("int_value", "bool_value", "double_value"):
            return getattr(value, kind)
        if kind == "bytes_value":
            return bytes_text(value.bytes_value)
        if kind == "array_value":
            check_depth(depth)
            self.count += len(value.array_value.values)
            return [self.plain(item, depth + 1) for item in value.array_value.values]
        if kind == "kvlist_value":
            check_depth(depth)
            return self.attributes(value.kvlist_value.values, depth + 1)
        return None


def check_depth(depth: int) -> None:
    """Raises Refused when a value at `depth` may not hold others."""
    if depth >= MAX_DEPTH:
        raise Refused(Refusal.BAD_DATA, f"values nested deeper than {MAX_DEPTH}")


def bytes_text(value: bytes) -> str:
    """Bytes as text: Base64 would hide a credential from every later stage."""
    return value.decode("utf-8", errors="replace")


def body_parts(value: Any) -> tuple[str, dict[str, Any] | None]:
    """A log body as a record's (text, fields)."""
    if isinstance(value, dict):
        return "", value
    if isinstance(value, str):
        return value, None
    if value is None:
        return "", None
    return orjson.dumps(value).decode(), None


def first_time(*nanoseconds: int) -> int:
    """The first time that is set and fits a signed 64-bit integer, else 0."""
    return next((ns for ns in nanoseconds if 0 < ns <= _INT64_MAX), 0)


def trace_id_text(trace_id: bytes) -> str:
    """32 lower-case hex digits, or "" for an id that OpenTelemetry calls invalid."""
    return trace_id.hex() if len(trace_id) == 16 and any(trace_id) else ""


def span_id_text(span_id: bytes) -> str:
    """16 lower-case hex digits, or "" for an id that OpenTelemetry calls invalid."""
    return span_id.hex() if len(span_id) == 8 and any(span_id) else ""
