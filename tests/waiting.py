"""Waiting for what other threads and processes do: until it is so, and never for a fixed time.

Every limit is a hang limit. WHY401_TEST_PATIENCE multiplies them all, for a machine that is slower still.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PATIENCE: Final = float(os.environ.get("WHY401_TEST_PATIENCE", "1"))


def patient(seconds: float) -> float:
    """A hang limit, as long as this machine needs it."""
    return seconds * PATIENCE


HANG_S: Final = patient(120.0)


def eventually(holds: Callable[[], T], what: str, *, within_s: float = HANG_S) -> T:
    """The first true value of `holds`; fails with `what` when the hang limit passes."""
    deadline = time.monotonic() + within_s
    while not (value := holds()):
        assert time.monotonic() < deadline, f"still waiting after {within_s:g} s: {what}"
        time.sleep(0.02)
    return value
