"""Waiting for what other threads and processes do: until it is so, and never for a fixed time.

Every limit is a hang limit. WHY401_TEST_PATIENCE multiplies them all, for a machine that is slower still.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE: Final = float(os.environ.get("WHY401_TEST_PATIENCE", "1"))


def patient(seconds: float) -> float:
    """A hang limit, as long as this machine needs it."""
    return seconds * PATIENCE


HANG_S: Final = patient(300.0)  # twice what the slowest setup takes on the slowest machine seen


def eventually(holds: Callable[[], T], what: str, *, within_s: float = HANG_S) -> T:
    """The first true value of `holds`; fails with `what` when the hang limit passes."""
    deadline = time.monotonic() + within_s
    while True:
        asked = time.monotonic()
        if value := holds():
            return value
        assert time.monotonic() < deadline, f"still waiting after {within_s:g} s: {what}"
        # What is dear to ask is asked less often: the machine belongs to what is waited for.
        time.sleep(max(0.02, time.monotonic() - asked))


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """What it returns, on a thread of its own: a browser's test leaves an event loop running on this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
