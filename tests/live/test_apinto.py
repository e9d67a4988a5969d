"""Apinto, where `WHY401_TEST_APINTO` names its binary; skipped by name elsewhere."""

from __future__ import annotations

from typing import Final

import pytest

from benchmarks.live import apinto
from tests.live.checks import check
from tests.live.conftest import Drives

PINNED: Final = {
    "kid-rotated": "the token is good, and the access log does not tell that the application's key is out of date"
}


@pytest.mark.live(apinto.GATEWAY)
def test_the_access_log_that_apipark_configures(drives: Drives) -> None:
    """One body for every refusal: the header within `request_header` tells them apart."""
    check(apinto.GATEWAY, drives, PINNED)


@pytest.mark.live(apinto.LINES)
def test_the_access_log_as_lines(drives: Drives) -> None:
    """Values without names are known by what they are."""
    check(apinto.LINES, drives, PINNED)


@pytest.mark.live(apinto.NODE)
def test_the_node_log_at_debug(drives: Drives) -> None:
    """The driver's reason, with the credential in front of it."""
    check(apinto.NODE, drives)
