"""The lake for whoever reads: the one door, the views, what ad hoc SQL may ask, a query with its limits, a snapshot.

con = connect_reader(settings, memory_mib=512)
run_query(con, "SELECT code, failures FROM groups ORDER BY failures DESC").rows
"""

from __future__ import annotations

from analyzer.lake.attach import Access, attach_sql, connect, connect_reader
from analyzer.lake.errors import LakeError, NewerStore, NoExtension, NoStore, NotOneQuery, QueryRefused, QueryTimeout
from analyzer.lake.query import Result, run_query
from analyzer.lake.snapshot import snapshot

__all__ = [
    "Access",
    "LakeError",
    "NewerStore",
    "NoExtension",
    "NoStore",
    "NotOneQuery",
    "QueryRefused",
    "QueryTimeout",
    "Result",
    "attach_sql",
    "connect",
    "connect_reader",
    "run_query",
    "snapshot",
]
