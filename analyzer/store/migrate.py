"""Migrations, applied once with their record in one transaction, and views, re-created when their text changed.

A view file begins with comments: its own (`-- text`), then one per column (`-- column: text`). DuckLake keeps comments
of views and not of their columns, so the columns' stand in the view's comment and in the view `dictionary`; a plain
DuckDB file (snapshot.py) keeps both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import duckdb

from analyzer import advice
from analyzer.store.connect import quoted
from analyzer.store.errors import NewerStore

VIEWS: Final = (
    "failures", "samples", "trend", "traffic", "issuers", "keys", "token_shapes", "changes", "groups", "unclassified",
    "templates", "pipeline", "positions", "raw_credentials", "notes",
)  # fmt: skip
DICTIONARY: Final = "dictionary"
_ABOUT_DICTIONARY: Final = """-- Every column of every view, in words.
-- view_name: The view.
-- position: Place of the column in the view, from 1.
-- column_name: The column.
-- comment: What it means.
"""
_RECORDS: Final = """
CREATE SCHEMA IF NOT EXISTS store;
CREATE TABLE IF NOT EXISTS store.applied (name VARCHAR, digest VARCHAR, applied_at TIMESTAMPTZ);
"""


@dataclass(frozen=True, slots=True)
class View:
    """A view with its comments; `columns` are (name, comment) in the view's order."""

    name: str
    comment: str
    columns: tuple[tuple[str, str], ...]
    sql: str

    @property
    def digest(self) -> str:
        """Of everything that would make the stored view differ."""
        return hashlib.sha256(repr((self.comment, self.columns, self.sql)).encode()).hexdigest()

    @property
    def full_comment(self) -> str:
        """The comment with the columns' below it."""
        return "\n".join([self.comment, *(f"{name}: {text}" for name, text in self.columns)])


def views() -> tuple[View, ...]:
    """The public SQL API, in the order in which views build on each other."""
    loaded = [_parse(name, _folder("views").joinpath(f"{name}.sql").read_text(encoding="utf-8")) for name in VIEWS]
    about = _parse(DICTIONARY, _ABOUT_DICTIONARY)
    rows = [
        f"({quoted(view.name)}, {position}, {quoted(name)}, {quoted(comment)})"
        for view in (*loaded, about)
        for position, (name, comment) in enumerate(view.columns, 1)
    ]
    names = ", ".join(name for name, _ in about.columns)
    values = ",\n".join(rows)
    sql = f"SELECT * FROM (VALUES\n{values}\n) AS words ({names})"  # noqa: S608  # words of ours
    return (*loaded, View(about.name, about.comment, about.columns, sql))


def migrations() -> tuple[tuple[str, str], ...]:
    """(name, SQL) in the order in which they are applied; released ones are never edited."""
    found = [file for file in _folder("migrations").iterdir() if file.name.endswith(".sql")]
    return tuple((file.name, file.read_text(encoding="utf-8")) for file in sorted(found, key=lambda file: file.name))


def migrate(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the database in use up to this version. Raises NewerStore when a later version was here."""
    if not _has_records(con):
        _in_transaction(con, _RECORDS)
    applied = dict(con.execute("SELECT name, arg_max(digest, applied_at) FROM store.applied GROUP BY name").fetchall())
    known = migrations()
    newer = sorted(set(applied) - {name for name, _ in known} - {f"view {view.name}" for view in views()})
    if any(not name.startswith("view ") for name in newer):
        raise NewerStore(newer)
    for name, sql in known:
        if name not in applied:
            _in_transaction(con, f"{sql};\n{_record(name, hashlib.sha256(sql.encode()).hexdigest())}")
    changed = [view for view in views() if applied.get(f"view {view.name}") != view.digest]
    if changed:
        _in_transaction(con, "\n".join(_view_sql(view) + _record(f"view {view.name}", view.digest) for view in changed))


def create_views(con: duckdb.DuckDBPyConnection) -> None:
    """The views in a plain DuckDB database, with a comment on every column."""
    for view in views():
        con.execute(_view_sql(view))
        for name, comment in view.columns:
            con.execute(f'COMMENT ON COLUMN {view.name}."{name}" IS {quoted(comment)}')


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


def _record(name: str, digest: str) -> str:
    return f"INSERT INTO store.applied VALUES ({quoted(name)}, {quoted(digest)}, now());\n"  # noqa: S608  # of ours


def _view_sql(view: View) -> str:
    create = f"CREATE OR REPLACE VIEW {view.name} AS\n{view.sql};\n"
    return create + f"COMMENT ON VIEW {view.name} IS {quoted(view.full_comment)};\n"


def _parse(name: str, text: str) -> View:
    lines = text.splitlines()
    head = 0
    while head < len(lines) and lines[head].startswith("-- "):
        head += 1
    comment, *columns = (line.removeprefix("-- ") for line in lines[:head])
    pairs = tuple((column, words) for column, _, words in (line.partition(": ") for line in columns))
    return View(name, comment, pairs, "\n".join(lines[head:]).strip().replace("$ADVICE", _advice()))


@cache
def _advice() -> str:
    """For the view `raw_credentials`: what to change at each gateway."""
    rows = ((name, setting.place, setting.says, setting.source) for name, setting in advice.by_gateway())
    return ",\n".join(f"({', '.join(map(quoted, row))})" for row in rows)


def _folder(name: str) -> Traversable:
    return files("analyzer.store").joinpath(name)
