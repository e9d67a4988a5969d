"""How much work one text may cost: an outsider writes it, and everybody else waits for it.

A step is about a microsecond: a search that found something, a part of judging a value, an escape undone. Ordinary lines need one
for every third character at most. Counting steps instead of time makes the answer the same on every machine. A text that
costs more than its length allows is given up like one that a rule stumbled over.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

FIRST_STEPS: Final = 600
STEPS_A_CHARACTER: Final = 2  # of short texts
BASE_STEPS: Final = 8_400
CHARACTERS_A_STEP: Final = 8  # of long ones
_UNLIMITED: Final = 1 << 62  # outside of redaction the same patterns are nobody's burden


class TooCostly(Exception):
    """The text costs more than its length allows."""


class _Meter(threading.local):
    left = _UNLIMITED
    shared = _UNLIMITED  # what the texts of one record may cost together
    begun = 0


_METER: Final = _Meter()


def start(size: int) -> None:
    """Count for a text of so many characters, in this thread."""
    meter = _METER
    own = min(FIRST_STEPS + STEPS_A_CHARACTER * size, BASE_STEPS + size // CHARACTERS_A_STEP)
    meter.left = meter.begun = min(own, meter.shared)


def stop() -> int:
    """Count no longer; the steps that the text has cost."""
    meter = _METER
    spent = meter.begun - meter.left
    meter.shared -= spent
    meter.left = _UNLIMITED
    return spent


@contextmanager
def shared(steps: int) -> Iterator[None]:
    """The texts that are redacted inside, in this thread, cost at most so many steps together."""
    _METER.shared = steps
    try:
        yield
    finally:
        _METER.shared = _UNLIMITED


def spend(steps: int) -> None:
    """Count steps. Raises TooCostly when there are none left."""
    _METER.left -= steps
    if _METER.left < 0:
        raise TooCostly
