"""What the first viewer would wait for is done when the page's process starts: modules are loaded, and the lake is asked what is wrong."""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module
from typing import Final

from analyzer.situation import present
from collector.errors import Why401Error

_SCREENS: Final = ("overview", "group", "groups", "explore", "issuers", "inspector", "health", "sql")


def begin() -> None:
    """Start on a thread of its own; what fails will be told to the viewer whom it concerns."""
    threading.Thread(target=_warmed, name="warm", daemon=True).start()


def _warmed() -> None:
    for name in _SCREENS:
        import_module(f"dashboard.screens.{name}")
    from dashboard import client

    with suppress(Why401Error):
        client.ahead(*((name, {"gateway": ""}) for name in present.COSTLY), ("freshness", {}))
