"""One query of a reader, with a time limit."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from analyzer.lake.errors import NotOneQuery, QueryTimeout, UnfinishedRestore
from analyzer.lake.trouble import is_being_restored, named

# DuckLake's upkeep and the catalog scanners are table functions, so a SELECT could write files or read other databases.
TABLE_FUNCTIONS: Final = frozenset(
    {
        "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_schemas", "duckdb_tables", "duckdb_types",
        "duckdb_views", "generate_series", "json_each", "json_tree", "pragma_table_info", "range", "snapshots",
        "summary", "unnest",
    }
)  # fmt: skip
_FUNCTIONS: Final = "SELECT json_extract_string(json_serialize_sql(CAST(? AS VARCHAR)), '$..function.function_name')"


@dataclass(frozen=True, slots=True)
class Result:
    """Rows with the names and DuckDB types of their columns."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """One mapping per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def run_query(con: duckdb.DuckDBPyConnection, sql: str, params: Sequence[Any] = (), *, timeout_s: float = 10) -> Result:
    """Run exactly one SELECT. Raises LakeError, or duckdb.Error as DuckDB words it."""
    _only_select(con, sql)
    try:
        with time_limit(con, timeout_s):
            return _result(con.execute(sql, list(params)))
    except duckdb.Error as error:
        if found := named(error, "of this lake"):
            raise found from None
        if isinstance(error, duckdb.CatalogException) and is_being_restored(con):
            raise UnfinishedRestore from None
        raise


@contextmanager
def time_limit(con: duckdb.DuckDBPyConnection, limit_s: float, *, waited_s: float = 0.0) -> Iterator[None]:
    """Interrupt what the connection runs after `limit_s`, of which `waited_s` have passed. Raises QueryTimeout."""
    expired = threading.Event()

    def interrupt() -> None:
        expired.set()
        con.interrupt()

    timer = threading.Timer(max(limit_s - waited_s, 0.0), interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException:
        if expired.is_set():
            raise QueryTimeout(limit_s) from None
        raise
    finally:
        timer.cancel()


def _only_select(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    types = [statement.type.name for statement in con.extract_statements(sql)]
    if types != ["SELECT"]:
        raise NotOneQuery(types)
    (names,) = con.execute(_FUNCTIONS, [sql]).fetchall()[0]
    forbidden = sorted({name.lower() for name in names or ()} - TABLE_FUNCTIONS)
    if forbidden:
        raise NotOneQuery([f"table function {name}" for name in forbidden])


def _result(con: duckdb.DuckDBPyConnection) -> Result:
    description = con.description or []
    return Result(
        columns=tuple(column[0] for column in description),
        types=tuple(str(column[1]) for column in description),
        rows=con.fetchall(),
    )
