"""Joins the lines of one record: stack traces, Oathkeeper's dumps, consoles that print JSON over several lines.

A line belongs to the record before it when it is indented, closes what that record opened, or continues its exception.
The decision needs the record's beginning only, so a source can join as it reads, in constant memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MAX_LINES: Final = 500
MAX_BYTES: Final = 1 << 17
_HEAD: Final = 200
_SPACES: Final = (b" ", b"\t")
_TRACEBACK: Final = b"Traceback (most recent call last)"
_FOLLOWING: Final = (
    b"Caused by:", b"Suppressed:", b"... ", b"During handling of the above exception",
    b"The above exception was the direct cause", b"--- End of ",
)  # fmt: skip
_OPEN_MAP: Final = b" error=map["
_MAP_END: Final = b" status_code:"
_ENDINGS: Final = (b"Exception", b"Error", b"Fault", b"Failure", b"Throwable", b"ExpiredSignature")
_LEVELS: Final = (
    b"ERROR", b"WARN", b"INFO", b"DEBUG", b"TRACE", b"FATAL", b"CRITICAL", b"SEVERE", b"error",
    b"warn", b"fail", b"info",
)  # fmt: skip


@dataclass(slots=True, repr=False)
class MultiLine:
    """Feed lines with their offsets; a record comes out when the next one begins, or from `rest`.

    A record beyond `max_lines` or `max_bytes` keeps its beginning; the rest of it is dropped and the record counted in
    `cut`.
    """

    max_lines: int = MAX_LINES
    max_bytes: int = MAX_BYTES
    cut: int = 0
    _offset: int = 0
    _lines: list[bytes] = field(default_factory=list)
    _size: int = 0
    _blank: int = 0  # blank lines seen since; they belong to the record only if it goes on
    _is_cut: bool = False
    _closer: bytes = b""  # the line that ends what the record opened
    _is_map: bool = False
    _is_traceback: bool = False
    _has_exception: bool = False

    @property
    def is_pending(self) -> bool:
        """Whether a record waits for its end; a source that has been idle takes it from `rest`."""
        return bool(self._lines)

    def feed(self, offset: int, line: bytes) -> Iterator[tuple[int, bytes]]:
        """(offset, record) of the record that this line ends by not belonging to it, if any."""
        line = line.rstrip(b"\r")
        if not self._lines:
            if line.strip():
                self._begin(offset, line)
            return
        if self._belongs(line):
            self._add(line)
            return
        if not line.strip():
            self._blank += 1
            return
        yield from self.rest()
        self._begin(offset, line)

    def rest(self) -> Iterator[tuple[int, bytes]]:
        """The record that was not ended yet."""
        if self._lines:
            yield self._offset, b"\n".join(self._lines)
            self.cut += self._is_cut
        self._lines = []

    def _begin(self, offset: int, line: bytes) -> None:
        self._offset, self._lines, self._size = offset, [line], len(line)
        self._blank, self._is_cut = 0, False
        self._closer = {b"{": b"}", b"[": b"]"}.get(line.rstrip()[-1:], b"") if _opens(line) else b""
        self._is_map = line.startswith(b"time=") and _OPEN_MAP in line and _MAP_END not in line
        self._is_traceback = line.startswith(_TRACEBACK)
        self._has_exception = self._is_traceback or not _is_log_line(line)

    def _belongs(self, line: bytes) -> bool:
        if self._is_map:
            return not line.startswith(b"time=")
        if not line.strip():
            return False
        if line[:1] in _SPACES:
            return not _is_timed(line.lstrip())
        if self._closer:
            return line.rstrip(b", \t") == self._closer
        return self._continues(line)

    def _continues(self, line: bytes) -> bool:
        if line.startswith(_FOLLOWING):
            return True
        if line.startswith(_TRACEBACK):
            is_first = self._has_exception is False or self._blank > 0
            return is_first or self._lines[-1].startswith(_FOLLOWING)
        if self._is_traceback:
            return is_exception(line) or b": " in line[:_HEAD]
        return not self._has_exception and _is_thrown(line)

    def _add(self, line: bytes) -> None:
        if self._is_map and _MAP_END in line:
            self._is_map = False
        if line[:1] not in _SPACES:
            self._note(line)
        self._size += len(line) + 1 + self._blank
        if len(self._lines) + self._blank >= self.max_lines or self._size > self.max_bytes:
            self._is_cut = True
        else:
            self._lines += [b""] * self._blank + [line]
        self._blank = 0

    def _note(self, line: bytes) -> None:
        """What a line at the margin changes: a traceback begins, or ends with its exception, or a bracket closes."""
        if line.startswith(_TRACEBACK):
            self._is_traceback = self._has_exception = True
        elif not line.startswith(_FOLLOWING):
            self._is_traceback, self._has_exception, self._closer = False, True, b""


def is_exception(line: bytes) -> bool:
    """Whether a line begins with the name of an exception class."""
    name = line[:_HEAD].partition(b": ")[0].partition(b" ")[0].rstrip(b":\r")
    return (
        name[:1].isalpha()
        and name.endswith(_ENDINGS)
        and name.replace(b".", b"").replace(b"_", b"").replace(b":", b"").replace(b"$", b"").isalnum()
    )


def _is_thrown(line: bytes) -> bool:
    """What logback, JBoss and .NET print below a message: a qualified name, as Node's and Go's are not."""
    name = line[:_HEAD].partition(b":")[0]
    is_named = name.endswith((b"Exception", b"Throwable")) or name.startswith(b"java.")
    return b"." in name and is_named and is_exception(line)


def _opens(line: bytes) -> bool:
    """A bracket that ends a line opens an object when it stands alone or behind a console encoder's tab."""
    bare = line.rstrip()
    return bare in (b"{", b"[") or bare[-2:-1] == b"\t"


def _is_timed(line: bytes) -> bool:
    """A log line that a shipper or a writer indented."""
    head = line[:24].lstrip(b"[")
    return head[:4].isdigit() and head[4:5] in (b"-", b"/") and head[5:7].isdigit()


def _is_log_line(line: bytes) -> bool:
    return _is_timed(line) or any(level in line[:80] for level in _LEVELS)
