"""Puts a backup into an empty place: a new catalog of either kind, with its data in a folder or on S3.

One transaction makes the tables and their rows, compares them with the backup, and ends the mark that keeps writers out; before it,
there is no lake, whatever cuts the restore.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Final

import duckdb

from analyzer.lake import manifest
from analyzer.lake.attach import connect, connect_outside, data_path, on_s3, place
from analyzer.lake.errors import LakeError, NotRestored, StoreUnavailable
from analyzer.lake.manifest import Manifest
from analyzer.lake.trouble import is_being_restored, named, reason
from analyzer.lake.view_files import quoted
from analyzer.store.backup import access, is_within_data
from analyzer.store.migrate import (
    begin_restore,
    end_restore,
    expect_known,
    is_new,
    migrate,
    rollback,
)
from analyzer.store.store import OPTIONS
from collector.settings import Settings

_SUM: Final = "SELECT count(*), coalesce(sum(hash(whole)::HUGEINT), 0) FROM {} AS whole"
_DATA: Final = "SELECT count(*) FROM glob($pattern)"


def check(settings: Settings, source: str) -> Manifest:
    """Read a backup whole, and change nothing. Raises BrokenBackup, StoreUnavailable."""
    folder = manifest.folder_of(source)
    with closing(connect_outside(settings, access(settings, source))) as con:
        try:
            return manifest.check(con, folder)
        except duckdb.Error as error:
            raise StoreUnavailable(folder, reason(error)) from None


def restore(settings: Settings, source: str) -> Manifest:
    """Make the lake of `settings` from a backup; there must be none yet.

    Raises BrokenBackup, NotRestored, NewerStore, LostCatalog, StoreUnavailable; then nothing can be read there, and no writer
    begins a lake where a restore was cut: the next one goes on.
    """
    made = check(settings, source)
    expect_known(made.applied)
    if is_within_data(settings, manifest.folder_of(source)):
        raise NotRestored(place(settings), f"the backup is within {data_path(settings)}; move it elsewhere first")
    with _connected(settings, source) as con:
        try:
            if not is_being_restored(con):
                _expect_new(con, settings)
                begin_restore(con)
            for sql in OPTIONS:
                con.execute(sql)
            _fill(con, settings, manifest.folder_of(source), made)
            migrate(con)
        except duckdb.Error as error:
            raise _refused(settings, error) from None
    return made


def _connected(settings: Settings, source: str) -> closing[duckdb.DuckDBPyConnection]:
    try:
        return closing(connect(settings, replace(access(settings, source), write=True, create=True)))
    except duckdb.Error as error:
        raise _refused(settings, error) from None


def _refused(settings: Settings, error: duckdb.Error) -> LakeError:
    return named(error, place(settings)) or NotRestored(place(settings), f"it refuses ({reason(error)})")


def _expect_new(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    if not is_new(con):
        raise NotRestored(place(settings), "there is a lake; move it away, or name another data_dir or store.catalog")
    if on_s3(settings) and con.execute(
        _DATA, {"pattern": f"{data_path(settings)}**/ducklake-*.parquet"}
    ).fetchall() != [(0,)]:
        raise NotRestored(
            data_path(settings), "data files of another lake are there; move them away, or name another store.data_path"
        )


def _fill(con: duckdb.DuckDBPyConnection, settings: Settings, folder: str, made: Manifest) -> None:
    con.execute("BEGIN")
    try:
        end_restore(con, made.applied)
        for name, table in made.tables.items():
            files = f"read_parquet([{', '.join(map(quoted, manifest.paths(folder, table.files)))}])"
            con.execute(f"INSERT INTO store.{name} BY NAME FROM {files}")  # names that the manifest's check allows
            _expect_same(con, settings, name, files, table.rows)
        con.execute("COMMIT")
    except BaseException:
        rollback(con)
        raise


def _expect_same(con: duckdb.DuckDBPyConnection, settings: Settings, name: str, files: str, rows: int) -> None:
    """Row for row what is in the backup, whatever the order."""
    (written, found) = (con.execute(_SUM.format(where)).fetchall() for where in (files, f"store.{name}"))
    if written != found or found[0][0] != rows:
        raise NotRestored(place(settings), f"{name} has {found[0][0]:,} rows, and not those of the backup, {rows:,}")
