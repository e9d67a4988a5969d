"""HAProxy 2.6 and later, checking tokens with its own converters."""

from __future__ import annotations

from typing import Final

import pytest

from benchmarks.live import haproxy
from tests.live.checks import check
from tests.live.conftest import Drives

SILENT: Final = {"kid-rotated": "the token is good, and HAProxy does not tell which of its rules refused it"}


# HAProxy's key is a PEM file, and why401 takes key sets: with the configuration alone no signature is checked.
UNKNOWN_KEYS: Final = "the key is a PEM file, no key set"
PINNED: Final = dict.fromkeys(("kid-unknown", "signature-wrong-key", "signature-payload-changed"), UNKNOWN_KEYS)


@pytest.mark.live(haproxy.GATEWAY)
def test_haproxy_that_gives_no_reason(drives: Drives) -> None:
    """Its log has no reason at all; the token in it and the configured issuer are enough."""
    check(haproxy.GATEWAY, drives, SILENT, PINNED)


@pytest.mark.live(haproxy.CAPTURING)
def test_haproxy_that_captures_what_jwt_verify_returns(drives: Drives) -> None:
    """The line that docs/gateways.md recommends tells a pinned key that is out of date."""
    check(haproxy.CAPTURING, drives, untold=dict.fromkeys(("kid-rotated", "kid-unknown"), UNKNOWN_KEYS))
