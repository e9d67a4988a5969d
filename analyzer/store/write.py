"""One transaction of the writer: fence, watermarks, rows, sums."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import duckdb
import pyarrow as pa

from analyzer.store import places
from analyzer.store.deltas import (
    HOUR_US,
    MINUTE_US,
    OFFSETS,
    Given,
    Plan,
    change_table,
    delta_table,
    plan,
    rollup_table,
)
from analyzer.store.fence import Partition, Place, found, moved
from analyzer.store.rows import INT, LONG, TEXT, description_table, event_table, table
from analyzer.store.turn import take_turn
from analyzer.store.watermarks import RawPartition, Watermark, fresh, raw_partition
from analyzer.store.writer_state import WriterState
from collector.records import FilePlace, Position

UNSTORABLE: Final = (pa.ArrowException, OverflowError, TypeError, ValueError, AttributeError)
_PARTITIONS: Final = {"topic": TEXT, "partition": INT}
_MARKS: Final = {"topic": TEXT, "partition": INT, "next": LONG, "seen": LONG}
# Deleted and inserted, never updated: a flush of inlined rows brings back an older version of a row that was updated
# more than once (seen with 1.5.5).
# All of them, which are few: DuckLake answers a condition from the statistics of files, which takes longer than to read them.
_KNOWN: Final = "SELECT topic, partition, next, epoch FROM store.offsets"
_LEAVE: Final = "DELETE FROM store.offsets WHERE (topic, partition) IN (SELECT (topic, partition) FROM step)"
_ARRIVE: Final = "INSERT INTO store.offsets BY NAME SELECT *, now() AS moved_at FROM step"
# The last one counts: a row that was deleted and came back (fence.py) is behind.
_READ_MARKS: Final = """
SELECT topic, partition, next, seen
FROM store.watermarks JOIN step USING (topic, partition) ORDER BY next, seen
"""
_DROP_MARKS: Final = "DELETE FROM store.watermarks WHERE (topic, partition) IN (SELECT (topic, partition) FROM step)"
_ADD_MARKS: Final = "INSERT INTO store.watermarks BY NAME SELECT *, now() AS updated_at FROM step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a caller hands to one commit."""

    given: Given
    positions: Sequence[Position]
    counts: Mapping[tuple[str, str], int]
    is_shared: bool  # other writers may be at work: take turns
    places: Sequence[FilePlace] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What planning needs of the writer."""

    state: WriterState
    sample_allowed: int
    minute_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What a commit did to positions."""

    places: Mapping[Partition, Place]
    is_first: bool  # a partition was never seen before
    came_back: int  # rows that had been deleted, and were deleted again


