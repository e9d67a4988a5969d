"""Traefik 3 with forwardAuth and PyJWT behind it."""

from __future__ import annotations

import pytest

from benchmarks.live import traefik
from tests.live.checks import check
from tests.live.conftest import Drives


@pytest.mark.live(traefik.GATEWAY)
def test_traefik_with_an_authorization_service(drives: Drives) -> None:
    """Its JSON access log with the headers kept tells every cause."""
    check(traefik.GATEWAY, drives)
