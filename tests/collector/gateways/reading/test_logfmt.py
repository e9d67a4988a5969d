"""Logfmt, in whatever order a program writes its pairs: what is said, at which level, and of which request."""

from __future__ import annotations

import pytest

from collector.gateways import parse
from collector.records import Origin, Parsed, RawRecord

REFUSED = (
    'time=2026-03-03T10:00:00Z level=error msg="refused" method=GET path=/carts status=401 err="signature is invalid"',
    'component=gw level=error msg="refused" method=GET path=/carts status=401 dur=7ms err="signature is invalid"',
    'svc=carts caller=auth.go:31 lvl=warn msg="refused" method=GET path=/carts status=401 error="signature is invalid"',
)


def parsed(text: str) -> Parsed | None:
    found = parse(RawRecord(Origin("file", "log"), 1_772_532_000 * 10**9, text=text))
    return found if isinstance(found, Parsed) else None


@pytest.mark.parametrize("line", REFUSED)
def test_the_first_key_is_any(line: str) -> None:
    """Method, path, status and the reason by their names."""
    read = parsed(line)

    assert read is not None
    assert ("GET", "/carts", 401) == (read.method, read.path, read.status)
    assert "signature is invalid" in read.message


@pytest.mark.parametrize("level", ["level=2", "+level=error", "log_level=error"])
def test_a_sentence_with_equals_signs_keeps_its_words(level: str) -> None:
    """No level is named as logfmt names it."""
    read = parsed(f"x=1 {level} JWT validation failed: signature is invalid")

    assert read is not None
    assert "signature is invalid" in read.message
