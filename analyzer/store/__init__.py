"""The store: a DuckLake with one writer's side (`open_store`) and a reader's (`connect_reader`, `run_query`).

store = open_store(settings, telemetry)
store.append(verdicts, positions, {("received", ""): len(verdicts)})

con = connect_reader(settings, memory_mib=512)
run_query(con, "SELECT code, failures FROM groups ORDER BY failures DESC").rows
"""

from __future__ import annotations

import tempfile
from dataclasses import replace

from analyzer.store.connect import attach_sql, connect_reader
from analyzer.store.errors import NewerStore, NoStore, NotOneQuery, QueryTimeout
from analyzer.store.query import Result, run_query
from analyzer.store.snapshot import snapshot
from analyzer.store.store import Store
from collector.settings import Settings
from collector.telemetry import Telemetry

__all__ = [
    "NewerStore",
    "NoStore",
    "NotOneQuery",
    "QueryTimeout",
    "Result",
    "Store",
    "attach_sql",
    "connect_reader",
    "open_memory_store",
    "open_store",
    "run_query",
    "snapshot",
]


def open_store(settings: Settings, telemetry: Telemetry) -> Store:
    """The writer's store, created and migrated when needed. Raises SinkUnavailable or NewerStore."""
    store = Store(settings, telemetry)
    store.open()
    return store


def open_memory_store(settings: Settings | None = None) -> Store:
    """A store for tests, real in everything, in a folder that goes when it is closed; `store.settings` for readers."""
    folder = tempfile.TemporaryDirectory(prefix="why401-")
    store = Store(replace(settings or Settings(), data_dir=folder.name), Telemetry(), on_close=folder.cleanup)
    store.open()
    return store
