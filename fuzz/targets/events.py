"""The event's JSON: read or refused, and what is read is written the same; the analyzer takes every event that can be read."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.pipeline import Analyzer
from collector.events import EventDecodeError, from_json, to_json
from collector.settings import Settings
from fuzz.stages import collector, every, fixture_lines, must, raw, text_of


def check(data: bytes) -> None:
    """Decode; then encode, decode and judge."""
    try:
        event = from_json(data)
    except EventDecodeError:
        return
    encoded = to_json(event)
    must(to_json(from_json(encoded)) == encoded, "an event is what its JSON says")
    verdict = Analyzer(Settings()).judge(event)
    must(verdict.event.schema == event.schema, "a verdict is about its event")


def seeds() -> Iterable[bytes]:
    """Events of the fixtures."""
    for line in every(9, fixture_lines()):
        yield to_json(collector().collect(raw(text_of(line))))
