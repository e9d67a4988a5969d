"""What ad hoc SQL may say: one SELECT over the views. Decides on DuckDB's own syntax tree, never on text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

VIEWS: Final = (
    "failures", "groups", "trend", "traffic", "issuers", "keys", "token_shapes", "changes",
    "samples", "unclassified", "pipeline", "positions", "notes",
)  # fmt: skip
TABLE_FUNCTIONS: Final = frozenset({"range", "generate_series", "unnest"})
# Scalars that read settings or secrets, change state, run SQL, or only hold a worker.
FUNCTIONS_DENIED: Final = frozenset(
    {
        "nextval", "currval", "setseed", "write_log", "sleep_ms", "current_setting", "getvariable", "getenv",
        "json_execute_serialized_sql", "stats", "current_query", "add_parquet_key", "pg_sleep", "quack_check_token",
        "current_connection_id", "current_query_id", "current_transaction_id", "txid_current", "which_secret",
        "force_checkpoint", "checkpoint", "query", "query_table", "in_search_path", "error",
    }
)  # fmt: skip
_SCHEMAS: Final = frozenset({"", "main"})
_CATALOGS: Final = frozenset({"", "lake"})


def refusal(tree: Mapping[str, Any], resolvable: frozenset[str] = frozenset()) -> str:
    """Why a statement is not run, "" when it may. `tree` is json_serialize_sql's output.

    `resolvable`: every table and view name that exists, so that a CTE cannot lend its name to one of them.
    """
    if tree.get("error"):
        return "Only SELECT statements run here (no DDL, PRAGMA, EXPLAIN, SHOW, PIVOT or SET)."
    if len(tree.get("statements", ())) != 1:
        return "One statement at a time."
    nodes = list(_nodes(tree))
    ctes = {name for node in nodes for name in _cte_names(node)}
    stolen = sorted(name for name in ctes if name.lower() in resolvable or not name.isidentifier())
    if stolen:
        return f"WITH may not define {stolen[0]!r}: the name is taken, or not a plain word."
    known = frozenset(VIEWS) | {name.lower() for name in ctes}
    return next((why for node in nodes if (why := _refused_node(node, known))), "")


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _cte_names(node: Mapping[str, Any]) -> Iterator[str]:
    named = node.get("cte_map")
    entries = named.get("map", ()) if isinstance(named, dict) else ()
    yield from (str(entry.get("key", "")) for entry in entries)
    if node.get("type") == "RECURSIVE_CTE_NODE":
        yield str(node.get("cte_name", ""))


def _refused_node(node: Mapping[str, Any], known: frozenset[str]) -> str:
    if node.get("type") == "BASE_TABLE":
        return _refused_table(node, known)
    if node.get("type") == "TABLE_FUNCTION":
        called = node.get("function")
        name = str(called.get("function_name", "")).lower() if isinstance(called, dict) else ""
        return "" if name in TABLE_FUNCTIONS else f"The table function {name or '?'} is not available here."
    if node.get("type") == "SHOW_REF":
        return "DESCRIBE and SHOW are not available here; the views and their columns are listed below."
    function = str(node.get("function_name", "")).lower()
    return f"The function {function} is not available here." if function in FUNCTIONS_DENIED else ""


def _refused_table(node: Mapping[str, Any], known: frozenset[str]) -> str:
    name, schema, catalog = (str(node.get(key, "")) for key in ("table_name", "schema_name", "catalog_name"))
    if schema.lower() in _SCHEMAS | _CATALOGS and catalog.lower() in _CATALOGS and name.lower() in known:
        return ""
    return f"There is no view {name!r} here. Views: {', '.join(VIEWS)}."
