"""How the page and the command line write: a connection for one transaction, beside the writers (docs/decisions/0031).

It takes a turn as every writer does, creates and migrates nothing, and is closed before the answer is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, TypeVar

import duckdb

from analyzer.lake.attach import Access, connect, place
from analyzer.lake.errors import LakeError, NoStore, NotDecided
from analyzer.lake.trouble import named
from analyzer.store import group_state
from analyzer.store.changes import Change
from analyzer.store.conflicts import MAX_TRIES, is_conflict, pause
from analyzer.store.group_state import Decision
from analyzer.store.migrate import expect_current
from analyzer.store.turn import in_turn
from collector.settings import Settings

MEMORY_MIB: Final = 256
_MERGED: Final = """
SELECT group_id FROM store.notes GROUP BY group_id
HAVING arg_max(merged_into, noted_at) FILTER (merged_into IS NOT NULL) = $group AND group_id <> $group
ORDER BY group_id LIMIT 1000
"""
_KNOWN: Final = "SELECT count(*) > 0 FROM store.deltas WHERE kind = 'group' AND group_id = $group"
Made = TypeVar("Made")


def decide(settings: Settings, decision: Decision) -> tuple[str, ...]:
    """Store a decision, its state for the groups that were merged into this one, too; the ids of all of them.

    Raises ValueError for a group that is not there, NoStore, NewerStore, OlderStore, NotDecided.
    """

    def call(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
        _expect_group(con, decision.group_id)
        if decision.merged_into:
            _expect_group(con, decision.merged_into)
        made = _for_all(con, decision)
        in_turn(con, *(one.statement() for one in made))
        return tuple(one.group_id for one in made)

    return written(settings, call)


def undo(settings: Settings, group_id: str, author: str) -> Decision:
    """Take back the latest decision about a group, for the groups that it was for.

    Raises what `decide` raises; ValueError when nothing was decided.
    """

    def call(con: duckdb.DuckDBPyConnection) -> Decision:
        trail = group_state.decisions(con, group_id)
        back = group_state.undone(trail, author)
        if back is None:
            raise ValueError(f"nothing was decided about {group_id}")
        latest = group_state.latest(trail)
        trails = [group_state.decisions(con, other) for other in _merged(con, group_id)]
        same = [group_state.undone(each, author) for each in trails if _is_same(group_state.latest(each), latest)]
        in_turn(con, *(one.statement() for one in (back, *same) if one))
        return back

    return written(settings, call)


def mark(settings: Settings, change: Change) -> None:
    """Store a change that logs do not show. Raises NoStore, NewerStore, OlderStore, NotDecided."""
    written(settings, lambda con: in_turn(con, change.statement()))


def _for_all(con: duckdb.DuckDBPyConnection, decision: Decision) -> list[Decision]:
    if decision.state is None:
        return [decision]
    others = _merged(con, decision.group_id)
    return [decision, *(replace(decision, group_id=other, assignee=None, merged_into=None) for other in others)]


def _merged(con: duckdb.DuckDBPyConnection, group_id: str) -> list[str]:
    return [row[0] for row in con.execute(_MERGED, {"group": group_id}).fetchall()]


def _is_same(one: Decision | None, latest: Decision | None) -> bool:
    """Whether both come of one decision, which was stored for several groups."""
    return (
        one is not None
        and latest is not None
        and (one.at, one.author, one.state) == (latest.at, latest.author, latest.state)
    )


def _expect_group(con: duckdb.DuckDBPyConnection, group_id: str) -> None:
    if con.execute(_KNOWN, {"group": group_id}).fetchall() != [(True,)]:
        raise ValueError(f"there is no group {group_id!r}")


def written(
    settings: Settings, call: Callable[[duckdb.DuckDBPyConnection], Made], *, any_version: bool = False
) -> Made:
    """Run `call`, which makes one transaction, on a connection of its own; again when another writer was faster.

    Raises NoStore, NewerStore, OlderStore, NotDecided; with `any_version` lakes of other releases are taken, too.
    """
    for attempt in range(MAX_TRIES):
        try:
            with _connected(settings, any_version=any_version) as con:
                return call(con)
        except duckdb.Error as error:
            if not is_conflict(error):
                raise _refused(settings, error) from None
            last = error
        pause(attempt)
    raise _refused(settings, last)


@contextmanager
def _connected(settings: Settings, *, any_version: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    con = connect(settings, Access(memory_mib=MEMORY_MIB, write=True))
    try:
        if not any_version:
            expect_current(con)
        yield con
    finally:
        con.close()


def _refused(settings: Settings, error: duckdb.Error) -> LakeError:
    if found := named(error, place(settings)):
        return found
    # DuckDB's text may quote the ATTACH string, and that a password: only the kind goes on.
    if isinstance(error, duckdb.CatalogException) or "does not exist" in str(error):
        return NoStore(place(settings))
    return NotDecided(place(settings), type(error).__name__)
