"""The views, read from views/: the folder is the list, for the writer, the readers' allow lists and the docs.

A view file begins with comments: its own (`-- text`), then one per column (`-- column: text`). DuckLake keeps comments
of views and not of their columns, so those of columns are in the view's comment and in the view `dictionary`; a plain
DuckDB file (snapshot.py) keeps both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from typing import Final

import duckdb

from analyzer.knowledge import credential_logging

DICTIONARY: Final = "dictionary"
_ABOUT_DICTIONARY: Final = """-- Meaning of every column of every view.
-- view_name: Name of the view.
-- position: Place of the column in the view, from 1.
-- column_name: Name of the column.
-- comment: Meaning of the column.
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

    @property
    def create_sql(self) -> str:
        """The statements that create or replace the view with its comment."""
        create = f"CREATE OR REPLACE VIEW {self.name} AS\n{self.sql};\n"
        return create + f"COMMENT ON VIEW {self.name} IS {quoted(self.full_comment)};\n"


@cache
def view_names() -> tuple[str, ...]:
    """Every view that a reader may name: the files of views/ by name, and `dictionary`."""
    folder = files("analyzer.lake").joinpath("views")
    found = sorted(file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql"))
    return (*found, DICTIONARY)


@cache
def views() -> tuple[View, ...]:
    """The public SQL API, in the order in which views build on each other."""
    loaded = _in_order([_from_file(name) for name in view_names() if name != DICTIONARY])
    about = _parse(DICTIONARY, _ABOUT_DICTIONARY)
    rows = [
        f"({quoted(view.name)}, {position}, {quoted(name)}, {quoted(comment)})"
        for view in (*loaded, about)
        for position, (name, comment) in enumerate(view.columns, 1)
    ]
    names = ", ".join(name for name, _ in about.columns)
    values = ",\n".join(rows)
    sql = f"SELECT * FROM (VALUES\n{values}\n) AS words ({names})"  # noqa: S608  # words of ours
    return (*loaded, View(name=about.name, comment=about.comment, columns=about.columns, sql=sql))


def create_views(con: duckdb.DuckDBPyConnection) -> None:
    """The views in a plain DuckDB database, with a comment on every column."""
    for view in views():
        con.execute(view.create_sql)
        for name, comment in view.columns:
            con.execute(f'COMMENT ON COLUMN {view.name}."{name}" IS {quoted(comment)}')


def quoted(text: str) -> str:
    """A SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _from_file(name: str) -> View:
    text = files("analyzer.lake").joinpath("views", f"{name}.sql").read_text(encoding="utf-8")
    return _parse(name, text)


def _in_order(found: list[View]) -> tuple[View, ...]:
    """Those that a view reads come before it; otherwise by name."""
    by_name = {view.name: view for view in found}
    order = TopologicalSorter({view.name: sorted(_read_by(view) & by_name.keys()) for view in found})
    return tuple(by_name[name] for name in order.static_order())


def _read_by(view: View) -> set[str]:
    """The tables and views that its SQL names without a schema."""
    return {name for name in duckdb.get_table_names(view.sql) if name != view.name}


def _parse(name: str, text: str) -> View:
    lines = text.splitlines()
    head = 0
    while head < len(lines) and lines[head].startswith("-- "):
        head += 1
    comment, *columns = (line.removeprefix("-- ") for line in lines[:head])
    pairs = tuple((column, words) for column, _, words in (line.partition(": ") for line in columns))
    sql = "\n".join(lines[head:]).strip().replace("$ADVICE", _advice())
    return View(name=name, comment=comment, columns=pairs, sql=sql)


@cache
def _advice() -> str:
    """For the view `credential_settings`: what to change at each gateway."""
    rows = ((name, setting.place, setting.says, setting.source) for name, setting in credential_logging.by_gateway())
    return ",\n".join(f"({', '.join(map(quoted, row))})" for row in rows)
