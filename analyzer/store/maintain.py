"""Upkeep of the lake, in steps that each are a transaction: retention, compaction, files, size.

Readers keep what they see: snapshots go after GRACE, files that only they had a day later at the earliest.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

import duckdb

from analyzer.store.migrate import rollback
from analyzer.store.turn import LEASE, in_turn
from collector.settings import StoreSettings

log = logging.getLogger("why401.store")
GRACE: Final = timedelta(minutes=15)  # longer than any reader's query
ORPHAN_GRACE: Final = timedelta(days=1)  # a file without a snapshot may belong to a commit under way
GROWN_MIB: Final = 16  # a file of so much is merged no more: without a limit each round writes the latest 64 MiB again
COMPACTION_S: Final = LEASE.total_seconds() / 2  # the lease was taken just before
COMPACT_ROWS: Final = 20_000  # new rows of a table of sums that make adding them up worth a rewrite
COMPACT_HOURS: Final = 24 * 31  # roll-ups further back are left as they are
# With a SQLite catalog `older_than` compares text, "2026-01-31T…" against "2026-01-31 …": all of the limit's day counts
# as older. Snapshots are therefore named one by one, and files wait for a day more.
_TEXT_DAY: Final = timedelta(days=1)
_EXPIRED: Final = """
SELECT snapshot_id FROM lake.snapshots() WHERE snapshot_time < $at
AND snapshot_id < (SELECT max(snapshot_id) FROM lake.snapshots())
"""
_ORPHANS: Final = "CALL ducklake_delete_orphaned_files('lake', older_than => $at, dry_run => {dry})"
_MIB: Final = 2**20
_RETAINED: Final = (
    "DELETE FROM store.events WHERE observed_time < $events",
    "DELETE FROM store.rollups WHERE minute < $rollups",
    "DELETE FROM store.deltas WHERE coalesce(last_seen, minute) < $rollups",
    "DELETE FROM store.changes WHERE changed_at < $rollups",
    "DELETE FROM store.alerts WHERE noted_at < $rollups",
    "DELETE FROM store.files WHERE moved_at < $rollups",
)
_GROUPS: Final = "SELECT group_id FROM store.deltas WHERE kind = 'group'"
_ORPHANED: Final = (
    f"DELETE FROM store.deltas WHERE kind = 'member' AND group_id NOT IN ({_GROUPS})",  # noqa: S608  # of ours
    f"DELETE FROM store.descriptions WHERE group_id NOT IN ({_GROUPS})",  # noqa: S608  # of ours
)


@dataclass(slots=True)
class Upkeep:
    """What a writer remembers between rounds."""

    rows: dict[str, int]
    compacted_until: datetime | None = None
    met_foreign: bool = False

    def __init__(self) -> None:
        self.rows = {}
        self.compacted_until = None
        self.met_foreign = False


Step = Callable[[duckdb.DuckDBPyConnection, StoreSettings, datetime, Upkeep], None]


def retain(con: duckdb.DuckDBPyConnection, settings: StoreSettings, now: datetime, _: Upkeep) -> None:
    """Delete what is older than its class is kept: events in days, sums and groups in months."""
    limits = {
        "events": now - timedelta(days=settings.keep_events_days),
        "rollups": now - timedelta(days=settings.keep_rollups_days),
    }
    statements = [(sql, {name: at for name, at in limits.items() if f"${name}" in sql}) for sql in _RETAINED]
    in_turn(con, *statements, *((sql, {}) for sql in _ORPHANED))


def compact(con: duckdb.DuckDBPyConnection, _: StoreSettings, __: datetime, upkeep: Upkeep) -> None:
    """Add up the sums and keep only the latest words of a group, once enough rows came."""
    for name in ("deltas", "descriptions"):
        rows = _count(con, name)
        if rows - upkeep.rows.get(name, 0) >= COMPACT_ROWS:
            _rewrite(con, name, f"DELETE FROM store.{name}", {})  # noqa: S608  # a name of ours
            upkeep.rows[name] = _count(con, name)


def compact_rollups(con: duckdb.DuckDBPyConnection, _: StoreSettings, now: datetime, upkeep: Upkeep) -> None:
    """Add up the roll-ups of full hours, each hour once per writer."""
    until = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    since = upkeep.compacted_until or until - timedelta(hours=2)
    since = max(since, until - timedelta(hours=COMPACT_HOURS))
    if since < until:
        span = {"since": since, "until": until}
        _rewrite(con, "rollups", "DELETE FROM store.rollups WHERE minute >= $since AND minute < $until", span)
        upkeep.compacted_until = until


def flush(con: duckdb.DuckDBPyConnection, _: StoreSettings, __: datetime, ___: Upkeep) -> None:
    """Move inlined rows from the catalog into files."""
    in_turn(con, ("CALL ducklake_flush_inlined_data('lake', schema_name => 'store')", {}))


def rewrite(con: duckdb.DuckDBPyConnection, _: StoreSettings, __: datetime, ___: Upkeep) -> None:
    """Rewrite files of which much was deleted."""
    _compacted(con, "CALL ducklake_rewrite_data_files('lake', delete_threshold => 0.05)", {})


def merge(con: duckdb.DuckDBPyConnection, _: StoreSettings, __: datetime, ___: Upkeep) -> None:
    """Merge small files into larger ones."""
    grown = {"grown": GROWN_MIB * _MIB}
    _compacted(con, "CALL ducklake_merge_adjacent_files('lake', max_file_size => $grown)", grown)


def _compacted(con: duckdb.DuckDBPyConnection, call: str, params: dict[str, Any]) -> None:
    """Commit new files in place of old ones, unless the lease may have ended meanwhile.

    DuckLake would bring back what the next holder deleted from the old files: a delete that was inlined and a compaction
    do not conflict (1.5.5). A process that was stopped for long, with its machine or by itself, must not commit this.
    """
    until = time.monotonic() + COMPACTION_S
    con.execute("BEGIN")
    try:
        con.execute(call, params)
        _expect_lease(until)
        con.execute("COMMIT")
    except duckdb.Error:
        rollback(con)
        raise


def _expect_lease(until: float) -> None:
    if time.monotonic() > until:
        raise duckdb.TransactionException(
            "conflict: the compaction took so long that the lease may be another writer's"
        )


def expire(con: duckdb.DuckDBPyConnection, _: StoreSettings, now: datetime, upkeep: Upkeep) -> None:
    """Forget old snapshots, then delete the files that only they had, then files that no snapshot ever had."""
    old = [row[0] for row in con.execute(_EXPIRED, {"at": now - GRACE}).fetchall()]
    if old:
        con.execute(f"CALL ducklake_expire_snapshots('lake', versions => {old})")
    con.execute("CALL ducklake_cleanup_old_files('lake', older_than => $at)", {"at": now - GRACE - _TEXT_DAY})
    _delete_orphans(con, now - ORPHAN_GRACE, upkeep)


def _delete_orphans(con: duckdb.DuckDBPyConnection, before: datetime, upkeep: Upkeep) -> None:
    """DuckLake would delete every Parquet file that it does not know: a backup, a table of somebody, another lake's files."""
    orphans = [row[0] for row in con.execute(_ORPHANS.format(dry="true"), {"at": before}).fetchall()]
    if not orphans:
        return
    ((born,),) = con.execute("SELECT min(applied_at) FROM store.applied").fetchall()
    foreign = [path for path in orphans if not may_be_ours(path, born)]
    if not foreign:
        con.execute(_ORPHANS.format(dry="false"), {"at": before})
    elif not upkeep.met_foreign:
        upkeep.met_foreign = True
        log.warning(
            "upkeep: %d Parquet files within the lake's data are not of this lake (%s): move them elsewhere; until then,"
            " files that no snapshot knows are not deleted",
            len(foreign),
            foreign[0],
        )


