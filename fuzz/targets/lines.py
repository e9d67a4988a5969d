"""Files: bytes cut into lines and joined to records, in any portions, lose nothing but line breaks."""

from __future__ import annotations

from collections.abc import Iterable

from collector.sources.lines import Lines, MultiLine
from fuzz.stages import every, fixture_lines, must


def check(data: bytes) -> None:
    """The same records whatever the portions, with offsets that rise."""
    step = 1 + (data[0] if data else 0) % 61
    whole, portions = _records(data, len(data) or 1), _records(data, step)
    must(whole == portions, "portions do not matter")
    offsets = [offset for offset, _ in whole]
    must(offsets == sorted(offsets), "offsets rise")
    must(
        all(data[offset : offset + 1] == record[:1] for offset, record in whole), "an offset is where its record begins"
    )
    must(sum(len(record) for _, record in whole) <= len(data), "nothing is invented")


def _records(data: bytes, step: int) -> list[tuple[int, bytes]]:
    lines, joined, records = Lines(), MultiLine(), list[tuple[int, bytes]]()
    for at in range(0, len(data), step):
        for offset, line in lines.feed(data[at : at + step]):
            records += joined.feed(offset, line)
    for offset, line in lines.rest():
        records += joined.feed(offset, line)
    return [*records, *joined.rest()]


def seeds() -> Iterable[bytes]:
    """Several fixtures at once, stack traces, dumps."""
    lines = list(every(8, fixture_lines()))
    yield b"\n".join(lines[:5])
    yield b'Traceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: x\nGET / 401\n'
    yield b"Error: x\n    at a (b.js:1:2) {\n  code: 1\n}\n2026-05-11 INFO y\r\n\r\n"
    yield b"java.lang.X: y\n\tat a.b(C.java:1)\nCaused by: d.E: f\n\t... 3 more\n"
