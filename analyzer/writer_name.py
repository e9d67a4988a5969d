"""By which name a writer holds the lease of upkeep: the same one after a crash, so that it need not wait for its own to end.

A working process that is started again after a crash (why401/restarting.py) is a fork of the same parent as the one before it, which is
dead: what that one held is its own. Processes side by side have places of their own.
"""

from __future__ import annotations

import itertools
import uuid
from functools import cache

_numbers = itertools.count()
_at = [1]  # the place of this process


@cache
def settle() -> str:
    """Name this start of why401, for every process that is forked from now on."""
    return uuid.uuid4().hex


def work_at(place: int) -> None:
    """Say at which place this process works, beside others of the same start."""
    _at[:] = [place]


def next_name() -> str:
    """Another name for each writer of a process; in a process that replaces a dead one, the same in the same order."""
    return f"{settle()}-{_at[0]}-{next(_numbers)}"
