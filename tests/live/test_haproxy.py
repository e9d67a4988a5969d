"""HAProxy 2.6 and later, checking tokens with its own converters."""

from __future__ import annotations

from typing import Final

import pytest

from benchmarks.live import haproxy
from tests.live.checks import check
from tests.live.conftest import Drives

SILENT: Final = {"kid-rotated": "the token is good, and HAProxy does not tell which of its rules refused it"}

# By hand, the issuer's key set is configured, where the rotated key is; HAProxy's own configuration pins the one before.
PINNED: Final = {"kid-rotated": "told only with the key that HAProxy has"}


@pytest.mark.live(haproxy.GATEWAY)
def test_haproxy_that_gives_no_reason(drives: Drives) -> None:
    """Its log has no reason at all; the token in it and the configured issuer are enough."""
    check(haproxy.GATEWAY, drives, SILENT, PINNED)


@pytest.mark.live(haproxy.CAPTURING)
def test_haproxy_that_captures_what_jwt_verify_returns(drives: Drives) -> None:
    """The lines of docs/gateways/haproxy.md tell a pinned key that is out of date."""
    check(haproxy.CAPTURING, drives)
