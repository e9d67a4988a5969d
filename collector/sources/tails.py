"""One open file of the file source: what is new in it, what it began with, and whether it is still the file that was read.

Never blocks: a FIFO is read as far as there is something, sockets and devices are refused. A .gz is decompressed as far as
it is written; what is not there yet comes later.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from collector.sources.lines import PAUSE_SECONDS, Lines, MultiLine

READ_BYTES: Final = 1 << 18
MARK_BYTES: Final = 1 << 10  # a file is known by its first KiB, and the last one that was read
HALF_LINE_SECONDS: Final = 5.0
FRESH_SECONDS: Final = 0.1  # two writes within a tick of the file system have one time
STDIN: Final = "-"
Identity = tuple[int, int]


class NotRegularFile(OSError):
    """A socket, device or folder, or a FIFO that was not named itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a file was read, and by what it is known again under another name."""

    path: str
    identity: Identity
    position: int  # bytes read, of a .gz after decompression
    head: bytes = field(repr=False)  # the first MARK_BYTES of them
    last: bytes = field(repr=False)  # the last MARK_BYTES of them


class Tail:
    """One open file: reads what is there, and notices when it is another one. Raises OSError when it cannot be read."""

    def __init__(self, path: str, *, takes_fifo: bool = True) -> None:
        self.path = path
        self.has_gap = False  # records of it were not handed over, because the source stops: nothing behind them may be
        self.lines = Lines()
        self.records = MultiLine()
        self.is_leaving = False  # its path leads to another file; what is still written to it is read
        self.read_at = time.monotonic()
        self._fd = sys.stdin.fileno() if path == STDIN else opened(path, takes_fifo=takes_fifo)
        status = os.fstat(self._fd)
        self.identity = (status.st_dev, status.st_ino)
        self._is_regular = path != STDIN and stat.S_ISREG(status.st_mode)
        self._gzip = zlib.decompressobj(31) if is_gzip(path) else None
        self._raw = 0  # bytes read of the file itself
        self._had_data = False
        self.position = 0
        self._head = b""
        self._last = b""
        self._raw_head = b""
        self._checked: tuple[int, int] | None = None
        self.is_short = (
            False  # after `skip_to`: it holds only the beginning of what was read, as a copy that is being written
        )

    @property
    def mark(self) -> Mark:
        """By what the file is known from now on."""
        return Mark(
            path=self.path, identity=self.identity, position=self.position, head=self._head, last=self._last
        )  # fmt: skip

    @property
    def handed_over(self) -> int | None:
        """Bytes before the first line that waits for its end or for its record's; None where nothing can be read again."""
        begins = self.records.begins_at
        return None if not self._is_regular else self.lines.offset if begins is None else begins

    @property
    def is_idle(self) -> bool:
        """Whether a record waits for its end and nothing was read for a while: longer when half a line goes on with it."""
        if not self.records.is_pending:
            return False
        quiet_s = time.monotonic() - self.read_at
        return quiet_s >= PAUSE_SECONDS and (quiet_s >= HALF_LINE_SECONDS or not self.records.takes(self.lines.begun))

    @property
    def is_ended(self) -> bool:
        """Whether nothing can come any more: a .gz that is whole, a pipe whose writer is gone."""
        if self._gzip is not None and self._is_regular:
            return self._raw > 0 and self._gzip.eof
        return not self._is_regular and (self._had_data or self.path == STDIN or self.path.startswith("/dev/"))

    @property
    def is_cut(self) -> bool:
        """Whether a .gz ends within its data."""
        return self._gzip is not None and not self._gzip.eof and self._raw > 0

    def read(self) -> bytes | None:
        """The next piece, b"" at the present end, None when a pipe has nothing yet. Raises zlib.error, OSError."""
        while True:
            raw = self._read_raw()
            chunk = raw
            if self._gzip is not None:
                chunk = self._decompressed(raw) if raw else self._held_back()
            if chunk:
                self._note(chunk)
                return chunk
            if not raw:
                return raw

    def joined(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """(offset, record): the lines of a stack trace or a dump are one record."""
        for offset, line in lines:
            yield from self.records.feed(offset, line)

    def skip_to(self, mark: Mark) -> bool:
        """Go on where `mark` ended, if this is the content that was read then; else nothing may be read before `rewind`."""
        if not self._is_regular:
            return False
        self.is_short = False
        head, last = self._ends_in_gzip(mark.position, mark.head) if self._gzip is not None else self._ends(mark)
        if (head, last) != (mark.head, mark.last):
            self.is_short = len(last) < len(mark.last) and mark.head.startswith(head)
            return False
        self._head, self._last, self.position = head, last, mark.position
        self.lines.offset = mark.position
        return True

    def content(self, position: int) -> tuple[bytes, bytes] | None:
        """The first and the last KiB of so many bytes, None when there are not as many; what is read next stays the same only at the beginning."""
        if not self._is_regular:
            return None
        size = min(position, MARK_BYTES)
        if self._gzip is None:
            head, last = os.pread(self._fd, size, 0), os.pread(self._fd, size, position - size)
        else:
            head, last = self._ends_in_gzip(position, None)
            self.rewind()
        return (head, last) if len(last) == size else None

    def _ends(self, mark: Mark) -> tuple[bytes, bytes]:
        """The first and the last bytes of as much as was read."""
        self._raw_head = os.pread(self._fd, len(mark.head), 0)
        self._raw = os.lseek(self._fd, mark.position, os.SEEK_SET)
        return self._raw_head, os.pread(self._fd, len(mark.last), mark.position - len(mark.last))

    def _ends_in_gzip(self, position: int, expected: bytes | None) -> tuple[bytes, bytes]:
        """The same; no more is read when it does not begin as expected."""
        head, last, left = b"", b"", position
        while left and (raw := self._read_raw()):
            chunk = self._decompressed(raw, left)
            head += chunk[: MARK_BYTES - len(head)]
            last = (last + chunk)[-MARK_BYTES:]
            left -= len(chunk)
            if expected is not None and not expected.startswith(head):
                break
        return head, b"" if left else last

    def rewind(self) -> None:
        """To the beginning, as if nothing had been read."""
        if self._raw and self._is_regular:
            os.lseek(self._fd, 0, os.SEEK_SET)
        self._raw, self.position, self._head, self._last, self._raw_head = 0, 0, b"", b"", b""
        self._gzip = zlib.decompressobj(31) if is_gzip(self.path) else None
        self.lines.offset = 0

    def forget(self, mark: Mark) -> None:
        """What was read behind `mark` is of another content: the places of records that are still handed over know nothing of it."""
        self.position, self._head, self._last = mark.position, mark.head, mark.last

    def is_replaced(self) -> bool:
        """Rotated by name, or deleted: its path leads to another file, or to none."""
        if not self._is_regular:
            return False
        try:
            now = Path(self.path).stat()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return (now.st_dev, now.st_ino) != self.identity

    def is_rewritten(self) -> bool:
        """Truncated in place, whatever its size is now: it no longer holds what was read."""
        if not self._is_regular:
            return False
        now = os.fstat(self._fd)
        if now.st_size < self._raw:
            return True
        state = (now.st_mtime_ns, now.st_size)
        if state == self._checked:
            return False
        if time.time() - now.st_mtime > FRESH_SECONDS:
            self._checked = state
        last = b"" if self._gzip is not None else self._last
        return (
            os.pread(self._fd, len(self._raw_head), 0) != self._raw_head
            or os.pread(self._fd, len(last), self._raw - len(last)) != last
        )

    @property
    def state(self) -> tuple[int, ...]:
        """Changes with the file and with its content."""
        return state_of(os.fstat(self._fd))

    @property
    def size(self) -> int:
        """Bytes of the file itself, at present."""
        return os.fstat(self._fd).st_size

    def close(self) -> None:
        """Release the file."""
        if self.path != STDIN:
            os.close(self._fd)

    def _read_raw(self, most: int = READ_BYTES) -> bytes | None:
        if self.path == STDIN and not select.select([self._fd], [], [], 0)[0]:
            return None
        try:
            raw = os.read(self._fd, min(most, READ_BYTES))
        except BlockingIOError:
            return None
        if not raw and not self._is_regular and not self.is_ended:
            return None  # nobody opened the FIFO for writing yet
        self._raw += len(raw)
        self._had_data = self._had_data or bool(raw)
        self._raw_head += raw[: MARK_BYTES - len(self._raw_head)]
        return raw

    def _decompressed(self, raw: bytes, most: int = 0) -> bytes:
        """Of one piece, through the ends of members; what does not fit into `most` bytes is read again by seeking back."""
        out = bytearray()
        while raw and self._gzip is not None:
            if self._gzip.eof:
                if not raw.strip(b"\0"):  # padding behind the last member, as tapes have it
                    break
                self._gzip = zlib.decompressobj(31)
            out += self._gzip.decompress(raw, most - len(out) if most else 0)
            raw = self._gzip.unused_data or self._gzip.unconsumed_tail
            if most and len(out) >= most:
                self._give_back(len(raw))
                break
        return bytes(out)

    def _held_back(self) -> bytes:
        """What `_decompressed` had no room for, though it took all of the file: some bytes at the end of a cut .gz."""
        return self._gzip.decompress(b"") if self._gzip is not None and not self._gzip.eof else b""

    def _give_back(self, count: int) -> None:
        os.lseek(self._fd, -count, os.SEEK_CUR)
        self._raw -= count
        self._raw_head = self._raw_head[: self._raw]  # it is read again, and noted again

    def _note(self, chunk: bytes) -> None:
        self.position += len(chunk)
        self.read_at = time.monotonic()
        self._head += chunk[: MARK_BYTES - len(self._head)]
        self._last = (self._last + chunk)[-MARK_BYTES:]


def opened(path: str, *, takes_fifo: bool = True) -> int:
    """A descriptor of a regular file or FIFO; opening waits for nobody. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or (takes_fifo and stat.S_ISFIFO(mode)):
        return descriptor
    os.close(descriptor)
    raise NotRegularFile(0, "no regular file", path)


def state_of(status: os.stat_result) -> tuple[int, ...]:
    """Changes with the file and with its content."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def is_gzip(path: str) -> bool:
    """By its name."""
    return path.endswith(".gz")
