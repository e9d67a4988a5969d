"""Caddy with caddy-jwt, and Debian's Caddy with forward_auth."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.live import caddy
from tests.live.checks import check


@pytest.mark.live
def test_caddy_with_caddy_jwt(tmp_path: Path) -> None:
    """caddy-jwt's line and the access line find each other by the token's two ends."""
    check(caddy.GATEWAY, tmp_path)


@pytest.mark.live
def test_caddy_with_forward_auth(tmp_path: Path) -> None:
    """The service's challenge stands in Caddy's access log."""
    check(caddy.FORWARDING, tmp_path)
