"""The state of a group of failures, and its audit trail: who decided what, when, and why.

Decisions are rows of `store.notes`, which are only ever appended; the latest one with a state counts. The view `groups`
adds what follows from the data: a group that failed after it was resolved has the status `regressed`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import duckdb

MAX_NOTE: Final = 10_000  # characters
_APPEND: Final = "INSERT INTO store.notes (group_id, noted_at, author, state, note) VALUES (?, ?, ?, ?, ?)"
_TRAIL: Final = (
    "SELECT noted_at, author, state, note FROM store.notes WHERE group_id = ? ORDER BY noted_at, state, note"
)


class State(StrEnum):
    """What a person decides about a group."""

    OPEN = "open"
    RESOLVED = "resolved"  # until it fails again
    MUTED = "muted"  # whatever it does


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A state, a note, or both. Raises ValueError when it is neither, or the note is too long."""

    group_id: str
    author: str
    state: State | None = None  # None leaves the state as it is
    note: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        if self.state is None and not self.note:
            raise ValueError("a decision needs a state or a note")
        if len(self.note) > MAX_NOTE:
            raise ValueError(f"a note has at most {MAX_NOTE:,} characters, not {len(self.note):,}")

    def statement(self) -> tuple[str, list[object]]:
        """The SQL that appends it, with its parameters."""
        return _APPEND, [self.group_id, self.at, self.author, self.state and self.state.value, self.note]


def decisions(con: duckdb.DuckDBPyConnection, group_id: str) -> tuple[Decision, ...]:
    """The audit trail of a group, the oldest first."""
    return tuple(
        Decision(group_id=group_id, author=author, state=State(state) if state else None, note=note, at=at)
        for at, author, state, note in con.execute(_TRAIL, [group_id]).fetchall()
    )


def current(con: duckdb.DuckDBPyConnection, group_id: str) -> State:
    """The state that the latest decision set; open when there is none."""
    states = [decision.state for decision in decisions(con, group_id) if decision.state]
    return states[-1] if states else State.OPEN
