"""SQL that a person typed: judged by its syntax tree, then run as one SELECT of so many rows."""

from __future__ import annotations

import json
from typing import Final

import duckdb
import pyarrow as pa

from analyzer.lake.allow_list import RESOLVABLE, refusal
from analyzer.lake.errors import QueryRefused
from analyzer.lake.reader import Reader

MAX_ROWS: Final = 5_000  # more than a person reads, less than a browser minds
MAX_LENGTH: Final = 20_000  # characters of a statement
_TREE: Final = "SELECT json_serialize_sql($sql) AS tree"
_SQL: Final = "SELECT json_deserialize_sql($tree::JSON) AS sql"


def first_rows(reader: Reader, sql: str) -> pa.Table:
    """The first MAX_ROWS + 1 rows of one SELECT over the views; the one too many says that there are more.

    Raises QueryRefused with what is allowed or what DuckDB says, QueryTimeout, NoStore, StoreUnavailable.
    """
    plain = _checked(reader, sql)
    try:
        return reader.table(f"SELECT * FROM ({plain}\n) LIMIT {MAX_ROWS + 1}")  # noqa: S608  # parsed and checked
    except (duckdb.Error, OverflowError, ValueError) as error:
        raise QueryRefused(str(error)) from None


def _checked(reader: Reader, sql: str) -> str:
    """The statement. A text with a semicolon, which would end it, is written back from the tree that was checked."""
    if len(sql) > MAX_LENGTH:
        raise QueryRefused(f"At most {MAX_LENGTH:,} characters.")
    try:
        serialized = _value(reader, _TREE, "sql", sql)
        tree = json.loads(serialized)
        why = refusal(tree, frozenset(reader.table(RESOLVABLE)["name"].to_pylist()))
    except (duckdb.Error, ValueError, RecursionError) as error:
        raise QueryRefused(f"Cannot parse this statement: {type(error).__name__}.") from None
    if tree.get("error") and tree.get("error_type") == "parser":
        raise QueryRefused(f"Syntax error: {tree.get('error_message', '')}")
    if why:
        raise QueryRefused(why)
    return sql if ";" not in sql else _value(reader, _SQL, "tree", serialized)


def _value(reader: Reader, sql: str, name: str, value: str) -> str:
    return str(reader.table(sql, {name: value}).column(0)[0].as_py())
