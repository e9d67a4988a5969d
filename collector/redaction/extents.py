"""Where a value ends: its closing quote of the same escape depth, or for a bare value white space and delimiters."""

from __future__ import annotations

from typing import Final

from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

MAX_JUDGED: Final = 512  # characters of a value that decide about it; the rest of it goes with them
_BARE: Final = compiled(rb"[^\s&\"'<>`\\]+")
_BARE_END: Final = compiled(
    rb"[,;)\]}|^](?:$|[\s\"'{}()\[\]\x80]|[\w.\-]{1,40}[:=]|(?:None|null|nil|true|false|[0-9]{1,6})[,)\]}])"
)
_TAIL: Final = b".,;:)]}!?|{("

JOINED: Final = frozenset(byte for byte in range(256) if chr(byte).isalnum() or byte == 0x5F)


def touches(data: bytes, start: int, end: int, more: frozenset[int]) -> bool:
    """One of `more` is at either side, so this is part of a longer run; a full stop ends a sentence."""
    if start and data[start - 1] in more:
        return True
    if end >= len(data) or data[end] not in more:
        return False
    return data[end] != 0x2E or data[end + 1 : end + 2].isalnum()


def opening_quote(data: bytes, start: int) -> bytes:
    """The quote that opened a value, with the backslashes before it; b"" for a bare value."""
    if start == 0 or data[start - 1] not in b"\"'`":
        return b""
    first = start - 1
    while first > 0 and data[first - 1] == 0x5C and start - first < 9:
        first -= 1
    return data[first:start]


def limit(data: bytes, start: int) -> int:
    """How far a value is read before it is judged."""
    return min(len(data), start + MAX_JUDGED)


def end_of(data: bytes, start: int, quote: bytes, limit: int) -> int:
    """The end of the value that begins at `start`, at most `limit`."""
    if quote:
        return _quoted_end(data, start, quote, limit)
    end = _BARE.end_at(data, start, limit)
    if end < 0:
        return start
    cut = _BARE_END.find(data, start, end + (data[end : end + 1] in (b'"', b"'")))[0]
    return min(end, cut) if cut >= 0 else start + len(data[start:end].rstrip(_TAIL))


def _quoted_end(data: bytes, start: int, quote: bytes, limit: int) -> int:
    """The closing quote of the same escape depth, or the end of the line when there is none."""
    limit = line_end(data, start, limit)
    position = start
    while (position := data.find(quote, position, limit)) >= 0:
        spend(1)
        backslashes = _backslashes(data, start, position)
        if not backslashes or (len(quote) == 1 and backslashes % 2 == 0):
            return position
        position += len(quote)
    return limit


def _backslashes(data: bytes, start: int, position: int) -> int:
    before = data[max(start, position - 8) : position]
    return len(before) - len(before.rstrip(b"\\"))


def line_end(data: bytes, start: int, limit: int) -> int:
    """The next line break, at most `limit`."""
    end = data.find(b"\n", start, limit)
    return limit if end < 0 else end
