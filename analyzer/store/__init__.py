"""The store: the one writer of the lake. Whoever reads uses analyzer.lake.

store = open_store(settings, telemetry)
store.append(verdicts, positions, {("received", ""): len(verdicts)})
"""

from __future__ import annotations

import tempfile
from dataclasses import replace

from analyzer.store.store import Store
from collector.settings import Settings
from collector.telemetry import Telemetry

__all__ = ["Store", "open_memory_store", "open_store"]


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
