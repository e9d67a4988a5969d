"""Which messages are one record: a stack trace's lines come as a message each, among those of other programs.

What `collector/sources/lines.py` does for the lines of a file is done here for each stream: one program's process on one host.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from collector.records import RawRecord
from collector.sources.lines import PAUSE_SECONDS, MultiLine
from collector.sources.syslog.syslog_messages import Message, Stream

MAX_STREAMS: Final = 256  # whose last record waits for its end, each in 128 KiB at most


@dataclass(slots=True, repr=False)
class _Open:
    """The record of a stream that may go on, and the messages that its lines came as."""

    lines: MultiLine = field(default_factory=MultiLine)
    told: dict[int, RawRecord] = field(default_factory=dict)
    at_s: float = 0.0  # monotonic, of its last message


class Streams:
    """Feed messages; a record comes out when the next one of its stream begins, after a pause, or from `rest`."""

    def __init__(self) -> None:
        self._open: OrderedDict[Stream, _Open] = OrderedDict()
        self._number = 0
        self.cut = 0  # records that kept their beginning only

    def feed(self, message: Message) -> Iterator[RawRecord]:
        """The records that this message ends, of its own stream or of the one that was silent longest."""
        if not message.record.text and message.stream not in self._open:
            return
        if "\n" in message.record.text:  # its sender counted it: it is whole
            yield from self._end(message.stream)
            yield message.record
            return
        yield from self._fed(message)
        if len(self._open) > MAX_STREAMS:
            yield from self._end(next(iter(self._open)))

    def idle(self) -> Iterator[RawRecord]:
        """The records of streams that have been silent: programs write the lines of a record at once."""
        latest = time.monotonic() - PAUSE_SECONDS
        while self._open and (first := next(iter(self._open.items())))[1].at_s <= latest:
            yield from self._end(first[0])

    def rest(self) -> Iterator[RawRecord]:
        """All that wait."""
        while self._open:
            yield from self._end(next(iter(self._open)))

    def _fed(self, message: Message) -> Iterator[RawRecord]:
        opened = self._open.pop(message.stream, None) or _Open()
        self._open[message.stream] = opened
        opened.at_s = time.monotonic()
        self._number += 1
        opened.told[self._number] = message.record
        line = message.record.text.encode("utf-8", "replace")
        for number, record in opened.lines.feed(self._number, line):
            yield self._record(opened, number, record)
        self._note_cut(opened)
        # A line that goes on with the record is of no more use as a beginning of its own.
        kept = (opened.lines.begins_at, self._number)
        opened.told = {each: record for each, record in opened.told.items() if each in kept}

    def _end(self, stream: Stream) -> Iterator[RawRecord]:
        opened = self._open.pop(stream, None)
        if opened is not None:
            for number, record in opened.lines.rest():
                yield self._record(opened, number, record)
            self._note_cut(opened)

    def _record(self, opened: _Open, number: int, lines: bytes) -> RawRecord:
        """The first message's record, with the lines of all."""
        record = opened.told[number]
        record.text = lines.decode("utf-8", "replace")
        return record

    def _note_cut(self, opened: _Open) -> None:
        self.cut, opened.lines.cut = self.cut + opened.lines.cut, 0
