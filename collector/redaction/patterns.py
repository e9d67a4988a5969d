"""RE2 patterns over views: one byte is one character, and no text makes a search slower than linear.

`Pattern` calls the RE2 object itself. The wrapper's `re`-like methods make a generator for every search, which costs
three times the search on lines as short as a log's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import re2
from re2 import _re2

from collector.redaction.meter import spend

_MEMORY: Final = 64 << 20  # for automata; beyond it RE2 falls back to a slower (still linear) search
_ANYWHERE: Final = _re2.RE2.Anchor.UNANCHORED
_START: Final = _re2.RE2.Anchor.ANCHOR_START
_BOTH: Final = _re2.RE2.Anchor.ANCHOR_BOTH
_NONE: Final = (-1, -1)


class Match(NamedTuple):
    """What a pattern found in `data`: its spans, the whole first, then the groups'; (-1, -1) for no part in it."""

    data: bytes
    spans: list[tuple[int, int]]

    def start(self, group: int = 0) -> int:
        """Where it begins."""
        return self.spans[group][0]

    def end(self, group: int = 0) -> int:
        """Where it ends."""
        return self.spans[group][1]

    def span(self, group: int = 0) -> tuple[int, int]:
        """Both."""
        return self.spans[group]

    def group(self, group: int = 0) -> bytes:
        """Its bytes; b"" also when the group has no part in the match."""
        start, end = self.spans[group]
        return self.data[start:end] if start >= 0 else b""


class Pattern:
    """A pattern, compiled when it is first asked: a command that reads one line asks a tenth of them.

    `end` is the end of what may be read, as in the standard library.
    """

    __slots__ = ("_match", "_one_line", "pattern")
    _match: Any

    def __init__(self, pattern: bytes, *, one_line: bool = False) -> None:
        self.pattern = pattern
        self._one_line = one_line

    def __getattr__(self, name: str) -> Any:
        """`_match`, the first time; then it is an attribute like any other. Raises ValueError for what RE2 cannot read."""
        if name != "_match":
            raise AttributeError(name)
        regexp = _re2.RE2(self.pattern, _options(one_line=self._one_line))
        if not regexp.ok():
            raise ValueError(f"not a pattern of RE2: {regexp.error()}")
        self._match = regexp.Match
        return self._match

    def _spans(self, anchor: Any, data: bytes, start: int, end: int | None) -> list[tuple[int, int]]:
        end = len(data) if end is None or end > len(data) else end
        if start > end:  # RE2 prints a complaint of its own
            return [_NONE]
        spans: list[tuple[int, int]] = self._match(anchor, data, start, end)
        return spans

    def find(self, data: bytes, start: int = 0, end: int | None = None) -> tuple[int, int]:
        """The span of the first match; (-1, -1) for none."""
        spans = (
            self._match(_ANYWHERE, data, start, len(data)) if end is None else self._spans(_ANYWHERE, data, start, end)
        )
        span: tuple[int, int] = spans[0]
        return span

    def end_at(self, data: bytes, start: int = 0, end: int | None = None) -> int:
        """The end of the match that begins at `start`; -1 for none."""
        spans = self._match(_START, data, start, len(data)) if end is None else self._spans(_START, data, start, end)
        found: int = spans[0][1]
        return found

    def fits(self, data: bytes) -> bool:
        """The whole of it matches."""
        return bool(self._match(_BOTH, data, 0, len(data))[0] != _NONE)

    def search(self, data: bytes, start: int = 0, end: int | None = None) -> Match | None:
        """The first match."""
        spans = self._spans(_ANYWHERE, data, start, end)
        return Match(data, spans) if spans[0] != _NONE else None

    def match(self, data: bytes, start: int = 0, end: int | None = None) -> Match | None:
        """The match that begins at `start`."""
        spans = self._spans(_START, data, start, end)
        return Match(data, spans) if spans[0] != _NONE else None

    def spans(self, data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """The spans of all matches, from left to right, a step each; of patterns that match no empty text."""
        end, match = len(data) if end is None else min(end, len(data)), self._match
        while start <= end and (span := match(_ANYWHERE, data, start, end)[0])[0] >= 0:
            spend(1)
            yield span
            start = span[1]

    def finditer(self, data: bytes, start: int = 0, end: int | None = None) -> Iterator[Match]:
        """All matches, from left to right, a step each; of patterns that match no empty text."""
        end = len(data) if end is None else min(end, len(data))
        while start <= end and (spans := self._match(_ANYWHERE, data, start, end))[0] != _NONE:
            spend(1)
            yield Match(data, spans)
            start = spans[0][1]


def compiled(pattern: bytes, *, one_line: bool = False) -> Pattern:
    """A pattern over Latin-1 bytes; with `one_line` no match holds a line break, whatever the pattern says."""
    return Pattern(pattern, one_line=one_line)


def any_of(patterns: Iterable[bytes]) -> Callable[[bytes], list[int]]:
    """A function that gives, in one pass, the indexes of the patterns that occur, in no order."""
    patterns_set = _re2.Set(_ANYWHERE, _options())
    for pattern in patterns:
        if patterns_set.Add(pattern) < 0:
            raise ValueError(f"not a pattern of RE2: {pattern!r}")
    if not patterns_set.Compile():
        raise ValueError("these patterns are too many for one automaton")
    match: Callable[[bytes], list[int]] = patterns_set.Match
    return match


def _options(*, one_line: bool = False) -> Any:
    options = re2.Options()
    options.never_nl = one_line
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    return options


# A set asks for a few characters where a rule asks for forty: each count multiplies its automaton's states.
_COUNT: Final = compiled(rb"\{[0-9]+(?:,[0-9]*)?\}\??")
_MAX_COUNT: Final = 4


def shortened_counts(pattern: bytes) -> bytes:
    """A pattern that occurs wherever the given one does: `{36}` and `{20,40}` become `{4,}`."""
    pieces: list[bytes] = []
    position = 0
    for start, end in _COUNT.spans(pattern):
        least, _, most = pattern[start + 1 : end].rstrip(b"?}").partition(b",")
        if int(most or 99) <= _MAX_COUNT and int(least) <= int(most or 0):
            continue
        pieces += pattern[position:start], b"{%d,}" % min(int(least), _MAX_COUNT)
        position = end
    return b"".join(pieces) + pattern[position:]
