"""What a Kafka message holds: one record, lines of records, or an OTLP export request. Decoders never raise.

Lines are split as a file's are (collector/sources/lines.py); an OTLP LogRecord is one record whatever its body holds.

A message that cannot be decoded becomes one item without content, so that its offset is passed and its loss counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from collector.errors import Why401Error
from collector.events import Event, EventDecodeError, Gateway, Origin, Outcome, Words, from_json
from collector.records import RawRecord
from collector.safe import EMPTY, UNREADABLE
from collector.shippers.batches import unbatched
from collector.sources.lines import records_of

MAX_RECORD_CHARACTERS: Final = 1 << 20
_NEWLINE: Final = 0x0A  # also the tag of ExportLogsServiceRequest.resource_logs, the only field it has
# resource, scope_logs and schema_url of ResourceLogs: what may stand first in it.
_RESOURCE_LOGS_TAGS: Final = frozenset((0x0A, 0x12, 0x1A))


@dataclass(frozen=True, slots=True)
class Message:
    """What Kafka says about a value."""

    origin: Origin
    time_ns: int = 0
    observed_ns: int = 0


Decode = Callable[[bytes, Message], Iterable[Any]]


def decode_raw(gateway: str = "") -> Decode:
    """A decoder to RawRecords of this gateway's format; "" leaves the format to detection."""

    def decode(value: bytes, message: Message) -> list[RawRecord]:
        records = _records(value, message, gateway) or [_empty(message, gateway)]
        for index, record in enumerate(records):
            record.origin = replace(message.origin, index=index) if index else message.origin
            record.time_ns = record.time_ns or message.time_ns
        return records

    return decode


def decode_event(value: bytes, message: Message) -> list[Event]:
    """The event of one message of the event topic; it keeps the origin of its raw record."""
    try:
        return [from_json(value)]
    except EventDecodeError:
        words = Words(reason=UNREADABLE)
        now = message.observed_ns or time.time_ns()
        time_ns = message.time_ns or now
        return [
            Event(
                time_ns=time_ns,
                observed_ns=now,
                origin=message.origin,
                gateway=Gateway(kind=EMPTY),
                outcome=Outcome.UNREAD,
                words=words,
                time_known=False,
            )
        ]


def is_export_request(value: bytes) -> bool:
    """Whether bytes are a protobuf ExportLogsServiceRequest: nothing but ResourceLogs, exactly to the end.

    A text may start with a line break, the same byte as the tag; then its second character would have to be the
    length of what follows, and the third a field of ResourceLogs.
    """
    at = 0
    while at < len(value):
        if value[at] != _NEWLINE:
            return False
        length, start = _varint(value, at + 1)
        end = start + length
        if length < 0 or end > len(value) or (length and value[start] not in _RESOURCE_LOGS_TAGS):
            return False
        at = end
    return bool(value)


def _varint(value: bytes, at: int) -> tuple[int, int]:
    """(number, where the next byte stands); the number is -1 when there is none of five bytes at most."""
    number = 0
    for n, byte in enumerate(value[at : at + 5]):
        number |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return number, at + n + 1
    return -1, at


def _records(value: bytes, message: Message, gateway: str) -> list[RawRecord]:
    if value[:1] == b"\n" and is_export_request(value):
        return _otlp(value, message, gateway, "protobuf")
    text = value.decode("utf-8", "replace")
    if '"resourceLogs"' in text[:4096] and text.lstrip().startswith("{"):
        return _otlp(value, message, gateway, "json")
    return [_record(each, message, gateway) for record in records_of(text) for each in unbatched(record)]


def _record(text: str, message: Message, gateway: str) -> RawRecord:
    text = text[:MAX_RECORD_CHARACTERS]
    return RawRecord(message.origin, message.observed_ns, text=text, gateway=gateway)


def _empty(message: Message, gateway: str) -> RawRecord:
    return RawRecord(message.origin, message.observed_ns, gateway=gateway)


def _otlp(value: bytes, message: Message, gateway: str, encoding: str) -> list[RawRecord]:
    """The records of an export request; those that cannot be decoded stay as empty ones."""
    from collector.sources.otlp import json_decoder, protobuf_decoder
    from collector.sources.otlp.receiver import Harvest

    harvest = Harvest(message.origin, gateway, message.observed_ns)
    try:
        {"json": json_decoder.decode, "protobuf": protobuf_decoder.decode}[encoding](value, harvest)
    except Why401Error:
        return [*harvest.records, _empty(message, gateway)]
    return harvest.records + [_empty(message, gateway) for _ in range(sum(harvest.rejected.values()))]
