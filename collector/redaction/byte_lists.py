"""Rule `packed`, written byte by byte: hexdumps, lists of numbers and octal escapes that say a text.

A list goes when its bytes are a text; a certificate's fingerprint and a list of counts are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from collector.redaction.hits import TOKEN, Hit
from collector.redaction.meter import spend
from collector.redaction.patterns import Pattern, compiled

STEPS: Final = 4
MIN_BYTES: Final = 8
MIN_NUMBERS: Final = 12
MAX_READ: Final = 512
MAX_BYTE: Final = 255
_PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_PAIRS: Final = rb"\b(?:[0-9A-Fa-f]{2}[ :\-]{1,2}){7,}[0-9A-Fa-f]{2}\b|\b(?:[0-9A-Fa-f]{4} ){3,}[0-9A-Fa-f]{2,4}\b"
_ASCII_COLUMN: Final = compiled(rb"[ ]{2,}\|?[ -~]{1,32}")
_PREFIXED: Final = rb"(?:0x[0-9A-Fa-f]{2}[, ]{1,3}){7,}0x[0-9A-Fa-f]{2}"
_OCTAL: Final = rb"(?:\\[0-3][0-7]{2}){8,}"
_NUMBERS: Final = rb"(?:[0-9]{1,3}(?:, ?| )){11,}[0-9]{1,3}\b"
_ASCII85: Final = rb"<~[!-u\s]{10,}~>"
TRIGGER: Final = (
    rb"\b(?:[0-9A-Fa-f]{2}[ :\-]{1,2}){7}[0-9A-Fa-f]|[0-9A-Fa-f]{4} [0-9A-Fa-f]{4} [0-9A-Fa-f]{4} "
    rb"|0x[0-9A-Fa-f]{2}[, ]+0x[0-9A-Fa-f]{2}[, ]+0x|\\[0-3][0-7][0-7]\\[0-3][0-7][0-7]\\"
    rb"|(?:[0-9]{1,3}(?:, ?| )){6}[0-9]|<~"
)


def _from_pairs(text: bytes) -> bytes:
    digits = text.translate(None, b" :-")
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))


def _from_prefixed(text: bytes) -> bytes:
    return bytes.fromhex(text.replace(b"0x", b"").translate(None, b", ").decode("ascii"))


def _from_octal(text: bytes) -> bytes:
    return bytes(int(part, 8) & 0xFF for part in text.split(b"\\")[1:])


def _from_numbers(text: bytes) -> bytes:
    numbers = [int(part) for part in text.replace(b",", b" ").split()]
    return bytes(numbers) if len(numbers) >= MIN_NUMBERS and max(numbers) <= MAX_BYTE else b""


_FORMS: Final[tuple[tuple[Pattern, Callable[[bytes], bytes]], ...]] = (
    (compiled(_PREFIXED), _from_prefixed),
    (compiled(_PAIRS), _from_pairs),
    (compiled(_OCTAL), _from_octal),
    (compiled(_NUMBERS), _from_numbers),
)
_BASE85: Final = compiled(_ASCII85)


def find(data: bytes) -> Iterator[Hit]:
    """Lists of bytes that say a text."""
    for pattern, decoded in _FORMS:
        for start, end in pattern.spans(data):
            spend(STEPS)
            if _is_text(decoded(_whole_parts(data, start, end))):
                column = _ASCII_COLUMN.end_at(data, end)
                yield Hit(start, max(end, column), "packed", TOKEN)
    if b"<~" in data:
        yield from (Hit(start, end, "packed", TOKEN) for start, end in _BASE85.spans(data))


def _whole_parts(data: bytes, start: int, end: int) -> bytes:
    """As much as decides, cut where no byte is."""
    if end - start <= MAX_READ:
        return data[start:end]
    return data[start : start + MAX_READ].rpartition(b" ")[0] or data[start : start + MAX_READ // 12 * 12]


def _is_text(content: bytes) -> bool:
    """All of it printable, and most of it letters and digits."""
    if len(content) < MIN_BYTES or content.translate(None, _PRINTABLE):
        return False
    return (len(content) - len(content.translate(None, _WORD))) * 10 >= len(content) * 7
