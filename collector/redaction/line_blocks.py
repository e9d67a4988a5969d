"""Whole lines of bytes, for filters: what `redact` gives line by line, at the speed of one search for ordinary lines.

A few automata run over many lines at once and stop where a rule other than `ip` might match; only that line is
decoded and read by the rules. Addresses in the lines between become networks in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from collector.redaction import engine
from collector.redaction.addresses import HOST, UNSETTLED, is_address
from collector.redaction.engine import FAILED, Redacted
from collector.redaction.patterns import compiled

Found = tuple[tuple[str, int], ...]
Saw = Callable[[int, Found], None]
ADDRESS: Final[Found] = (("ip", 1),)
# Besides what other rules ask for: an address whose network might become part of something else, and bytes outside
# of ASCII, which are no characters before they are decoded.
_SUSPECTS: Final = tuple(compiled(text, one_line=True) for text in engine.suspects(UNSETTLED, rb"[\x80-\xff]"))


class RedactedLines(NamedTuple):
    """Lines that may be stored, and how often each rule replaced something in them."""

    content: bytes
    found: Mapping[str, int]


def redact_lines(block: bytes, saw: Saw | None = None, profile: str = "standard") -> RedactedLines:
    """Lines without credentials and personal data: as many as before, other bytes as they were, invalid UTF-8 too.

    `block` is whole lines; the last may lack its line feed. `saw(n, found)` is called for what was found in line n
    (from 0), once or more for a line. Never raises but what `saw` raises.
    """
    reader = _Reader(block, saw, profile)
    while reader.position < len(block):
        if profile == "standard":
            reader.ordinary()
        reader.suspicious()
    return RedactedLines(b"".join(reader.pieces), reader.found)


class _Reader:
    """A way through one block."""

    __slots__ = ("_block", "_counted", "_line", "_profile", "_saw", "_suspects", "found", "pieces", "position")

    def __init__(self, block: bytes, saw: Saw | None, profile: str) -> None:
        self._block = block
        self._profile = profile
        self._saw = saw
        self._suspects = [-1] * len(_SUSPECTS)  # where each finds the next suspicious thing; behind the end: nowhere
        self._line = self._counted = 0  # the number of the line that holds the byte _counted
        self.found: dict[str, int] = {}
        self.pieces: list[bytes] = []
        self.position = 0

    def ordinary(self) -> None:
        """Pass the lines that hold addresses at most; stop where a line begins that does not."""
        block = self._block
        stop = self._next_suspect()
        if stop < len(block):
            stop = max(block.rfind(b"\n", self.position, stop) + 1, self.position)
        position, add = self.position, self.pieces.append
        for start, end in HOST.spans(block, position, stop):
            if not is_address(block, start, end):
                continue
            add(block[position : block.rfind(b".", start, end)])
            add(b".0/24")
            position = end
            self._note(start, ADDRESS)
        add(block[position:stop])
        self.position = stop

    def _next_suspect(self) -> int:
        for index, pattern in enumerate(_SUSPECTS):
            if self._suspects[index] < self.position:
                found = pattern.find(self._block, self.position)[0]
                self._suspects[index] = len(self._block) if found < 0 else found
        return min(self._suspects)

    def suspicious(self) -> None:
        """One line through every rule."""
        block, start = self._block, self.position
        if start >= len(block):
            return
        end = block.find(b"\n", start)
        end = len(block) if end < 0 else end
        content = block[start:end].removesuffix(b"\r")
        safe, found = one_line(content, self._profile)
        if found:
            self._note(start, found)
        self.pieces += safe, block[start + len(content) : end + 1]
        self.position = end + 1

    def _note(self, place: int, found: Found) -> None:
        for rule, count in found:
            self.found[rule] = self.found.get(rule, 0) + count
        if self._saw:
            self._line += self._block.count(b"\n", self._counted, place)
            self._counted = place
            self._saw(self._line, found)


def one_line(content: bytes, profile: str = "standard") -> tuple[bytes, Found]:
    """One line, without its line feed, through every rule; and what was found."""
    try:
        redacted = engine.run(content.decode("utf-8", "surrogateescape"), profile)
    except Exception:  # fail closed, as `redact`
        redacted = FAILED
    return _bytes(redacted), redacted.found


def _bytes(redacted: Redacted) -> bytes:
    # Other breaks (a form feed, U+2028) inside of a hit come back as line feeds; a line must stay one.
    return redacted.text.replace("\n", " ").encode("utf-8", "surrogateescape")
