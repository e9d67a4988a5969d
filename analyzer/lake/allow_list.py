"""What ad hoc SQL may ask: one SELECT over the views. Decides on DuckDB's own syntax tree, never on text.

`why401/sql_server/authorization.sql` says the same in SQL for `why401 sql --serve`, built from the lists here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from analyzer.lake.view_files import view_names

VIEWS: Final = view_names()
# Names and columns only: a DuckDB client that attaches asks for them, and people do.
METADATA: Final = frozenset({"schemata", "tables", "columns"})
TABLE_FUNCTIONS: Final = frozenset(
    {"range", "generate_series", "unnest", "duckdb_tables", "duckdb_views", "duckdb_columns"}
)
SHOWN: Final = frozenset(
    {"", '"tables"', "__show_tables_expanded"}
)  # DESCRIBE of a query, SHOW TABLES, SHOW ALL TABLES
# Scalars that read settings or secrets, change state, run or plan SQL, trust bytes they are given, or only hold a worker.
FUNCTIONS_DENIED: Final = frozenset(
    {
        "nextval", "currval", "setseed", "write_log", "sleep_ms", "current_setting", "getvariable", "getenv",
        "json_execute_serialized_sql", "stats", "current_query", "add_parquet_key", "pg_sleep", "quack_check_token",
        "current_connection_id", "current_query_id", "current_transaction_id", "txid_current", "which_secret",
        "force_checkpoint", "checkpoint", "query", "query_table", "in_search_path", "error", "json_serialize_plan",
        "quack_nop_authorization", "variant_bytes_to_variant",
    }
)  # fmt: skip
PREFIX_DENIED: Final = "__"  # __internal_decompress_… reads what it is given without a check
FUNCTION_SCHEMAS: Final = frozenset({"", "main", "pg_catalog"})
FUNCTION_CATALOGS: Final = frozenset({"", "system"})
# Every name that a table reference could resolve to; the parameter `resolvable` of `refusal`.
RESOLVABLE: Final = """
SELECT lower(table_name) AS name FROM duckdb_tables()
UNION
SELECT lower(view_name) FROM duckdb_views()
UNION
SELECT lower(function_name) FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro', 'pragma')
"""
_SCHEMAS: Final = frozenset({"", "main"})
_CATALOGS: Final = frozenset({"", "lake"})


def refusal(tree: Mapping[str, Any], resolvable: frozenset[str] = frozenset()) -> str:
    """Why a statement is not run, "" when it may. `tree` is json_serialize_sql's output.

    `resolvable`: every table and view name that exists, so that a CTE cannot lend its name to one of them.
    """
    if tree.get("error"):
        return "Only SELECT statements run here (no DDL, PRAGMA, EXPLAIN, PIVOT or SET)."
    if len(tree.get("statements", ())) != 1:
        return "Run one statement at a time."
    nodes = list(_nodes(tree))
    ctes = {name for node in nodes for name in _cte_names(node)}
    return _refused_ctes(ctes, resolvable) or _refused_nodes(nodes, {name.lower() for name in ctes})


def _refused_ctes(names: Iterable[str], resolvable: frozenset[str]) -> str:
    refused = sorted(name for name in names if name.lower() in resolvable or not name.isidentifier())
    if not refused:
        return ""
    return f"A WITH clause cannot define {refused[0]!r}: the name is in use, or is not a plain word."


def _refused_nodes(nodes: Iterable[Mapping[str, Any]], ctes: AbstractSet[str]) -> str:
    known = frozenset(VIEWS) | ctes
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


def _refused_node(node: Mapping[str, Any], known: AbstractSet[str]) -> str:
    if node.get("type") == "BASE_TABLE":
        return _refused_table(node, known)
    if node.get("type") == "TABLE_FUNCTION":
        return _refused_table_function(node)
    if node.get("type") == "SHOW_REF":
        return _refused_show(node)
    return _refused_function(node) if "function_name" in node else ""


def _refused_table_function(node: Mapping[str, Any]) -> str:
    called = node.get("function")
    name = str(called.get("function_name", "")).lower() if isinstance(called, dict) else ""
    return "" if name in TABLE_FUNCTIONS else f"The table function {name or '?'} is not available here."


def _refused_function(node: Mapping[str, Any]) -> str:
    name, schema, catalog = _lowered(node, "function_name", "schema", "catalog")
    ours = schema in FUNCTION_SCHEMAS and catalog in FUNCTION_CATALOGS
    if ours and name not in FUNCTIONS_DENIED and not name.startswith(PREFIX_DENIED):
        return ""
    return f"The function {name} is not available here."


def _refused_show(node: Mapping[str, Any]) -> str:
    plain = not node.get("schema_name") and not node.get("catalog_name")
    return "" if plain and node.get("table_name") in SHOWN else "Only SHOW TABLES and DESCRIBE of a view run here."


def _refused_table(node: Mapping[str, Any], known: AbstractSet[str]) -> str:
    name, schema, catalog = _lowered(node, "table_name", "schema_name", "catalog_name")
    if (
        _is_plain(name, schema, catalog, known)
        or _is_view(name, schema, catalog)
        or _is_metadata(name, schema, catalog)
    ):
        return ""
    return f"There is no view {node.get('table_name')!r} here. Views: {', '.join(VIEWS)}."


def _is_plain(name: str, schema: str, catalog: str, known: AbstractSet[str]) -> bool:
    """A view or a CTE by its name alone."""
    return not schema and not catalog and name in known


def _is_view(name: str, schema: str, catalog: str) -> bool:
    """A view by its full name; `lake.failures` has the catalog where a schema would be."""
    return schema in _SCHEMAS | _CATALOGS and catalog in _CATALOGS and name in VIEWS


def _is_metadata(name: str, schema: str, catalog: str) -> bool:
    return schema == "information_schema" and not catalog and name in METADATA


def _lowered(node: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
    return tuple(str(node.get(key, "")).lower() for key in keys)
