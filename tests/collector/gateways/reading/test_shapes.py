"""Every layout of the table comes apart: time, level, logger, thread and sentence stand where they belong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from collector.gateways.reading.shapes import SHAPES, read_line
from collector.gateways.reading.times import rfc3339_ns
from tests.cases import failing

LINES = tomllib.loads((Path(__file__).parents[3] / "fixtures" / "lines" / "layouts.toml").read_text(encoding="utf-8"))[
    "line"
]
ARRIVED = rfc3339_ns("2026-03-03T10:00:05Z")
CLASS = "JwtKeyNotFoundResolver"


def test_a_line_comes_apart() -> None:
    """A hundred and more lines in the layouts of their products."""
    assert {} == failing([(line["text"], line) for line in LINES], _check, at_least=130)


def _check(line: dict[str, Any]) -> None:
    read = read_line(line["text"], 0, ARRIVED)

    assert read is not None
    found = {"level": read.level, "logger": read.logger, "thread": read.thread, "message": read.message}
    assert {name: line.get(name, "") for name in found} == found
    assert rfc3339_ns(line.get("time", "")) == read.time_ns


def test_every_layout_is_proved() -> None:
    """A layout that no line of the fixtures reaches is dead, or stands behind one that takes its lines."""
    reached = {read.shape for line in LINES if (read := read_line(line["text"], 0, ARRIVED))}

    assert {shape.name for shape in SHAPES} - reached == set()


@pytest.mark.parametrize(
    "line",
    [
        f"2026-03-03 10:00:00,123 ERROR [org.example.{CLASS}] (worker-1) token refused",
        f"2026-03-03 10:00:00.123  WARN 47 --- [{CLASS}-1] o.e.{CLASS} : token refused",
        f"10:00:00.123 [{CLASS}] ERROR o.e.{CLASS} - token refused",
        f"fail: Example.{CLASS}[3]\n      token refused",
        f"[2026-03-03 10:00:00] {CLASS}.ERROR: token refused",
        f"2026-03-03T10:00:00Z ERROR carts::{CLASS}: token refused",
        f"2026-03-03T10:00:00Z\tERROR\t{CLASS}\t{CLASS}.go:12\ttoken refused",
        f"[2026-03-03T10:00:00,685][WARN ][o.e.{CLASS}] [node-1] token refused",
    ],
)
def test_a_class_or_thread_is_no_word_of_the_sentence(line: str) -> None:
    """What a program calls its parts says nothing of the token."""
    read = read_line(line)

    assert read is not None
    assert read.message == "token refused"


@pytest.mark.parametrize(
    "text", ["oidc: malformed jwt", "Error while parsing token", "Warning signs were seen", "token refused", "", "["]
)
def test_a_sentence_alone_has_no_layout(text: str) -> None:
    """A word that is also a level's name begins a sentence as well."""
    assert read_line(text) is None


@pytest.mark.parametrize(
    "piece", ["[", "a=", "{", "::", "a:", " - ", "[a] ", "«", "2026-03-03 10:00:00 ", "ERROR ", "x{a=b}:"]
)
def test_a_hostile_line_takes_no_time(piece: str) -> None:
    """The table's expressions are bounded: a thousand times the same piece is read like any other line."""
    for head in ("", "2026-03-03 10:00:00 ", "2026-03-03 10:00:00 ERROR "):
        read = read_line(head + piece * 20_000)

        assert read is None or len(read.message) <= len(head + piece * 20_000)
