"""Records for `explain` and `propose`: from arguments, files or standard input, split as every source splits them."""

from __future__ import annotations

import io
import select
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from collector.shippers.batches import unbatched
from collector.sources.lines import PAUSE_SECONDS, Lines, MultiLine
from why401.filter import unwrapped

Records: TypeAlias = tuple[list[str], bool]  # and whether more of the same input is on the way
STDIN: Final = "-"
READ_BYTES: Final = 1 << 20
RUN_S: Final = 0.2  # records that are complete wait no longer for those that belong together


def read(arguments: Iterable[str], form: str) -> Iterator[str]:
    """Every record in order. An argument that is a file's name is read, "-" is standard input, anything else is a record.

    `form` "lines": the lines of a stack trace, a dump or a JSON object are one record (collector/sources/lines.py), and a
    blank line outside of them is an empty one. "json": each line is a JSON string that holds one record, which may span
    lines; a line that is not stands for itself, so that as many come out as went in.
    """
    for records, _ in read_together(arguments, form):
        yield from records


def read_together(arguments: Iterable[str], form: str) -> Iterator[Records]:
    """The same records, in runs that arrive together: what is in a file or a pipe without a pause, about 1 MiB at most.

    With each run, whether more of its input is on the way; when nothing followed after all, an empty run says so.
    """
    for argument in list(arguments) or [STDIN]:
        if argument == STDIN:
            yield from _runs(sys.stdin.buffer, form)
        elif _is_file(argument):
            with Path(argument).open("rb") as file:
                yield from _runs(file, form)
        else:
            yield [unwrapped(argument) if form == "json" else argument], False


def are_files(arguments: Sequence[str]) -> bool:
    """Whether they are several files, which are read as one stream in the order of time."""
    return len(arguments) > 1 and all(map(_is_file, arguments))


class _Run:
    """Bytes in, the records that they complete out."""

    def __init__(self, form: str) -> None:
        self._lines = Lines()
        self._joiner = None if form == "json" else MultiLine(keeps_blank=True)
        self._records: list[str] = []
        self._since = 0.0
        self._size = 0

    @property
    def is_due(self) -> bool:
        """Whether complete records have waited long enough for others."""
        return self._size >= READ_BYTES or (bool(self._records) and time.monotonic() - self._since >= RUN_S)

    def feed(self, chunk: bytes) -> None:
        """Take what was read."""
        if not self._size:
            self._since = time.monotonic()
        self._size += len(chunk)
        self._take(self._lines.feed(chunk))

    def pause(self) -> None:
        """The writer paused: the record that waits for its end has ended, unless half a line goes on with it."""
        if self._joiner and not self._joiner.takes(self._lines.begun):
            self._keep(self._joiner.rest())

    def end(self) -> None:
        """Nothing more comes."""
        self._take(self._lines.rest())
        if self._joiner:
            self._keep(self._joiner.rest())

    def records(self) -> list[str]:
        """What is complete; it is handed over once."""
        records, self._records, self._size = self._records, [], 0
        return records

    def _take(self, lines: Iterable[tuple[int, bytes]]) -> None:
        if self._joiner is None:
            self._records += [unwrapped(_text(line)) for _, line in lines]
            return
        for offset, line in lines:
            self._keep(self._joiner.feed(offset, line))

    def _keep(self, records: Iterable[tuple[int, bytes]]) -> None:
        self._records += [each for _, record in records for each in unbatched(_text(record))]


def _runs(stream: BinaryIO, form: str) -> Iterator[Records]:
    """Runs of a stream; whoever writes a line and waits for its answer gets it after a short pause."""
    run = _Run(form)
    goes_on = False  # the last run was cut, so that whoever took it may wait for the rest
    while True:
        if not _is_ready(stream):
            run.pause()
            records = run.records()
            if records or goes_on:
                yield records, False
            goes_on = False
        chunk = stream.read1(READ_BYTES)  # type: ignore[attr-defined]
        if not chunk:
            break
        run.feed(chunk)
        if run.is_due and (records := run.records()):
            goes_on = True
            yield records, True
    run.end()
    records = run.records()
    if records or goes_on:
        yield records, False


def _is_ready(stream: BinaryIO) -> bool:
    """Whether more is there within a short pause; what is not a file descriptor never makes anyone wait."""
    try:
        return bool(select.select([stream], [], [], PAUSE_SECONDS)[0])
    except (io.UnsupportedOperation, OSError, ValueError):
        return True


def _is_file(argument: str) -> bool:
    try:
        return len(argument) < 4096 and "\n" not in argument and Path(argument).is_file()
    except (OSError, ValueError):
        return False


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "replace")
