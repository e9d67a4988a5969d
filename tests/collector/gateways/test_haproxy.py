"""Where HAProxy's captures hold the credential, learned from lines that had one."""

from __future__ import annotations

from collector.events import Origin
from collector.gateways.haproxy import parse
from collector.gateways.reading.places import LEARNED
from collector.records import RawRecord

LINE = '192.0.2.9:41822 [11/May/2026:06:07:08.090] {frontend} {frontend}/<NOSRV> 0/-1/-1/-1/0 403 192 - - PR-- 3/3/1/1/0 0/0 {captures} "GET / HTTP/1.1"'


def is_logged(frontend: str, captures: str) -> bool:
    parsed = parse(RawRecord(Origin("file"), 1, LINE.format(frontend=frontend, captures=captures)))
    assert parsed is not None
    return parsed.credential_logged


def test_an_empty_place_says_nothing_before_a_credential_was_seen_there() -> None:
    """It may as well be a referrer."""
    assert not is_logged("new", "{shop.example.org|}")


def test_an_empty_place_is_an_absent_credential_once_some_were_seen_there() -> None:
    """The same frontend, the same number of captures, more than one line."""
    for _ in range(LEARNED):
        assert not is_logged("seen", "{shop.example.org|}")
        assert is_logged("seen", "{shop.example.org|Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln}")

    assert is_logged("seen", "{shop.example.org|}")
    assert not is_logged("seen", "{|okhttp/5.0}")
    assert not is_logged("seen", "{shop.example.org|okhttp/5.0|}")
    assert not is_logged("other", "{shop.example.org|}")


def test_a_frontend_with_credentials_at_two_places_is_left_alone() -> None:
    """Which of them the verifier reads is not known."""
    for _ in range(LEARNED):
        assert is_logged("two", "{Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln|shop.example.org}")
        assert is_logged("two", "{shop.example.org|Basic c2hvcDp4}")

    assert not is_logged("two", "{|shop.example.org}")
