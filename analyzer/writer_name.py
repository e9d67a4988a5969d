"""By which name a writer holds the lease of upkeep: the same one after a crash, so that it need not wait for its own to end.

A working process that is started again after a crash (why401/restarting.py) is a fork of the same parent as the one before it, which is
dead: what that one held is its own.
"""

from __future__ import annotations

import itertools
import uuid
from functools import cache

_numbers = itertools.count()


@cache
def settle() -> str:
    """Name this start of why401, for every process that is forked from now on."""
    return uuid.uuid4().hex


def next_name() -> str:
    """Another name for each writer of a process; in a process that replaces a dead one, the same in the same order."""
    return f"{settle()}-{next(_numbers)}"
