"""Migrations, applied once with their record in one transaction, and views, re-created when their text changed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from importlib.resources import files
from typing import Final

import duckdb

from analyzer.lake.errors import NewerStore, OlderStore, UnfinishedRestore
from analyzer.lake.trouble import RESTORING
from analyzer.lake.view_files import View, quoted, views

_RECORDS: Final = """
CREATE SCHEMA IF NOT EXISTS store;
CREATE TABLE IF NOT EXISTS store.applied (name VARCHAR, digest VARCHAR, applied_at TIMESTAMPTZ);
"""
_VIEW: Final = "view "  # begins the name of a record of a view


def migrations() -> tuple[tuple[str, str], ...]:
    """(name, SQL) in the order in which they are applied; released ones are never edited."""
    found = [file for file in files("analyzer.store").joinpath("migrations").iterdir() if file.name.endswith(".sql")]
    return tuple((file.name, file.read_text(encoding="utf-8")) for file in sorted(found, key=lambda file: file.name))


def migrate(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the database in use up to this version. Raises NewerStore when a later version was here."""
    if not _has_records(con):
        _begin(con)
    applied = _applied(con)
    known = migrations()
    expect_known(applied)
    for name, sql in known:
        if name not in applied:
            _apply(con, name, sql)
    _renew_views(con, applied)


def expect_current(con: duckdb.DuckDBPyConnection) -> None:
    """For whoever writes a row and migrates nothing. Raises NewerStore, OlderStore."""
    applied = _applied(con)
    expect_known(applied)
    if not applied.keys() >= {name for name, _ in migrations()}:
        raise OlderStore


def _begin(con: duckdb.DuckDBPyConnection) -> None:
    """Make a new store in one transaction: six would cost five times as much. Where another writer did so since we looked, done."""
    try:
        _in_transaction(
            con, "\n".join([_RECORDS, *(_recorded(name, sql) for name, sql in migrations()), _views_sql(views())])
        )
    except duckdb.Error:
        if not _has_records(con):
            raise


def applied_migrations(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Which migrations the lake in use has, in their order. Raises UnfinishedRestore."""
    applied = _applied(con)
    if RESTORING in applied:
        raise UnfinishedRestore
    return tuple(sorted(name for name in applied if not name.startswith(_VIEW)))


def is_new(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the database in use was never a lake, nor began to be one."""
    return not _has_records(con)


def begin_restore(con: duckdb.DuckDBPyConnection) -> None:
    """Mark a new database, so that no writer begins a lake in it."""
    _in_transaction(con, _RECORDS + _record(RESTORING, ""))


def end_restore(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Within a transaction: the tables as these known migrations made them, and no mark."""
    known = dict(migrations())
    con.execute(f"DELETE FROM store.applied WHERE name = {quoted(RESTORING)}")  # noqa: S608  # of ours
    con.execute("\n".join(_recorded(name, known[name]) for name in names))


def _applied(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Name and digest of what was applied already."""
    return dict(con.execute("SELECT name, arg_max(digest, applied_at) FROM store.applied GROUP BY name").fetchall())


def _apply(con: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    """Apply one migration. Where another writer did so since we looked, ours fails on what is no longer there, and is done."""
    try:
        _in_transaction(con, _recorded(name, sql))
    except duckdb.Error:
        if name not in _applied(con):
            raise


def expect_known(applied: Collection[str]) -> None:
    """Views of a later version do no harm, its migrations do. Raises NewerStore, UnfinishedRestore."""
    if RESTORING in applied:
        raise UnfinishedRestore
    known = {name for name, _ in migrations()}
    newer = sorted(name for name in set(applied) - known if not name.startswith(_VIEW))
    if newer:
        raise NewerStore(newer)


def _renew_views(con: duckdb.DuckDBPyConnection, applied: Mapping[str, str]) -> None:
    changed = [view for view in views() if applied.get(_VIEW + view.name) != view.digest]
    if changed:
        _in_transaction(con, _views_sql(changed))


def _has_records(con: duckdb.DuckDBPyConnection) -> bool:
    sql = """
    SELECT count(*) FROM duckdb_tables()
    WHERE database_name = current_database() AND schema_name = 'store' AND table_name = 'applied'
    """
    return con.execute(sql).fetchall() == [(1,)]


def _in_transaction(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    con.execute("BEGIN")
    try:
        con.execute(sql)
        con.execute("COMMIT")
    except duckdb.Error:
        rollback(con)
        raise


def rollback(con: duckdb.DuckDBPyConnection) -> None:
    """End a failed transaction; a failed COMMIT ended it already."""
    try:
        con.execute("ROLLBACK")
    except duckdb.Error:
        return


def _recorded(name: str, sql: str) -> str:
    """A migration with its record."""
    return f"{sql};\n{_record(name, hashlib.sha256(sql.encode()).hexdigest())}"


def _views_sql(made: Iterable[View]) -> str:
    return "\n".join(view.create_sql + _record(_VIEW + view.name, view.digest) for view in made)


def _record(name: str, digest: str) -> str:
    return f"INSERT INTO store.applied VALUES ({quoted(name)}, {quoted(digest)}, now());\n"  # noqa: S608  # of ours
