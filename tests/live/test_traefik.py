"""Traefik 3 with forwardAuth and PyJWT behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.live import traefik
from tests.live.checks import check


@pytest.mark.live
def test_traefik_with_an_authorization_service(tmp_path: Path) -> None:
    """Its JSON access log with the headers kept tells every cause."""
    check(traefik.GATEWAY, tmp_path)
