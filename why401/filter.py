"""Redaction of a stream: blocks of lines in, the same number of lines without secrets out, as soon as they arrive.

A block is as many whole lines as one read brought (decision 0010). `why401 redact` prints what comes out; nothing here knows
of files, options or terminals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import orjson

CHUNK: Final = 1 << 18  # bytes read at once, as far as they are there
MAX_LINE: Final = 1 << 20  # bytes of a line that are kept
CUT: Final = b" [line too long: the rest was dropped]"
_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+/~=%"

Found = tuple[tuple[str, int], ...]
Saw = Callable[[int, Found], None]
"""Called with the number of a line in its block (from 0) and the rules that found something there."""
Form = Callable[[bytes, Saw | None, str], tuple[bytes, Mapping[str, int]]]
"""From a block of lines to what is written in its place, and how often each rule found something."""


@dataclass(slots=True)
class Tally:
    """What went through. Numbers only: nothing of the text."""

    lines: int = 0
    size: int = 0
    cut: int = 0
    rules: Counter[str] = field(default_factory=Counter)

    def add(self, block: bytes, found: Mapping[str, int]) -> None:
        """Count a block of lines, and what was found in it."""
        self.lines += block.count(b"\n") + (not block.endswith(b"\n"))
        self.rules.update(found)


def blocks(stream: BinaryIO, tally: Tally) -> Iterator[bytes]:
    """Whole lines as they arrive; the stream's last one may lack its line feed."""
    begun = bytearray()  # a line that has not ended yet, and one byte more than is kept when it is too long
    while chunk := stream.read1(CHUNK):  # type: ignore[attr-defined]
        tally.size += len(chunk)
        first = 0
        if begun:
            end = chunk.find(b"\n")
            begun += chunk[: end if end >= 0 else None][: MAX_LINE + 1 - len(begun)]
            if end < 0:
                continue
            yield _kept(begun, tally) + b"\n"
            begun.clear()
            first = end + 1
        last = chunk.rfind(b"\n") + 1
        if last > first:
            yield chunk[first:last]
        begun += chunk[max(first, last) :]
    if begun:
        yield _kept(begun, tally)


def _kept(line: bytearray, tally: Tally) -> bytes:
    """The line, or as much as is kept: the word that the cut went through may be half a secret, and goes."""
    if len(line) <= MAX_LINE:
        return bytes(line)
    tally.cut += 1
    return bytes(line[:MAX_LINE].rstrip(_WORD)) + CUT


def text_lines(block: bytes, saw: Saw | None, profile: str = "standard") -> tuple[bytes, Mapping[str, int]]:
    """Each line by itself."""
    from collector.redaction import redact_lines

    return redact_lines(block, saw, profile)


def json_lines(block: bytes, saw: Saw | None, profile: str = "standard") -> tuple[bytes, Mapping[str, int]]:
    """Each line a JSON string that holds a record, which may span lines."""
    from collector.redaction import redact

    rules: Counter[str] = Counter()
    safe: list[bytes] = []
    for number, line in enumerate(block.removesuffix(b"\n").split(b"\n")):
        redacted = redact(unwrapped(line.removesuffix(b"\r").decode("utf-8", "replace")), profile)
        safe.append(orjson.dumps(redacted.text.encode("utf-8", "replace").decode()) + b"\n")
        rules.update(dict(redacted.found))
        if saw and redacted.found:
            saw(number, redacted.found)
    return b"".join(safe), rules


def unwrapped(line: str) -> str:
    """The raw record in a JSON string; a line that is not one is the record itself."""
    try:
        value = orjson.loads(line)
    except ValueError:
        return line
    return value if isinstance(value, str) else line


FORMS: Final[dict[str, Form]] = {"lines": text_lines, "json": json_lines}
