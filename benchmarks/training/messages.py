"""Everything that the learned reader is trained on."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from analyzer.knowledge.signatures import titles
from benchmarks.labelled import CORPUS, Labelled, corpus, examples, unlisted

SENTENCES: Final = Path(__file__).with_name("sentences.toml")
PATTERNS: Final = Path(__file__).with_name("patterns")
SPELLED: Final = 2  # sentences of one pattern, at most


def invented() -> Iterator[Labelled]:
    """Sentences of no product, and the titles of the codes. Each is a family of its own."""
    for code, row in tomllib.loads(SENTENCES.read_text(encoding="utf-8")).items():
        for number, text in enumerate(row["says"]):
            yield Labelled(f"invented.{code}.{number}", text, (code,), "invented", f"{code}.{number}")
    for code, text in titles().items():
        if code != "unclassified":
            yield Labelled(f"title.{code}", text, (code,), "invented", f"title.{code}")
    neutral = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))["unclassified"]
    for frame in neutral["frames"]:
        for thing in neutral["things"]:
            yield Labelled(f"neutral.{frame}", frame.replace("{}", thing), ("unclassified",), "neutral", frame)


def spelled(pattern: str) -> Iterator[str]:
    """Sentences of a pattern, each with other alternatives: as many as its longest list has, at most SPELLED.

    >>> list(spelled("<token|jwt> <has expired|is too old|ran out> at 10:00"))
    ['token has expired at 10:00', 'jwt is too old at 10:00', 'token ran out at 10:00']
    """
    head, *rest = pattern.split("<")
    if not rest:
        yield pattern
        return
    pieces = [tuple(piece.partition(">")[::2]) for piece in rest]
    lists = [(inner.split("|") if "|" in inner else [f"<{inner}>"], behind) for inner, behind in pieces]
    for number in range(min(SPELLED, max(len(choices) for choices, _ in lists))):
        yield head + "".join(choices[number % len(choices)] + behind for choices, behind in lists)


def patterns() -> Iterator[Labelled]:
    """Sentences that many programmers would write, from patterns with alternatives. Each pattern is a family of its own."""
    for file in sorted(PATTERNS.glob("*.toml")):
        for code, row in tomllib.loads(file.read_text(encoding="utf-8")).items():
            for number, pattern in enumerate(row["says"]):
                family = f"{file.stem}.{code}.{number}"
                yield from (Labelled(family, text, (code,), "patterns", family) for text in spelled(pattern))


def everything(folder: Path = CORPUS) -> list[Labelled]:
    """All messages, in a fixed order."""
    return [*examples(), *unlisted(), *invented(), *patterns(), *corpus(folder)]
