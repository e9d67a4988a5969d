"""The envelope of a protobuf request, field by field: nothing is built before it is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError

from collector.sources.otlp.receiver import MAX_RECORD_BYTES, MAX_RECORDS, Refusal, Refused

_MAX_PARTS: Final = 4 * MAX_RECORDS  # fields of the envelope, empty ones and unknown ones too
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Span = tuple[int, int]


class Walk:
    """The length-delimited fields of one body's envelope; counts every field that it passes."""

    def __init__(self, body: bytes, message: str) -> None:
        """`message`: what the body should be, for refusals."""
        self.body = body
        self._message = message
        self._parts = 0

    def fields(self, span: Span, number: int) -> Iterator[Span]:
        """Where the values of one field stand. Raises Refused on a broken encoding or too many fields."""
        position, end = span
        while position < end:
            self._count()
            tag, position = self._varint(position, end)
            start, position = self._value(tag & 7, position, end)
            if tag >> 3 == number and tag & 7 == _BYTES:
                yield start, position

    def _count(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise Refused(Refusal.TOO_LARGE, f"more than {_MAX_PARTS} fields around the records")

    def _value(self, wire_type: int, position: int, end: int) -> Span:
        if wire_type == _BYTES:
            size, position = self._varint(position, end)
            stop = position + size
        elif wire_type == _VARINT:
            stop = self._varint(position, end)[1]
        elif wire_type in (_FIXED64, _FIXED32):
            stop = position + (8 if wire_type == _FIXED64 else 4)
        else:
            raise self._broken()
        if stop > end:
            raise self._broken()
        return position, stop

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if position >= end:
                raise self._broken()
            byte = self.body[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
        raise self._broken()

    def _broken(self) -> Refused:
        return Refused(Refusal.BAD_DATA, f"not a protobuf {self._message}")


def record_at(body: bytes, span: Span, message: Any) -> Any:
    """One record, as the message class that it is made of. Raises Refused when it is too large, or is none."""
    start, stop = span
    if stop - start > MAX_RECORD_BYTES:
        raise Refused(Refusal.TOO_LARGE, f"the record is larger than {MAX_RECORD_BYTES} bytes")
    try:
        return message.FromString(body[start:stop])
    except DecodeError:
        raise Refused(Refusal.BAD_DATA, f"not a protobuf {message.DESCRIPTOR.name}") from None
