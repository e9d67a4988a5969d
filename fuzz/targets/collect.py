"""The whole collector: one record is one event, which survives its own encoding and holds no planted token."""

from __future__ import annotations

from collections.abc import Iterable

from collector.events import from_json, to_json
from fuzz.stages import PLANTED, collector, every, fixture_lines, leaked, must, raw, text_of


def check(data: bytes) -> None:
    """The text alone, with a token behind it, and with a token in a field beside it."""
    text = text_of(data)
    for record in (
        raw(text),
        raw(f"{text} {PLANTED}"),
        raw(text, attributes={"http.request.header.authorization": PLANTED}),
    ):
        event = collector().collect(record)
        must(event.words.reason != "failed", "no record makes the collector fail")
        encoded = to_json(event)
        must(from_json(encoded) == event, "an event is what its JSON says")
        must(not leaked(encoded), "no event holds a token")


def seeds() -> Iterable[bytes]:
    """Every third fixture."""
    return every(3, fixture_lines())
