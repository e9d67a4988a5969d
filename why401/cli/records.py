"""Records for `explain` and `redact`: from arguments, files or standard input; one per line, or one JSON string per line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

STDIN = "-"
READ_BYTES = 1 << 20


def read(arguments: Iterable[str], form: str) -> Iterator[str]:
    """Every record in order. An argument that is a file's name is read, "-" is standard input, anything else is a record.

    `form` "json": each line is a JSON string that holds one raw record (which may span lines); a line that is none
    stands for itself, so that as many come out as went in.
    """
    for records in read_together(arguments, form):
        yield from records


def read_together(arguments: Iterable[str], form: str) -> Iterator[list[str]]:
    """The same records, in runs that are there at the same time: what one read of a file or a pipe brings."""
    for argument in list(arguments) or [STDIN]:
        for lines in _lines(argument):
            yield [decode(line) for line in lines] if form == "json" else lines


def _lines(argument: str) -> Iterable[list[str]]:
    if argument == STDIN:
        return _runs(sys.stdin.buffer)
    if _is_file(argument):
        return _file_lines(Path(argument))
    return [[argument]]


def _runs(stream: BinaryIO) -> Iterator[list[str]]:
    """Whole lines of each read; a pipe's reader waits for no more than its writer has written."""
    begun: list[bytes] = []  # a line that has not ended yet, in parts: long ones must not be copied with every read
    while data := stream.read1(READ_BYTES):  # type: ignore[attr-defined]
        head, newline, rest = data.rpartition(b"\n")
        if not newline:
            begun.append(data)
            continue
        yield [_text(line) for line in (b"".join(begun) + head).split(b"\n")]
        begun = [rest] if rest else []
    if begun:
        yield [_text(b"".join(begun))]


def _is_file(argument: str) -> bool:
    try:
        return len(argument) < 4096 and "\n" not in argument and Path(argument).is_file()
    except (OSError, ValueError):
        return False


def _file_lines(path: Path) -> Iterator[list[str]]:
    with path.open("rb") as file:
        yield from _runs(file)


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "replace")


def decode(line: str) -> str:
    """The raw record in a JSON string."""
    try:
        value = orjson.loads(line)
    except ValueError:
        return line
    return value if isinstance(value, str) else line
