"""Files in: globs, gzip, standard input; followed through growth, truncation and rotation, or read once.

A record is a line, or the lines of a stack trace, dump or JSON object (collector/sources/lines.py). Its origin is (file, path, byte offset of the line); in a .gz the offset counts decompressed bytes.
Nothing about files is remembered between runs: reading starts at the beginning.
"""

from __future__ import annotations

import glob
import gzip
import logging
import os
import select
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, wait
from pathlib import Path
from typing import BinaryIO, Final, cast

from collector.errors import Backpressure, ConfigurationError
from collector.events import Origin
from collector.records import Batch, RawRecord
from collector.redaction import configured, fixed
from collector.settings import FileSettings
from collector.shippers.batches import unbatched
from collector.sources import Intake
from collector.sources.lines import PAUSE_SECONDS, Lines, MultiLine
from collector.telemetry import Telemetry

log = logging.getLogger("why401.file")
READ_BYTES: Final = 1 << 18
BATCH_RECORDS: Final = 1_000
MAX_IN_FLIGHT: Final = 16  # batches handed over and not yet durable
MAX_FILES: Final = 1_000
POLL_SECONDS: Final = 0.2
HALF_LINE_SECONDS: Final = 5.0
RESCAN_SECONDS: Final = 2.0
OFFER_SECONDS: Final = 0.5
BACKPRESSURE_SECONDS: Final = 0.05  # an intake that shuts down refuses at once
STDIN: Final = "-"
_FILE: Final = fixed("file")


