"""Everything that the learned reader is trained on."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from analyzer.knowledge.signatures import titles
from benchmarks.labelled import CORPUS, Labelled, corpus, examples, unlisted

SENTENCES: Final = Path(__file__).with_name("sentences.toml")


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


def everything(folder: Path = CORPUS) -> list[Labelled]:
    """All messages, in a fixed order."""
    return [*examples(), *unlisted(), *invented(), *corpus(folder)]
