"""Redaction: idempotent, bounded, as many lines as before, and no token left behind it."""

from __future__ import annotations

from collections.abc import Iterable

from collector.redaction import redact
from fuzz.stages import PLANTED, every, fixture_lines, leaked, must, text_of
from tests.collector.redaction import generated


def check(data: bytes) -> None:
    """Any text, and any text around a token."""
    text = text_of(data)
    half = len(text) // 2
    for given in (text, f"{text[:half]} {PLANTED} {text[half:]}"):
        once = redact(given)
        must(redact(once.text).text == once.text, "redacting twice changes nothing")
        must(len(once.text) <= 2 * len(given) + 64, "at most twice as long and 64 characters")
        must(once.text.count("\n") == given.count("\n") or once.found == (("failed", 1),), "as many lines as before")
        must(not leaked(once.text), "no token is left")


def seeds() -> Iterable[bytes]:
    """Fixtures and hard lines of every kind."""
    yield from every(10, fixture_lines())
    for kind in generated.KINDS:
        yield from (line.encode("utf-8", "replace")[:2000] for line, _, _ in generated.lines(kind, 11)[::9])
