"""Something that is wrong now and worth a message, and what the lake showed when it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from analyzer.situation.impact import Problem

CRITICAL: Final = "critical"
WARNING: Final = "warning"
LIMIT: Final = "limit"  # of the number of alerts: no rule of the settings, it cannot be switched off
ALL: Final = "all"  # as a subject: no single problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`subject` and, of problems, `groups` tell whether an alert about it is open. `opens` False: it only keeps one open."""

    rule: str
    since: datetime
    title: str
    says: str
    severity: str = WARNING
    subject: str = ALL
    groups: tuple[str, ...] = ()
    link: str = ""
    opens: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything found at a moment. `is_late`: data is missing, so that nothing but `late` can be judged."""

    now: datetime
    findings: tuple[Finding, ...] = ()
    is_late: bool = False
    problems: Mapping[str, Problem] = field(default_factory=dict)  # by group, for what became of one
    sending: frozenset[str] = frozenset()  # gateways that are not silent
