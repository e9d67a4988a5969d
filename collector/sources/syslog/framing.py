r"""Where a message ends in a stream of bytes (RFC 6587): after as many octets as its sender counted, or at a line break.

The first bytes of a connection tell which of the two its sender does. Bounded: a message beyond the limit keeps its beginning.

>>> framer = Framer(1024)
>>> list(framer.feed(b"10 <134>a\nb c6 <1")), list(framer.feed(b"34>d"))
([b'<134>a\nb c'], [b'<134>d'])
>>> list(Framer(1024).feed(b"<134>a\n<134>b\r\n"))
[b'<134>a', b'<134>b']
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

MAX_DIGITS: Final = 7  # of a count: what is longer than ten megabytes is no log message
_LOOK: Final = 24  # bytes that tell which framing it is, when a count comes first
_DIGITS: Final = b"0123456789"
_BETWEEN: Final = b"\r\n\0 "  # what some senders write behind a counted message


class Framer:
    """The messages of one connection, however its bytes are cut up. Never raises."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes of a message that are kept."""
        self.cut = 0  # messages that kept their beginning only
        self.is_broken = False  # a count that is none: where the next message begins cannot be known
        self._limit = limit
        self._buffer = bytearray()
        self._is_counted: bool | None = None
        self._skip = 0  # octets of a counted message that are passed over
        self._is_skipping = False  # the rest of a line is

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every message that ends in the data."""
        self._buffer += data if self._is_counted is not False else data.replace(b"\0", b"\n")
        while self._buffer and not self.is_broken:
            message = self._next()
            if message is None:
                return
            if message:
                yield message

    def rest(self) -> Iterator[bytes]:
        """The last line, which no line break ended. A counted message of which octets are missing is none: see `is_incomplete`."""
        if not self._is_counted and not self._is_skipping and not self.is_broken:
            line, self._buffer = bytes(self._buffer), bytearray()
            if line := line.replace(b"\0", b"\n").strip(b"\r\n"):
                yield line

    @property
    def is_incomplete(self) -> bool:
        """Whether a part of a message waits for its other part."""
        return bool(self._buffer) or self._skip > 0

    def _next(self) -> bytes | None:
        """A message, b"" when one is passed over or none is there, None when more bytes are needed."""
        if self._is_counted is None:
            self._is_counted = _is_counted(self._buffer)
            if self._is_counted is None:
                return None
            if not self._is_counted:
                self._buffer = self._buffer.replace(b"\0", b"\n")
        return self._counted() if self._is_counted else self._line()

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return self._unended()
        line, is_cut = bytes(self._buffer[: min(end, self._limit)]), end > self._limit
        del self._buffer[: end + 1]
        if self._is_skipping:
            self._is_skipping = False
            return b""
        self.cut += is_cut
        return line.rstrip(b"\r")

    def _unended(self) -> bytes | None:
        """Nothing, unless the line is longer than any is: then its beginning is the message."""
        if self._is_skipping:
            self._buffer.clear()
        if len(self._buffer) <= self._limit:
            return None
        line = bytes(self._buffer[: self._limit])
        self._buffer.clear()
        self._is_skipping = True
        self.cut += 1
        return line

    def _counted(self) -> bytes | None:
        if self._skip:
            return self._skipped()
        while self._buffer[:1] and self._buffer[:1] in _BETWEEN:
            del self._buffer[:1]
        count, begin = _count(self._buffer)
        if count < 0:
            self.is_broken = begin < 0
            return None
        kept = min(count, self._limit)
        if len(self._buffer) < begin + kept:
            return None
        message = bytes(self._buffer[begin : begin + kept])
        del self._buffer[: begin + kept]
        self._skip = count - kept
        self.cut += self._skip > 0
        return message

    def _skipped(self) -> bytes | None:
        passed = min(self._skip, len(self._buffer))
        del self._buffer[:passed]
        self._skip -= passed
        return b"" if not self._skip else None


def _is_counted(buffer: bytearray) -> bool | None:
    """Whether a connection that begins so counts octets; None when that cannot be seen yet."""
    head = bytes(buffer[:_LOOK])
    if head[:1] not in (b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"):
        return False
    behind = head.lstrip(_DIGITS)
    if len(behind) >= 2:
        return behind[:2] == b" <"
    if len(head) == _LOOK:
        return False
    return None if b" <".startswith(behind) else False


def _count(buffer: bytearray) -> tuple[int, int]:
    """(octets, where they begin); (-1, 0) when more bytes are needed, (-1, -1) when no count stands there."""
    head = bytes(buffer[: MAX_DIGITS + 1])
    digits = head[: len(head) - len(head.lstrip(_DIGITS))]
    if digits == head and len(head) <= MAX_DIGITS:
        return -1, 0
    if not digits or head[len(digits) :][:1] != b" ":
        return -1, -1
    return int(digits), len(digits) + 1
