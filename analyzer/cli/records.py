"""Records for `explain` and `redact`: from arguments, files or standard input; one per line, or one JSON string per line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

STDIN = "-"


def read(arguments: Iterable[str], form: str) -> Iterator[str]:
    """Every record in order. An argument that is a file's name is read, "-" is standard input, anything else is a record.

    `form` "json": each line is a JSON string that holds one raw record (which may span lines); a line that is none
    stands for itself, so that as many come out as went in.
    """
    for argument in list(arguments) or [STDIN]:
        lines = _lines(argument)
        yield from (decode(line) for line in lines) if form == "json" else lines


def _lines(argument: str) -> Iterable[str]:
    if argument == STDIN:
        return (_text(line) for line in sys.stdin.buffer)
    if _is_file(argument):
        return _file_lines(Path(argument))
    return [argument]


def _is_file(argument: str) -> bool:
    try:
        return len(argument) < 4096 and "\n" not in argument and Path(argument).is_file()
    except (OSError, ValueError):
        return False


def _file_lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        yield from (_text(line) for line in file)


def _text(line: bytes) -> str:
    return line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8", "replace")


def decode(line: str) -> str:
    """The raw record in a JSON string."""
    try:
        value = orjson.loads(line)
    except ValueError:
        return line
    return value if isinstance(value, str) else line