class _Tail:
    """One open file: reads what is there, knows when its path leads to another file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines = Lines()
        self.records = MultiLine()
        self._file = _open(path)
        self._identity = _identity(os.fstat(self._file.fileno()))
        self._size = 0
        self._read_at = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether a record waits for its end and nothing was read for a while: longer when half a line goes on with it."""
        if not self.records.is_pending:
            return False
        quiet_s = time.monotonic() - self._read_at
        return quiet_s >= PAUSE_SECONDS and (quiet_s >= HALF_LINE_SECONDS or not self.records.takes(self.lines.begun))

    @property
    def is_endless(self) -> bool:
        """Whether more may come after the end."""
        return self.path != STDIN and not _is_gzip(self.path)

    def read(self) -> bytes | None:
        """The next piece, b"" at the present end, None when standard input has nothing yet."""
        chunk = _read_ready(self._file) if self.path == STDIN else self._file.read(READ_BYTES)
        if chunk:
            self._size += len(chunk)
            self._read_at = time.monotonic()
        return chunk

    def joined(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """(offset, record): the lines of a stack trace or a dump are one record."""
        for offset, line in lines:
            yield from self.records.feed(offset, line)

    def is_replaced(self) -> bool:
        """Rotated by name (another inode), or truncated in place (shorter than what was read)."""
        try:
            now = Path(self.path).stat()
        except OSError:  # between the two renames of a rotation
            return False
        return _identity(now) != self._identity or now.st_size < self._size

    def close(self) -> None:
        if self.path != STDIN:
            self._file.close()


class FileSource:
    """Reads `settings.paths`. With `follow` it runs until `stop`; else it returns when all that it read is durable."""

    def __init__(self, settings: FileSettings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._tails: dict[str, _Tail] = {}
        self._finished: set[str] = set()
        self._unopened: set[str] = set()
        self._in_flight: deque[tuple[Future[None], Batch[RawRecord]]] = deque()
        self._is_done = False

    @property
    def is_done(self) -> bool:
        """Whether all files were read to their ends and all of it is durable."""
        return self._is_done

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Read to the end, and on as the files grow when they are followed."""
        try:
            while not stop.is_set():
                self._open_new()
                busy = self._read_for(RESCAN_SECONDS, intake, stop)
                if not busy and self._is_finished():
                    break
            self._drain(intake, stop)
        finally:
            for tail in self._tails.values():
                tail.close()

    def _is_finished(self) -> bool:
        return not self._tails and (not self._settings.follow or set(self._settings.paths) == {STDIN})

    def _open_new(self) -> None:
        for path in expand(self._settings.paths):
            if path in self._tails or path in self._finished:
                continue
            if len(self._tails) + len(self._finished) >= MAX_FILES:
                self._not_opened("too_many_files", path)
                continue
            try:
                self._tails[path] = _Tail(path)
                self._unopened.discard(path)
            except OSError as error:
                self._not_opened(type(error).__name__, path)

    def _not_opened(self, kind: str, path: str) -> None:
        """Said once per path: it is tried again at every scan."""
        if path not in self._unopened and len(self._unopened) < MAX_FILES:
            self._unopened.add(path)
            self._failed(kind, path)

    def _read_for(self, seconds: float, intake: Intake, stop: threading.Event) -> bool:
        """Read every file in turn, until one ends; False when there was nothing in any of them."""
        deadline = time.monotonic() + seconds
        any_read, opened = False, len(self._tails)
        while not stop.is_set() and time.monotonic() < deadline and len(self._tails) == opened:
            read = [self._read(tail, intake, stop) for tail in list(self._tails.values())]
            any_read = any_read or any(read)
            if not any(read) and not self._settings.follow:
                break
            if not any(read):
                stop.wait(POLL_SECONDS)
        return any_read

    def _read(self, tail: _Tail, intake: Intake, stop: threading.Event) -> bool:
        try:
            # In this order: what was written before the rotation is read before the old file is let go.
            replaced = tail.is_endless and tail.is_replaced()
            chunk = tail.read()
            if chunk:
                self._hand_over(tail, tail.joined(tail.lines.feed(chunk)), intake, stop)
            elif chunk is not None and not (tail.is_endless and self._settings.follow):
                self._end(tail, intake, stop)
                self._finished.add(tail.path)
            elif replaced:
                self._end(tail, intake, stop)  # the next scan opens what is there now
            elif tail.is_idle:  # what waits for its end has ended
                self._hand_over(tail, tail.records.rest(), intake, stop)
        except (OSError, EOFError, zlib.error) as error:  # a broken .gz too: what was read of it stays
            self._failed(type(error).__name__, tail.path)
            self._end(tail, intake, stop)
            self._finished.add(tail.path)
            return False
        return bool(chunk)

    def _end(self, tail: _Tail, intake: Intake, stop: threading.Event) -> None:
        """Hand over the last line, though no line break ends it."""
        self._hand_over(tail, tail.joined(tail.lines.rest()), intake, stop)
        self._hand_over(tail, tail.records.rest(), intake, stop)
        tail.close()
        self._tails.pop(tail.path, None)

    def _hand_over(
        self, tail: _Tail, lines: Iterator[tuple[int, bytes]], intake: Intake, stop: threading.Event
    ) -> None:
        records: list[RawRecord] = []
        for offset, line in lines:
            if line.strip():
                records += self._records(tail.path, offset, line)
            if len(records) >= BATCH_RECORDS:
                self._offer(Batch(records, source="file"), intake, stop)
                records = []
        if records:
            self._offer(Batch(records, source="file"), intake, stop)
        self._count_cut(tail)

    def _records(self, path: str, offset: int, line: bytes) -> list[RawRecord]:
        """The record of a line, or those of a batch in it."""
        text = line.decode("utf-8", "replace").rstrip("\r")
        origin, now = Origin(kind=_FILE, source=configured(path), offset=offset), time.time_ns()
        return [RawRecord(origin, now, text=each, gateway=self._settings.gateway) for each in unbatched(text)]

    def _count_cut(self, tail: _Tail) -> None:
        """Records that kept their beginning only. They are stored, so they are no drops."""
        cut, tail.lines.cut, tail.records.cut = tail.lines.cut + tail.records.cut, 0, 0
        if cut:
            self._telemetry.count("why401.errors", cut, stage="file", kind="record_cut")

    def _offer(self, batch: Batch[RawRecord], intake: Intake, stop: threading.Event) -> None:
        """Wait for room as long as it takes: a file does not go away."""
        while len(self._in_flight) >= MAX_IN_FLIGHT and not stop.is_set():
            self._settle_first(intake, stop)
        if self._offered(batch, intake, stop):
            self._telemetry.count("why401.records.received", len(batch.items), source="file")

    def _offered(self, batch: Batch[RawRecord], intake: Intake, stop: threading.Event) -> bool:
        while not stop.is_set():
            try:
                intake.offer(batch, timeout_s=OFFER_SECONDS)
            except Backpressure:
                stop.wait(BACKPRESSURE_SECONDS)
                continue
            self._in_flight.append((batch.done, batch))
            return True
        return False

    def _settle_first(self, intake: Intake, stop: threading.Event) -> None:
        done, batch = self._in_flight[0]
        try:
            done.result(timeout=OFFER_SECONDS)
        except TimeoutError:
            return
        except CancelledError:
            self._in_flight.popleft()
        except Exception as error:  # not durable: the same records again, in a batch of their own
            self._failed(type(error).__name__, batch.items[0].origin.source)
            self._in_flight.popleft()
            stop.wait(OFFER_SECONDS)
            self._offered(Batch(batch.items, source="file"), intake, stop)
        else:
            self._in_flight.popleft()

    def _drain(self, intake: Intake, stop: threading.Event) -> None:
        while self._in_flight and not stop.is_set():
            self._settle_first(intake, stop)
        self._is_done = not self._in_flight and not stop.is_set()
        wait([done for done, _ in self._in_flight], timeout=OFFER_SECONDS)

    def _failed(self, kind: str, path: str) -> None:
        self._telemetry.count("why401.errors", stage="file", kind=kind)
        log.warning("%s: %s", path, kind)


def expect_readable(patterns: tuple[str, ...], config: str = "") -> None:
    """For files that are read once: raises ConfigurationError for the first that is not there or cannot be opened."""
    for pattern in patterns:
        paths = expand((pattern,))
        if not paths:
            is_folder = Path(pattern).is_dir()
            why = "is a folder; expected files (DIR/*.log)" if is_folder else "matches no file"
            raise ConfigurationError("files.paths", pattern, why, file=config)
        for path in paths:
            _expect_open(path, config)


def _expect_open(path: str, config: str) -> None:
    if path == STDIN:
        return
    try:
        _open(path).close()
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
        raise ConfigurationError("files.paths", path, why, file=config) from None


def expand(patterns: tuple[str, ...]) -> list[str]:
    """The paths that the globs name now, in order, each once. A path without wildcards is kept though it is absent."""
    found: dict[str, None] = {}
    for pattern in patterns:
        has_wildcard = glob.has_magic(pattern) and not Path(pattern).exists()
        names = sorted(glob.glob(pattern, recursive=True)) if has_wildcard else [pattern]  # noqa: PTH207  # absolute too
        found.update(dict.fromkeys(name for name in names if not Path(name).is_dir()))
    return list(found)


def _open(path: str) -> BinaryIO:
    if path == STDIN:
        return sys.stdin.buffer
    if _is_gzip(path):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return Path(path).open("rb", buffering=0)


def _read_ready(file: BinaryIO) -> bytes | None:
    """Standard input may block for ever, and then `stop` would not be seen."""
    ready, _, _ = select.select([file], [], [], POLL_SECONDS)
    return os.read(file.fileno(), READ_BYTES) if ready else None


def _is_gzip(path: str) -> bool:
    return path.endswith(".gz")


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino
