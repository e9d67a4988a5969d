"""Files in: globs, gzip, standard input; followed through growth, truncation and rotation, or read once.

A record is a line, or the lines of a stack trace, dump or JSON object (collector/sources/lines.py). Its origin is (file, path, byte offset of the line); in a .gz the offset counts decompressed bytes.
What was read is known again under another name (seen_files.py), in the next process by what was committed with the rows (kept_places.py).
"""

from __future__ import annotations

import glob
import logging
import os
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, wait
from pathlib import Path
from typing import Final

from collector.errors import Backpressure, ConfigurationError
from collector.events import Origin
from collector.records import Batch, RawRecord
from collector.redaction import configured, fixed
from collector.settings import FileSettings
from collector.shippers.batches import unbatched
from collector.sources import Intake
from collector.sources.kept_places import KeptPlaces
from collector.sources.seen_files import SeenFiles, may_be, stem
from collector.sources.tails import STDIN, Mark, Tail, is_gzip, opened, state_of
from collector.telemetry import Telemetry

log = logging.getLogger("why401.file")
BATCH_RECORDS: Final = 1_000
MAX_IN_FLIGHT: Final = 16  # batches handed over and not yet durable
MAX_FILES: Final = 1_000
POLL_SECONDS: Final = 0.2
LEAVING_SECONDS: Final = 5.0  # programs go on writing to a renamed file until they are told
RESCAN_SECONDS: Final = 2.0
LAST_LINES_SECONDS: Final = 2.0
MAX_FINISHED: Final = 10_000
OFFER_SECONDS: Final = 0.5
BACKPRESSURE_SECONDS: Final = 0.05  # an intake that shuts down refuses at once
_FILE: Final = fixed("file")


class FileSource:
    """Reads `settings.paths`. With `follow` it runs until `stop`; else it returns when all that it read is durable."""

    def __init__(self, settings: FileSettings, telemetry: Telemetry) -> None:
        self.kept: Callable[[], KeptPlaces] = KeptPlaces  # what earlier processes stored, where it is asked for
        self._kept = KeptPlaces()
        self._settings = settings
        self._telemetry = telemetry
        self._tails: dict[str, Tail] = {}
        self._leaving: list[Tail] = []
        self._seen = SeenFiles()
        self._finished: dict[str, tuple[int, ...]] = {}  # path → what the file was when it was read
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
            self._kept = self.kept()
            while not stop.is_set():
                self._open_new()
                busy = self._read_for(RESCAN_SECONDS, intake, stop)
                if not busy and self._is_finished():
                    break
            self._last_lines(intake)
            self._drain(intake, stop)
        finally:
            for tail in self._all():
                tail.close()

    def _all(self) -> list[Tail]:
        return [*self._leaving, *self._tails.values()]

    def _is_finished(self) -> bool:
        return not self._all() and (not self._settings.follow or set(self._settings.paths) == {STDIN})

    def _open_new(self) -> None:
        for path in expand(self._settings.paths):
            if path in self._tails or self._was_finished(path):
                continue
            if len(self._all()) >= MAX_FILES:
                self._not_opened("too_many_files", path)
                continue
            try:
                self._open(path)
            except (OSError, zlib.error) as error:
                self._not_opened(type(error).__name__, path)

    def _was_finished(self, path: str) -> bool:
        known = self._finished.get(path)
        if known is None:
            return False
        if known != _state_of(path):  # another file under this name, or more of it
            del self._finished[path]
            return False
        return True

    def _open(self, path: str) -> None:
        """Open a file at the first byte of it that was not read under any name."""
        tail = Tail(path, takes_fifo=path in self._settings.paths)
        try:
            if self._is_open_already(path, tail) or self._seen.is_being_copied(path, tail):
                tail.close()
                return
            known = self._seen.resume(path, tail) or self._longer(path, tail) or self._kept.resume(path, tail)
        except (OSError, zlib.error):
            tail.close()
            raise
        self._tails[path] = tail
        self._unopened.discard(path)
        if known is not None and known.path != path:
            log.info("%s was read as %s up to byte %d", path, known.path, known.position)

    def _longer(self, path: str, tail: Tail) -> Mark | None:
        """A copy of a file that is still being read, and that goes on differently."""
        for other in self._all():
            mark = other.mark
            if mark.position and may_be(mark, path, tail) and tail.skip_to(mark):
                return mark
            tail.rewind()
        return None

    def _is_open_already(self, path: str, tail: Tail) -> bool:
        """The same file, renamed a moment ago, or a copy of one that is still being read: its turn comes when that one ends."""
        return any(other.identity == tail.identity or _may_be_copy(path, tail, other) for other in self._all())

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
            read = [self._read(tail, intake, stop) for tail in self._all()]
            any_read = any_read or any(read)
            if not any(read) and not self._settings.follow:
                break
            if not any(read):
                stop.wait(POLL_SECONDS)
        return any_read

    def _read(self, tail: Tail, intake: Intake, stop: threading.Event) -> bool:
        try:
            # In this order: what was written before the rotation is read before the old file is let go.
            replaced = tail.is_replaced()
            before = tail.mark
            chunk = tail.read()
            if tail.is_rewritten():
                tail.forget(before)
                self._let_go(tail, intake, stop)
            elif chunk:
                self._hand_over(tail, tail.joined(tail.lines.feed(chunk)), intake, stop)
            elif chunk is not None:
                self._at_end(tail, intake, stop, replaced=replaced)
            elif tail.is_idle:
                self._hand_over(tail, tail.records.rest(), intake, stop)
        except (OSError, EOFError, zlib.error) as error:  # a broken .gz too: what was read of it stays
            self._failed(type(error).__name__, tail.path)
            self._finish(tail, intake, stop)
            return False
        return bool(chunk)

    def _at_end(self, tail: Tail, intake: Intake, stop: threading.Event, *, replaced: bool) -> None:
        """Nothing more is there at present: whether the file is done, or waited for."""
        if tail.is_ended or not self._settings.follow:
            if tail.is_cut:
                raise EOFError
            self._finish(tail, intake, stop)
        elif replaced and not tail.is_leaving:
            tail.is_leaving, tail.read_at = True, time.monotonic()  # the next scan opens what is there now
            self._leaving.append(self._tails.pop(tail.path))
        elif tail.is_leaving and time.monotonic() - tail.read_at >= LEAVING_SECONDS:
            self._let_go(tail, intake, stop)
        elif tail.is_idle:  # what waits for its end has ended
            self._hand_over(tail, tail.records.rest(), intake, stop)

    def _finish(self, tail: Tail, intake: Intake, stop: threading.Event) -> None:
        """The file is not opened again as long as it stays as it is."""
        state = tail.state  # its path may lead to another file by now
        self._let_go(tail, intake, stop)
        if len(self._finished) < MAX_FINISHED:
            self._finished[tail.path] = state

    def _let_go(self, tail: Tail, intake: Intake, stop: threading.Event) -> None:
        """Hand over the last line, though no line break ends it, and remember how far the file was read."""
        self._hand_over(tail, tail.joined(tail.lines.rest()), intake, stop)
        self._hand_over(tail, tail.records.rest(), intake, stop)
        tail.close()
        self._seen.add(tail.mark)
        if tail.is_leaving:
            self._leaving.remove(tail)
        else:
            self._tails.pop(tail.path, None)

    def _last_lines(self, intake: Intake) -> None:
        """At stop: what no line break has ended yet. There is a moment for it, since nothing else is read."""
        not_stopped = threading.Event()
        until = threading.Timer(LAST_LINES_SECONDS, not_stopped.set)
        until.daemon = True
        until.start()
        for tail in (tail for tail in self._all() if not tail.has_gap):
            self._hand_over(tail, tail.joined(tail.lines.rest()), intake, not_stopped)
            self._hand_over(tail, tail.records.rest(), intake, not_stopped)
        until.cancel()

    def _hand_over(self, tail: Tail, lines: Iterator[tuple[int, bytes]], intake: Intake, stop: threading.Event) -> None:
        records: list[RawRecord] = []
        for offset, line in lines:
            if len(records) >= BATCH_RECORDS:
                self._offer(tail, records, offset, intake, stop)
                records = []
            if line.strip():
                records += self._records(tail.path, offset, line)
        if records:
            self._offer(tail, records, tail.handed_over, intake, stop)
        self._count_cut(tail)

    def _records(self, path: str, offset: int, line: bytes) -> list[RawRecord]:
        """The record of a line, or those of a batch in it."""
        text = line.decode("utf-8", "replace").rstrip("\r")
        origin, now = Origin(kind=_FILE, source=configured(path), offset=offset), time.time_ns()
        return [RawRecord(origin, now, text=each, gateway=self._settings.gateway) for each in unbatched(text)]

    def _count_cut(self, tail: Tail) -> None:
        """Records that kept their beginning only. They are stored, so they are no drops."""
        cut, tail.lines.cut, tail.records.cut = tail.lines.cut + tail.records.cut, 0, 0
        if cut:
            self._telemetry.count("why401.errors", cut, stage="file", kind="record_cut")

    def _offer(
        self, tail: Tail, records: list[RawRecord], position: int | None, intake: Intake, stop: threading.Event
    ) -> None:
        """Wait for room as long as it takes: a file does not go away. Before `position` nothing is left to hand over."""
        is_kept = self._kept.are_kept and position is not None and not tail.has_gap
        places = (self._kept.place(tail, position),) if is_kept and position is not None else ()
        batch = Batch(records, source="file", places=places)
        while len(self._in_flight) >= MAX_IN_FLIGHT and not stop.is_set():
            self._settle_first(intake, stop)
        if self._offered(batch, intake, stop):
            self._telemetry.count("why401.records.received", len(batch.items), source="file")
        else:
            tail.has_gap = True

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


def _may_be_copy(path: str, tail: Tail, other: Tail) -> bool:
    """Whether the file holds nothing but what was read, or is about to be read, of another open one."""
    if not other.position:
        return bool(other.size) and path != stem(path) == stem(other.path)
    if not may_be(other.mark, path, tail):
        return False
    is_same = tail.skip_to(other.mark)
    tail.rewind()
    if not is_same:
        return tail.is_short and path != stem(path)
    return is_gzip(path) != is_gzip(other.path) or tail.size <= other.size  # a longer one has its own ending


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
        os.close(opened(path))
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


def _state_of(path: str) -> tuple[int, ...]:
    """Changes with the file behind a path and with its content; () when there is none."""
    try:
        return state_of(Path(path).stat())
    except OSError:
        return ()
