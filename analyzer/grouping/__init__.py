"""Failures that one change would fix form one group. A released version is never edited: add the next one beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from analyzer.grouping import v1
from analyzer.verdicts import Diagnosis, Group
from collector.events import Event

Grouper = Callable[[Event, Diagnosis], Group]
"""A version of the fingerprint. Pure: the same event and diagnosis give the same group on every machine, permanently."""

VERSIONS: Final[dict[str, Grouper]] = {"v1": v1.group}
CURRENT: Final[Grouper] = v1.group

__all__ = ["CURRENT", "VERSIONS", "Grouper"]