def may_be_ours(path: str, born: datetime) -> bool:
    """Whether this lake may have written the file: DuckLake names files by a UUID with the time, so it is not older than the lake.

    >>> may_be_ours("data/ducklake-01a22dc5-0674-7123-8884-616a7e7d3c55.parquet", datetime.fromisoformat("2026-11-01T00:00Z"))
    True
    >>> may_be_ours("data/part-0.parquet", datetime.fromisoformat("2026-11-01T00:00Z"))
    False
    """
    name = path.rpartition("/")[2]
    try:
        made = UUID(name.removeprefix("ducklake-").removesuffix(".parquet").removesuffix("-delete"))
    except ValueError:
        return False
    is_named = name.startswith("ducklake-") and made.version == 7
    return is_named and (made.int >> 80) / 1000 >= (born - ORPHAN_GRACE).timestamp()


def cap_size(con: duckdb.DuckDBPyConnection, settings: StoreSettings, _: datetime, __: Upkeep) -> None:
    """Delete the oldest events until the lake fits below its cap."""
    sizes = dict(con.execute("SELECT table_name, file_size_bytes FROM ducklake_table_info('lake')").fetchall())
    excess = sum(sizes.values()) - settings.max_size_mib * _MIB
    if excess <= 0 or not sizes.get("events"):
        return
    share = min(1.0, 1.05 * excess / sizes["events"])  # a little more, so that not every round deletes
    sql = """
    DELETE FROM store.events WHERE event_time <= (SELECT quantile_disc(event_time, $share) FROM store.events)
    """
    in_turn(con, (sql, {"share": share}))


STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("flush", flush),
    ("retain", retain),
    ("compact", compact),
    ("compact_rollups", compact_rollups),
    ("cap_size", cap_size),
    ("rewrite", rewrite),
    ("merge", merge),
    ("expire", expire),
)
BY_AGE: Final = frozenset({"retain", "expire"})  # what a wrong clock would make wrong


def _rewrite(con: duckdb.DuckDBPyConnection, name: str, delete: str, span: dict[str, Any]) -> None:
    select = files("analyzer.store").joinpath("compact", f"{name}.sql").read_text(encoding="utf-8")
    in_turn(
        con,
        (f"CREATE OR REPLACE TEMP TABLE compacted AS {select}", span),
        (delete, span),
        (f"INSERT INTO store.{name} BY NAME FROM compacted", {}),
        ("DROP TABLE temp.compacted", {}),
    )


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    (n,) = con.execute(f"SELECT count(*) FROM store.{name}").fetchall()[0]  # noqa: S608  # a name of ours
    return int(n)
