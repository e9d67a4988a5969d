"""Requests as shippers write them, byte for byte what their protocols say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa

from tests.collector.sources.otlp.rig import Answer, Rig, send

Entry = tuple[int, str, Mapping[str, str]]  # nanoseconds, line, structured metadata


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: bytes | int) -> bytes:
    """A field of a protobuf message: a number, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def loki_protobuf(labels: str, *entries: Entry) -> bytes:
    """A PushRequest of one stream (grafana/loki pkg/push/push.proto)."""
    return field(1, field(1, labels.encode()) + b"".join(field(2, _entry(*entry)) for entry in entries) + field(3, 7))


def _entry(time_ns: int, line: str, metadata: Mapping[str, str]) -> bytes:
    time = field(1, time_ns // 10**9) + field(2, time_ns % 10**9)
    pairs = b"".join(field(3, field(1, name.encode()) + field(2, value.encode())) for name, value in metadata.items())
    return field(1, time) + field(2, line.encode()) + pairs


def snappy(body: bytes) -> bytes:
    return bytes(pa.compress(body, codec="snappy", asbytes=True))


def loki_json(labels: Mapping[str, str], *values: Sequence[Any]) -> bytes:
    return orjson.dumps({"streams": [{"stream": labels, "values": values}]})


def push(rig: Rig, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
    """POST to Loki's path; keyword names become header names."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(rig, body, {"Content-Type": kind} | named, path="/loki/api/v1/push")


def hec(
    rig: Rig, body: bytes, path: str = "/event", authorization: str = "Splunk " + "a" * 36, **headers: str
) -> Answer:
    """POST to Splunk's collector."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    known = {"Authorization": authorization} if authorization else {}
    return send(rig, body, known | named, path=f"/services/collector{path}")
