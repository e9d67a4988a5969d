"""The page's SQL: one file per panel, over views only, with named parameters; what is wrong now is asked as the alerts ask it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

from analyzer.situation import present
from dashboard import filters


@lru_cache(maxsize=64)
def text(name: str) -> str:
    """The text of `queries/<name>.sql`. Raises FileNotFoundError for a name that is none."""
    file = files("dashboard.queries").joinpath(f"{name}.sql")
    return file.read_text(encoding="utf-8").strip() if file.is_file() else present.sql(name)


def statement(name: str, params: Mapping[str, Any]) -> str:
    """The text with the filters that `params` sets in place of $scope, and the column that it names in place of $column.

    Raises FileNotFoundError for a name that is none, KeyError for a dimension that is none.
    """
    sql = text(name).replace("$scope", filters.condition(params))
    return sql.replace("$column", filters.DIMENSIONS[params["by"]]) if "$column" in sql else sql


def rendered(name: str, params: Mapping[str, Any]) -> str:
    """The statement with its parameters written in, for people to copy; it is never executed."""
    sql = statement(name, params)
    for key in sorted(params, key=len, reverse=True):  # $since_before before $since
        sql = sql.replace(f"${key}", literal(params[key]))
    return sql


def literal(value: Any) -> str:
    """A SQL literal: `literal("it's")` is `'it''s'`."""
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00'"
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return "'" + str(value).replace("'", "''") + "'"
