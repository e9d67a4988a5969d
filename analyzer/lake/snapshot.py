"""A copy of the lake in one plain DuckDB file: tables, the same views, and a comment on every column."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from analyzer.lake.attach import Access, connect
from analyzer.lake.damage import META
from analyzer.lake.errors import NotCopied
from analyzer.lake.manifest import TABLES
from analyzer.lake.view_files import create_views, quoted
from collector.settings import Settings

CHANGED: Final = "upkeep changed the lake meanwhile; try again"
_KEPT: Final = f"SELECT count(*) FROM {META}.ducklake_snapshot WHERE snapshot_id = $snapshot"  # noqa: S608  # of ours


def snapshot(settings: Settings, path: str | Path) -> None:
    """Write the lake as of now to `path`, all tables of one moment; an existing file is replaced when done.

    Raises NotCopied when that moment expired before the last table was read, which takes a quarter of an hour.
    """
    part = Path(f"{path}.part")
    part.unlink(missing_ok=True)
    # Not locked: the copy is a file outside of the lake.
    con = connect(settings, Access(memory_mib=settings.store.memory_mib, threads=2, spill=True, locked=False))
    try:
        con.execute(f"ATTACH {quoted(str(part))} AS copy")
        con.execute("CREATE SCHEMA copy.store")
        con.execute("BEGIN")
        moment = current(con)
        for name in TABLES:
            con.execute(f"CREATE TABLE copy.store.{name} AS FROM lake.store.{name}")
        con.execute("COMMIT")
        if not is_kept(con, moment):
            raise NotCopied(str(path), CHANGED)
        con.execute("USE copy")
        create_views(con)
        con.execute("USE memory")
        con.execute("DETACH copy")
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        con.close()
    part.replace(path)


def current(con: duckdb.DuckDBPyConnection) -> int:
    """DuckLake's number of the moment that a transaction reads."""
    ((number,),) = con.execute("FROM lake.current_snapshot()").fetchall()
    return int(number)


def is_kept(con: duckdb.DuckDBPyConnection, moment: int) -> bool:
    """Whether all of a moment could be read until now: tables of an expired one are empty, without an error (1.5.5)."""
    return con.execute(_KEPT, {"snapshot": moment}).fetchall() == [(1,)]
