"""Changes that logs do not show, as rows of `store.changes`; first sights in the traffic are written by deltas.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

_APPEND: Final = "INSERT INTO store.changes (changed_at, kind, subject, gateway, detail) VALUES (?, ?, ?, ?, ?)"


class ChangeKind(StrEnum):
    """What happened."""

    JWKS_REFRESHED = "jwks_refreshed"
    CONFIG_LOADED = "config_loaded"
    MARKED = "marked"  # by a person or a pipeline: a release, a migration


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that may be why requests began to fail."""

    at: datetime
    kind: ChangeKind
    subject: str  # the key set, the configuration, or what was marked
    gateway: str = ""
    detail: str = ""

    def statement(self) -> tuple[str, list[object]]:
        """The SQL that appends it, with its parameters."""
        return _APPEND, [self.at, self.kind.value, self.subject, self.gateway, self.detail]
