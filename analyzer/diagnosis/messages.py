"""The gateway's message, reason and challenge, interpreted with the knowledge base; or a body whose length identifies its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from analyzer.diagnosis.weigh import VAGUE
from analyzer.knowledge import Reading, read_words
from analyzer.knowledge.opinion import is_opinion, read_unlisted, without_numbers
from analyzer.knowledge.products import facts, relatives
from collector.events import Event

Read = Callable[[str, str], tuple[Reading, ...]]  # a text and the kind of its gateway -> interpretations, best first
ReadUnlisted = Callable[[str], tuple[Reading, ...]]  # a text that no signature knows -> interpretations, best first
MAX_READ: Final = 2_000
_OPINION: Final = 0.1  # what a signature of one text is ahead of an opinion on another
KNOWN: Final = 0.3  # a text that no signature interprets with this certainty is interpreted by its meaning as well


def read_event(event: Event, read: Read = read_words, unlisted: ReadUnlisted = read_unlisted) -> tuple[Reading, ...]:
    """Interpretations of every text of an event, the most certain and most specific first."""
    kind = event.gateway.kind
    # Within a text the knowledge base's order holds (wrapped before wrapper); the most informative text comes first.
    by_text = [readings for text in _texts(event) for readings in _readings(text, kind, read, unlisted) if readings]
    by_text.sort(key=lambda readings: _OPINION * is_opinion(readings[0]) - readings[0].certainty)
    return tuple(reading for readings in by_text for reading in readings)


def _texts(event: Event) -> tuple[str, ...]:
    words = event.words
    texts = tuple(text for text in (words.reason, words.message, words.challenge) if text)
    if not texts and event.request.status in (401, 403):
        return body_texts(event.gateway.kind, words.body_bytes)
    return texts


def _readings(text: str, kind: str, read: Read, unlisted: ReadUnlisted) -> Iterator[tuple[Reading, ...]]:
    known = read(text, kind)
    yield known
    if not any(knows(reading, kind) for reading in known):
        yield unlisted(without_numbers(text[:MAX_READ]))


def knows(reading: Reading, kind: str) -> bool:
    """Another gateway's signature that matches by chance counts only when it is certain enough."""
    foreign = reading.gateway not in ("", *relatives("gateway", kind))
    return reading.certainty >= (VAGUE if foreign else KNOWN)


def body_texts(kind: str, body_bytes: int) -> tuple[str, ...]:
    """The texts of a gateway's own responses that have this many bytes."""
    return tuple(text for text in _bodies().get(kind, ()) if len(text.encode()) == body_bytes)


@cache
def _bodies() -> Mapping[str, tuple[str, ...]]:
    rows = [row for _, content in facts("gateway", "bodies") for row in content["body"]]
    return {kind: tuple(row["texts"]) for row in rows for kind in row["gateways"]}
