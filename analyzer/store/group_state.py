"""What people decide about a group of failures, and its audit trail: who decided what, when, and why.

Decisions are rows of `store.notes`, which are only ever appended; of each kind the latest counts. The view `decisions` adds
what follows from the data: a group that failed after it was resolved has regressed, a mute that is over counts no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import reduce
from typing import Final

import duckdb

MAX_NOTE: Final = 10_000  # characters
MAX_NAME: Final = 200  # of an author, an assignee, a group's id
_COLUMNS: Final = "noted_at, author, state, note, muted_until, next_release, assignee, merged_into"
_APPEND: Final = f"INSERT INTO store.notes (group_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # names of ours
_TRAIL: Final = f"SELECT {_COLUMNS} FROM store.notes WHERE group_id = ? ORDER BY noted_at, state, note"  # noqa: S608


class State(StrEnum):
    """What a person decides about a group."""

    OPEN = "open"
    RESOLVED = "resolved"  # until it fails again
    MUTED = "muted"  # whatever it does, for a time or for good
    ARCHIVED = "archived"  # whatever it does, and in no list


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A state, an assignee, a merge, a note, or several of them; None leaves what was decided before.

    Raises ValueError for what is none of them, is too long, or does not fit together.

    >>> Decision(group_id="v1-00", author="ana", state=State.RESOLVED, next_release=True).says
    'resolved in the next release'
    """

    group_id: str
    author: str
    state: State | None = None
    muted_until: datetime | None = None  # of a mute; None: for good
    next_release: bool = False  # of a resolution: failures count from the next release on
    assignee: str | None = None  # "" is nobody
    merged_into: str | None = None  # another group; the group itself: never shown as one with others; "": as they fall
    note: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        if self.state is self.assignee is self.merged_into is None and not self.note:
            raise ValueError("a decision needs a state, an assignee, a merge or a note")
        if self.muted_until is not None and self.state is not State.MUTED:
            raise ValueError("only a mute has an end")
        if self.next_release and self.state is not State.RESOLVED:
            raise ValueError("only a resolution waits for the next release")
        self._expect_lengths()

    def _expect_lengths(self) -> None:
        if len(self.note) > MAX_NOTE:
            raise ValueError(f"a note has at most {MAX_NOTE:,} characters, not {len(self.note):,}")
        names = filter(None, (self.group_id, self.author, self.assignee, self.merged_into))
        if any(len(name) > MAX_NAME for name in names):
            raise ValueError(f"a name has at most {MAX_NAME} characters")

    @property
    def says(self) -> str:
        """What was decided, without the note: words of ours and names."""
        return ", ".join(filter(None, (self._state_says(), self._assignee_says(), self._merge_says())))

    def statement(self) -> tuple[str, list[object]]:
        """The SQL that appends it, with its parameters."""
        return _APPEND, [
            self.group_id, self.at, self.author, self.state and self.state.value, self.note,
            self.muted_until, self.next_release, self.assignee, self.merged_into,
        ]  # fmt: skip

    def _state_says(self) -> str:
        if self.state is State.OPEN:
            return "opened"
        if self.next_release:
            return "resolved in the next release"
        until = f" until {self.muted_until.astimezone(UTC):%d %b %H:%M} UTC" if self.muted_until else ""
        return f"{self.state.value}{until}" if self.state else ""

    def _assignee_says(self) -> str:
        if self.assignee is None:
            return ""
        return f"assigned to {self.assignee}" if self.assignee else "assigned to nobody"

    def _merge_says(self) -> str:
        if self.merged_into is None:
            return ""
        if not self.merged_into:
            return "taken out of the merge"
        return "kept apart" if self.merged_into == self.group_id else f"merged into {self.merged_into}"


def decisions(con: duckdb.DuckDBPyConnection, group_id: str) -> tuple[Decision, ...]:
    """The audit trail of a group, the oldest first."""
    return tuple(
        Decision(
            group_id=group_id, at=at, author=author, state=State(state) if state else None, note=note or "",
            muted_until=until, next_release=bool(next_release), assignee=assignee, merged_into=merged_into,
        )
        for at, author, state, note, until, next_release, assignee, merged_into in con.execute(_TRAIL, [group_id]).fetchall()
    )  # fmt: skip


def current(con: duckdb.DuckDBPyConnection, group_id: str) -> State:
    """The state that the latest decision set; open when there is none."""
    states = [decision.state for decision in decisions(con, group_id) if decision.state]
    return states[-1] if states else State.OPEN


def latest(trail: Sequence[Decision]) -> Decision | None:
    """The last one that is more than a note."""
    return next((decision for decision in reversed(trail) if decision.says), None)


def undone(trail: Sequence[Decision], author: str) -> Decision | None:
    """The decision that takes back the latest one of a trail; None when nothing but notes is there.

    It is appended like any other, so taking back twice is to do it again.

    >>> muted = Decision(group_id="v1-00", author="ana", state=State.MUTED)
    >>> back = undone([muted], "ben")
    >>> back.state, undone([muted, back], "ben").state
    (<State.OPEN: 'open'>, <State.MUTED: 'muted'>)
    """
    last = latest(trail)
    if last is None:
        return None
    before = _summed(trail[: trail.index(last)], last.group_id)
    is_state = last.state is not None
    return replace(
        last,
        author=author,
        at=datetime.now(UTC),
        state=before.state if is_state else None,
        muted_until=before.muted_until if is_state else None,
        next_release=before.next_release and is_state,
        assignee=None if last.assignee is None else before.assignee,
        merged_into=None if last.merged_into is None else before.merged_into,
        note=f"undid: {last.says}",
    )


def _summed(trail: Iterable[Decision], group_id: str) -> Decision:
    """Everything that a trail left decided."""

    def add(known: Decision, one: Decision) -> Decision:
        stated = known if one.state is None else one
        return replace(
            known,
            state=stated.state,
            muted_until=stated.muted_until,
            next_release=stated.next_release,
            assignee=known.assignee if one.assignee is None else one.assignee,
            merged_into=known.merged_into if one.merged_into is None else one.merged_into,
        )

    return reduce(add, trail, Decision(group_id=group_id, author="", state=State.OPEN, assignee="", merged_into=""))
