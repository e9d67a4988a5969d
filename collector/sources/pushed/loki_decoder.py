"""Loki's PushRequest, protobuf or JSON → raw records: labels are the resource, structured metadata the attributes of a record.

grafana/loki pkg/push/push.proto, and "Ingest logs" of its HTTP API. The messages of an entry are described here, for the
generated ones exist only in Go; the envelope is walked, as OTLP's is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from collector.gateways.reading.times import any_ns
from collector.records import RawRecord
from collector.shippers import WRAPPED, envelopes
from collector.sources.otlp.protobuf_decoder import first_time
from collector.sources.otlp.protobuf_walk import Span, Walk, record_at
from collector.sources.otlp.receiver import MAX_RECORD_BYTES, Harvest, Refusal, Refused
from collector.sources.pushed import counted_json, stream_labels

_REQUEST_STREAMS: Final = 1
_STREAM_LABELS: Final = 1
_STREAM_ENTRIES: Final = 2
_SECOND_NS: Final = 1_000_000_000
_MAX_SECONDS: Final = 1 << 40
_TRACE_IDS: Final = ("trace_id", "traceID", "traceid", "TraceId")
_HEX: Final = frozenset("0123456789abcdef")
_TRACE_CHARS: Final = 32


def _entry_class() -> Any:
    """The class of EntryAdapter with what it is made of: fields as (name, number, type, is repeated, message)."""
    field = descriptor_pb2.FieldDescriptorProto
    messages: Mapping[str, Iterable[tuple[str, int, Any, bool, str]]] = {
        "Timestamp": (("seconds", 1, field.TYPE_INT64, False, ""), ("nanos", 2, field.TYPE_INT32, False, "")),
        "Label": (("name", 1, field.TYPE_BYTES, False, ""), ("value", 2, field.TYPE_BYTES, False, "")),
        "Entry": (
            ("timestamp", 1, field.TYPE_MESSAGE, False, "Timestamp"),
            ("line", 2, field.TYPE_BYTES, False, ""),  # bytes on the wire are the same, and logs are not always UTF-8
            ("metadata", 3, field.TYPE_MESSAGE, True, "Label"),
        ),
    }
    file = descriptor_pb2.FileDescriptorProto(name="why401/loki_entry.proto", package="why401.loki", syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for of, number, kind, is_repeated, message_name in fields:
            label = field.LABEL_REPEATED if is_repeated else field.LABEL_OPTIONAL
            type_name = f".why401.loki.{message_name}" if message_name else None
            message.field.add(name=of, number=number, type=kind, label=label, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("why401.loki.Entry"))


_ENTRY: Final = _entry_class()


def decode_protobuf(body: bytes, harvest: Harvest) -> None:
    """Harvest a PushRequest. Raises Refused when its envelope cannot be decoded."""
    walk = Walk(body, "PushRequest")
    for n, stream in enumerate(walk.fields((0, len(body)), _REQUEST_STREAMS)):
        labels = b"".join(body[start:stop] for start, stop in walk.fields(stream, _STREAM_LABELS))
        maker = _Maker(harvest, _labels_of_text(labels, f"streams[{n}]"))
        for m, entry in enumerate(walk.fields(stream, _STREAM_ENTRIES)):
            harvest.make_room()
            try:
                harvest.records.append(_of_protobuf(body, entry, maker))
            except Refused as refused:
                harvest.reject(refused, f"streams[{n}].entries[{m}]")


def _labels_of_text(encoded: bytes, where: str) -> Mapping[str, str]:
    if len(encoded) > MAX_RECORD_BYTES:
        raise Refused(Refusal.TOO_LARGE, f"the labels are larger than {MAX_RECORD_BYTES} bytes", where=where)
    try:
        return stream_labels.of_text(encoded.decode("utf-8", "replace"))
    except Refused as refused:
        raise Refused(refused.refusal, refused.why, where=f"{where}.{refused.where}") from None


def _of_protobuf(body: bytes, span: Span, maker: _Maker) -> RawRecord:
    entry = record_at(body, span, _ENTRY)
    seconds = entry.timestamp.seconds
    time_ns = seconds * _SECOND_NS + entry.timestamp.nanos if abs(seconds) < _MAX_SECONDS else 0
    metadata = {_text(pair.name): _text(pair.value) for pair in entry.metadata}
    return maker.record(_text(entry.line), first_time(time_ns), metadata)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def decode_json(body: bytes, harvest: Harvest) -> None:
    """Harvest `{"streams": [{"stream": {…}, "values": [[NS, LINE, {…}]]}]}`. Raises Refused when it is none."""
    request = counted_json.parsed(body, harvest)
    streams = request.get("streams") if isinstance(request, dict) else None
    if not isinstance(streams, list):
        raise Refused(Refusal.BAD_DATA, "expected an array", where="streams")
    for n, stream in enumerate(streams):
        if not isinstance(stream, dict) or not isinstance(stream.get("values", []), list):
            raise Refused(Refusal.BAD_DATA, "expected an object with stream and values", where=f"streams[{n}]")
        maker = _Maker(harvest, _strings(stream.get("stream"), f"streams[{n}].stream"))
        for m, value in enumerate(stream.get("values", [])):
            harvest.make_room()
            try:
                harvest.records.append(_of_json(value, maker))
            except Refused as refused:
                harvest.reject(refused, f"streams[{n}].values[{m}]")


def _of_json(value: Any, maker: _Maker) -> RawRecord:
    if not isinstance(value, list) or not 2 <= len(value) <= 3:
        raise Refused(Refusal.BAD_DATA, "expected [time in nanoseconds, line, structured metadata]")
    time_ns = any_ns(value[0])
    line = counted_json.text_of(value[1], "[1]")
    if not time_ns:
        raise Refused(Refusal.BAD_DATA, "expected a time in nanoseconds", where="[0]")
    counted_json.bounded(value)
    return maker.record(line, time_ns, _strings(value[2], "[2]") if len(value) > 2 else {})


def _strings(value: Any, where: str) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > stream_labels.MAX_LABELS:
        raise Refused(
            Refusal.BAD_DATA, f"expected an object of at most {stream_labels.MAX_LABELS} strings", where=where
        )
    return {name: counted_json.text_of(each, f"{where}.{name[:40]}") for name, each in value.items()}


class _Maker:
    """Makes the records of one stream."""

    def __init__(self, harvest: Harvest, labels: Mapping[str, str]) -> None:
        self._harvest = harvest
        self._resource = stream_labels.resource_of(labels)
        self._labels = labels
        self._program = envelopes.program_of(labels)[:100]

    def record(self, line: str, time_ns: int, metadata: Mapping[str, str]) -> RawRecord:
        """A line of the stream."""
        told = {**self._labels, **metadata} if metadata else self._labels
        trace = next((value for name in _TRACE_IDS if (value := metadata.get(name, ""))), "").lower()
        return RawRecord(
            origin=self._harvest.origin,
            observed_ns=self._harvest.observed_ns,
            text=line,
            attributes=dict(metadata),
            resource=self._resource,
            time_ns=time_ns,
            trace_id=trace if len(trace) == _TRACE_CHARS and _HEX.issuperset(trace) else "",
            gateway=self._harvest.gateway,
            level=_level(told) or WRAPPED,
            program=self._program,
        )


def _level(told: Mapping[str, str]) -> str:
    detected = told.get("detected_level")  # what Loki's clients found in the line
    return envelopes.level_of(told) or (envelopes.level_of({"level": detected}) if detected else "")
