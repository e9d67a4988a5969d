"""Finds data files of the lake that are missing, cut or overwritten, and says which time range and how many rows are hurt.

Every file is read whole: what a query would meet is met here. Parquet has no checksums of its own from DuckDB: a changed
byte that still decodes to a value is not noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from analyzer.lake.attach import LAKE, Access, catalog_file, connect, on_s3, place
from analyzer.lake.errors import DamagedCatalog, StoreUnavailable
from analyzer.lake.trouble import named, reason
from analyzer.lake.view_files import quoted
from collector.settings import Settings

META: Final = f"__ducklake_metadata_{LAKE}"  # where DuckLake attaches the catalog itself
# The live files with the span of their table's first column of time.
_FILES: Final = f"""
WITH times AS (
    SELECT table_id, arg_min(column_id, column_order) AS column_id FROM {META}.ducklake_column
    WHERE lower(column_type) = 'timestamptz' AND end_snapshot IS NULL GROUP BY table_id
)
SELECT files.data_file_id, tables.table_name, files.path, files.record_count, files.file_size_bytes,
       try_cast(stats.min_value AS TIMESTAMPTZ) AS since, try_cast(stats.max_value AS TIMESTAMPTZ) AS until
FROM {META}.ducklake_data_file AS files
JOIN {META}.ducklake_table AS tables ON tables.table_id = files.table_id AND tables.end_snapshot IS NULL
LEFT JOIN times ON times.table_id = files.table_id
LEFT JOIN {META}.ducklake_file_column_stats AS stats
    ON stats.data_file_id = files.data_file_id AND stats.column_id = times.column_id
WHERE files.end_snapshot IS NULL
ORDER BY tables.table_name, since
"""  # noqa: S608  # a name of ours
_PLACES: Final = f"SELECT data_file, delete_file FROM ducklake_list_files('{LAKE}', $name, schema => 'store')"  # noqa: S608
_READ: Final = "SELECT count(*), bit_xor(hash(whole)) FROM read_parquet($path) AS whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A data file that cannot be read whole, or whose list of deleted rows cannot."""

    file_id: int
    table: str
    path: str  # of the data file: a path or s3://…
    rows: int
    size: int  # bytes, as the catalog has it
    since: datetime | None  # of the rows, by the table's time; None for tables without one
    until: datetime | None
    why: str


def access(memory_mib: int) -> Access:
    """What looking at files takes: to read any of the lake, and nothing to write."""
    return Access(memory_mib=memory_mib, threads=2, spill=True, locked=False)


def find(settings: Settings) -> tuple[Damage, ...]:
    """Every damaged file, by table and time. Raises NoStore, DamagedCatalog, OtherFormat, StoreUnavailable."""
    with closing(connect(settings, access(settings.store.memory_mib))) as con:
        try:
            _expect_whole_catalog(con, settings)
            return tuple(_damages(con, is_remote=on_s3(settings)))
        except duckdb.Error as error:
            raise named(error, place(settings)) or StoreUnavailable(place(settings), reason(error)) from None


def _expect_whole_catalog(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """SQLite checks itself; PostgreSQL has checksums and tools of its own."""
    if catalog_file(settings) is None:
        return
    rows = con.execute(f"FROM sqlite_query({quoted(META)}, 'PRAGMA quick_check(1)')").fetchall()
    if rows != [("ok",)]:
        raise DamagedCatalog(place(settings))


def _damages(con: duckdb.DuckDBPyConnection, *, is_remote: bool) -> Iterator[Damage]:
    rows = con.execute(_FILES).fetchall()
    places = {name: _places(con, name) for name in {row[1] for row in rows}}
    for file_id, table, path, count, size, since, until in rows:
        whole, deleted = places[table].get(_name(path), ("", None))
        if not whole:  # detached or merged since we looked
            continue
        why = _why(con, whole, count, is_remote=is_remote)
        if not why and deleted:
            why = _why(con, deleted, None, is_remote=is_remote, what="its list of deleted rows ")
        if why:
            yield Damage(
                file_id=file_id, table=table, path=whole, rows=count, size=size, since=_utc(since), until=_utc(until), why=why
            )  # fmt: skip


def _places(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, tuple[str, str | None]]:
    """Name of a data file → where it is, and where the list of its deleted rows is."""
    return {_name(path): (path, deleted) for path, deleted in con.execute(_PLACES, {"name": table}).fetchall()}


def _why(
    con: duckdb.DuckDBPyConnection, path: str, expected: int | None, *, is_remote: bool, what: str = ""
) -> str | None:
    if not is_remote and not Path(path).exists():
        return f"{what}is missing"
    try:
        ((count, _),) = con.execute(_READ, {"path": path}).fetchall()
    except duckdb.Error as error:
        if is_remote and not named(error, ""):
            raise  # a bucket that does not answer damages nothing
        return f"{what}cannot be read ({_first_words(error)})"
    if expected is not None and count != expected:
        return f"{what}has {count:,} rows instead of {expected:,}"
    return None


def _first_words(error: duckdb.Error) -> str:
    words = str(error).splitlines()[0].partition(": ")[2] or type(error).__name__
    return words if len(words) <= 100 else f"{words[:100]}…"


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
