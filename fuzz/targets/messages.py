"""Kafka values: at least one record of each message, and each keeps its place; event messages become events."""

from __future__ import annotations

from collections.abc import Iterable

from collector.events import Event, Origin
from collector.safe import Safe
from collector.sources.kafka.decoding import Message, decode_event, decode_raw
from collector.sources.lines import records_of
from fuzz.stages import every, fixture_lines, must, text_of
from fuzz.targets import events, otlp_json, otlp_protobuf

_MESSAGE = Message(Origin(kind=Safe("kafka"), source=Safe("raw"), partition=3, offset=7), 5, 6)


def check(data: bytes) -> None:
    """Both decoders."""
    records = list(decode_raw("")(data, _MESSAGE))
    must(records, "a message is at least one record")
    must([r.origin.index for r in records] == list(range(len(records))), "records are numbered in order")
    must(all(r.origin.offset == 7 for r in records), "records keep their message's offset")
    decoded = list(decode_event(data, _MESSAGE))
    must(len(decoded) == 1 and isinstance(decoded[0], Event), "a message of the event topic is one event")
    kept = "".join("".join(records_of(text_of(data))).split())
    must(len(kept) <= len(data), "splitting invents nothing")


def seeds() -> Iterable[bytes]:
    """Lines, lines in one message, OTLP in both encodings, an event."""
    lines = list(every(20, fixture_lines()))
    yield from lines
    yield b"\n".join(lines[:3])
    yield b"error: x\n  at a (b.js:1)\nCaused by: y\n\tat z\nGET / 401"
    yield next(iter(otlp_json.seeds()))
    yield next(iter(otlp_protobuf.seeds()))
    yield from events.seeds()
