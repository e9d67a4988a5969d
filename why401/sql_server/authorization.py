"""The allow list of remote SQL as macros, filled from the lists that the dashboard's SQL page uses."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Final

import duckdb

from analyzer.lake import allow_list
from analyzer.lake.view_files import quoted

MAX_ROWS: Final = 1_000_000  # of one answer; beyond it an error, since a short answer would be a wrong one
MAX_LENGTH: Final = 20_000  # characters of a statement, as on the dashboard's page
MAX_TREE: Final = 400_000  # characters of its syntax tree: judging a deeper one takes seconds
SCHEMA: Final = """
ATTACH ':memory:' AS sec;
CREATE TABLE sec.main.tokens (sha256 VARCHAR, client VARCHAR, expires TIMESTAMPTZ);
CREATE TABLE sec.main.ended (session VARCHAR)
"""


def install(con: duckdb.DuckDBPyConnection) -> None:
    """Create `sec` with the macros `authenticate`, `authorize` and the tables behind them. Call it last: it reads the catalog."""
    con.execute(SCHEMA)
    taken = [name for (name,) in con.execute(allow_list.RESOLVABLE).fetchall()]
    con.execute(macros(taken))


def macros(taken: Iterable[str]) -> str:
    """authorization.sql with its lists filled in. `taken`: names that a WITH may not define."""
    text = files("why401.sql_server").joinpath("authorization.sql").read_text(encoding="utf-8")
    return text.format(
        views=_list(allow_list.VIEWS),
        metadata=_list(allow_list.METADATA),
        shown=_list(allow_list.SHOWN),
        table_functions=_list(allow_list.TABLE_FUNCTIONS),
        functions_denied=_list(allow_list.FUNCTIONS_DENIED),
        prefix_denied=quoted(allow_list.PREFIX_DENIED),
        function_schemas=_list(allow_list.FUNCTION_SCHEMAS),
        function_catalogs=_list(allow_list.FUNCTION_CATALOGS),
        taken=_list(taken),
        max_rows=MAX_ROWS,
        max_length=MAX_LENGTH,
        max_tree=MAX_TREE,
    )


def _list(names: Iterable[str]) -> str:
    return "[" + ", ".join(quoted(name) for name in sorted(names)) + "]"
