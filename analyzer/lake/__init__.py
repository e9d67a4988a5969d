"""The lake for whoever reads: attaching it, the views, what ad hoc SQL may say, a query with its limits, a snapshot.

con = connect_reader(settings, memory_mib=512)
run_query(con, "SELECT code, failures FROM groups ORDER BY failures DESC").rows
"""

from __future__ import annotations

from analyzer.lake.attach import attach_sql, connect_reader
from analyzer.lake.errors import NewerStore, NoStore, NotOneQuery, QueryTimeout
from analyzer.lake.query import Result, run_query
from analyzer.lake.snapshot import snapshot

__all__ = [
    "NewerStore",
    "NoStore",
    "NotOneQuery",
    "QueryTimeout",
    "Result",
    "attach_sql",
    "connect_reader",
    "run_query",
    "snapshot",
]
