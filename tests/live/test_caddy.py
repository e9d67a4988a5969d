"""Caddy with caddy-jwt, and Debian's Caddy with forward_auth."""

from __future__ import annotations

import pytest

from benchmarks.live import caddy
from tests.live.checks import check
from tests.live.conftest import Drives


@pytest.mark.live(caddy.GATEWAY)
def test_caddy_with_caddy_jwt(drives: Drives) -> None:
    """caddy-jwt's line and the access line find each other by the token's two ends."""
    check(caddy.GATEWAY, drives)


@pytest.mark.live(caddy.FORWARDING)
def test_caddy_with_forward_auth(drives: Drives) -> None:
    """The service's challenge stands in Caddy's access log."""
    check(caddy.FORWARDING, drives)