NO_MOVES: Final = Moves(places={}, is_first=False, came_back=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What a commit wrote."""

    plan: Plan
    moves: Moves


def transaction(con: duckdb.DuckDBPyConnection, work: Work, state: WriterState, sample_allowed: int) -> Committed:
    """Write everything of `work` between BEGIN and COMMIT, with what `state` remembers.

    Raises Fenced, PositionsBroken or duckdb.Error, with the transaction open.
    """
    now_us = time.time_ns() // 1000
    state.start_commit(now_us // HOUR_US)
    con.execute("BEGIN")
    steps = merged(work.positions)
    moves = _fence(con, steps, state) if steps else NO_MOVES
    if moves.is_first or work.is_shared:
        take_turn(con)
    given, duplicates = _without_duplicates(con, work)
    extra = Counter(work.counts)
    if duplicates:
        extra["dropped", "duplicate"] += duplicates
    done, tables = _planned(
        given, extra, Moment(state=state, sample_allowed=sample_allowed, minute_us=now_us - now_us % MINUTE_US)
    )
    for name, rows in tables.items():
        _insert(con, name, rows)
    places.move(con, work.places)
    con.execute("COMMIT")
    return Committed(plan=done, moves=moves)


def merged(positions: Sequence[Position]) -> list[Position]:
    """One position per partition: a commit may hold several batches of it."""
    out: dict[tuple[str, int], Position] = {}
    for position in positions:
        key = (position.topic, position.partition)
        known = out.get(key, position)
        first, last = min(known.first, position.first), max(known.next, position.next)
        out[key] = Position(*key, first, last)
    return list(out.values())


def _fence(con: duckdb.DuckDBPyConnection, steps: Sequence[Position], state: WriterState) -> Moves:
    """Move the offsets. Raises Fenced, PositionsBroken."""
    con.register("step", table(_PARTITIONS, [(step.topic, step.partition) for step in steps]))
    known = con.execute(_KNOWN).fetchall()
    moving = {(step.topic, step.partition) for step in steps}
    before = found(row for row in known if row[:2] in moving)
    after = moved(steps, before.places, state.places)
    _expect_changes(con.execute(_LEAVE).fetchall(), before.rows)
    con.register("step", table(OFFSETS, [(*key, place.next, place.epoch) for key, place in after.items()]))
    con.execute(_ARRIVE)
    return Moves(places=after, is_first=len(before.places) < len(steps), came_back=before.came_back)


def _expect_changes(changed: list[Any], expected: int) -> None:
    if changed != [(expected,)]:
        raise duckdb.TransactionException(f"offsets conflict: {changed} rows changed, expected {expected}")


def _without_duplicates(con: duckdb.DuckDBPyConnection, work: Work) -> tuple[Given, int]:
    """Only events come twice, from the event topic; allowed requests are counted where the raw partition is read (`raw_partition`)."""
    verdicts = work.given.verdicts
    found = {raw_partition(verdict.event.origin, work.positions) for verdict in verdicts}
    keys = sorted(key for key in found if key is not None)
    if not keys:
        return work.given, 0
    con.register("step", table(_PARTITIONS, keys))
    rows = con.execute(_READ_MARKS).fetchall()
    marks: dict[RawPartition, Watermark] = {(row[0], row[1]): Watermark(next=row[2], seen=row[3]) for row in rows}
    kept = fresh(verdicts, work.positions, marks)
    con.execute(_DROP_MARKS)
    state = [(*key, mark.next, mark.seen) for key, mark in marks.items()]
    con.register("step", table(_MARKS, state))
    con.execute(_ADD_MARKS)
    return replace(work.given, verdicts=kept), len(verdicts) - len(kept)


def _planned(given: Given, extra: Mapping[tuple[str, str], int], moment: Moment) -> tuple[Plan, dict[str, Any]]:
    try:
        return _tables(given, extra, moment)
    except UNSTORABLE:
        storable = _storable(given, moment)
    lost = {("dropped", "unstorable"): given.records - storable.records}
    return _tables(storable, Counter(extra) + Counter(lost), moment)


def _storable(given: Given, moment: Moment) -> Given:
    """What can be stored, each tried alone."""
    return Given(
        verdicts=[one for one in given.verdicts if _is_storable(Given(verdicts=[one]), moment)],
        allowed=[one for one in given.allowed if _is_storable(Given(allowed=[one]), moment)],
        samples=[one for one in given.samples if _is_storable(Given(samples=[one]), moment)],
    )


def _tables(given: Given, extra: Mapping[tuple[str, str], int], moment: Moment) -> tuple[Plan, dict[str, Any]]:
    done = plan(given, moment.state, moment.sample_allowed)
    done.pipeline.update(extra)
    return done, {
        "events": event_table(done.kept),
        "rollups": rollup_table(done),
        "deltas": delta_table(done, moment.minute_us),
        "descriptions": description_table(verdict for verdict, _ in done.latest.values()),
        "changes": change_table(done),
    }


def _is_storable(given: Given, moment: Moment) -> bool:
    try:
        _tables(given, {}, Moment(state=moment.state, sample_allowed=1, minute_us=moment.minute_us))
    except UNSTORABLE:
        return False
    return True


def _insert(con: duckdb.DuckDBPyConnection, name: str, rows: Any) -> None:
    if rows.num_rows == 0:
        return
    con.register("step", rows)
    con.execute(f"INSERT INTO store.{name} BY NAME SELECT * FROM step")  # noqa: S608  # a name of ours
