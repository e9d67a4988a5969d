"""Writers that meet: which errors of DuckDB are a conflict, and how long the loser waits before it tries again."""

from __future__ import annotations

import random
import time
from typing import Final

import duckdb

MAX_TRIES: Final = 60  # with the pauses below about a minute; eight writers on one catalog need a handful
MAX_PAUSE_S: Final = 2.0
# DuckLake names no error class of its own for these; PostgreSQL must speak English (lc_messages), which it does to us.
_CONFLICTS: Final = (
    "conflict", "database is locked", "maximum retry count", "could not serialize", "deadlock detected", "duplicate key",
    "already exists",  # another writer created the lake's tables between our look and our transaction
)  # fmt: skip


def is_conflict(error: duckdb.Error) -> bool:
    """Whether another writer was faster, so that the same transaction may succeed next time."""
    text = str(error).lower()
    return any(words in text for words in _CONFLICTS)


def pause(attempt: int) -> None:
    """Wait after the attempt of this number, from 0: longer each time, and never as long as another loser."""
    time.sleep(random.uniform(0.2, 1) * min(MAX_PAUSE_S, 0.02 * 2**attempt))  # noqa: S311  # spreads writers
