"""What the verifier said, read with the knowledge base: its message, reason, challenge; or a body whose length names its text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from analyzer.knowledge import Reading, read_words
from collector.events import Event


def read_event(event: Event) -> tuple[Reading, ...]:
    """Readings of all the words of an event, the most certain and most specific first."""
    words, kind = event.words, event.gateway.kind
    texts = [text for text in (words.reason, words.message, words.challenge) if text]
    readings = [reading for text in texts for reading in read_words(text, kind)]
    if not readings and event.request.status in (401, 403):
        readings = [r for text in body_texts(kind, words.body_bytes) for r in read_words(text, kind)]
    return tuple(sorted(readings, key=lambda r: (-r.certainty, -r.matched)))


def body_texts(kind: str, body_bytes: int) -> tuple[str, ...]:
    """The texts of a gateway's own answers that have this many bytes."""
    return tuple(text for text in _bodies().get(kind, ()) if len(text.encode()) == body_bytes)


@cache
def _bodies() -> Mapping[str, tuple[str, ...]]:
    raw = tomllib.loads(files("analyzer.diagnosis").joinpath("bodies.toml").read_text(encoding="utf-8"))
    return {kind: tuple(table["texts"]) for table in raw["body"] for kind in table["gateways"]}
