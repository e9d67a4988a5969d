"""What may have caused a problem: the change just before it began, how long before, and how much of the failure it explains. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from analyzer.situation import figures
from analyzer.situation.impact import Problem
from collector.visible import visible

BEFORE: Final = timedelta(minutes=15)  # a change shows within a quarter of an hour, caches included
AFTER: Final = timedelta(
    minutes=2
)  # onsets are known to the minute, and the first sight of a key may be a later request
RARER: Final = 0.5  # times as frequent among what passes, at most
LEAST: Final = 0.5  # of the failures have the new value; a change that explains less is a coincidence
KNOWN_AT: Final = timedelta(
    minutes=1
)  # a mark has its own time, and what came after the minute of the onset caused nothing
NAMES: Final = {
    "issuer_first_seen": "new issuer",
    "kid_first_seen": "new signing key",
    "gateway_first_seen": "new gateway",
    "client_version_changed": "new client version",
    "audience_changed": "new audience",
    "claims_changed": "tokens",
    "jwks_refreshed": "key set refreshed",
    "config_loaded": "configuration loaded",
    "marked": "mark",
}
# What failures that a change explains have in common.
_DIMENSION: Final = {
    "issuer_first_seen": "issuer",
    "kid_first_seen": "kid",
    "gateway_first_seen": "version",
    "client_version_changed": "release",
    "audience_changed": "audience",
    "claims_changed": "claims",
}
_SENT: Final = ("audience_changed", "claims_changed")  # by a client that may have changed at the same moment
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """`explains`: share of the failures that have the new value, 0 to 1; None for a change that leaves no value in a request."""

    kind: str
    subject: str
    at: datetime
    delay: timedelta
    explains: float | None

    def says(self, now: datetime) -> str:
        """`new signing key r3 at 14:02, 1 min before; 98 % of these failures have it`."""
        gap = figures.span(abs(self.delay.total_seconds()))
        when = (
            "at the same time"
            if abs(self.delay) < timedelta(minutes=1)
            else f"{gap} {'before' if self.delay > timedelta(0) else 'after'}"
        )
        share = "" if self.explains is None else f"; {figures.percent(self.explains, 0)} of these failures have it"
        name = NAMES.get(self.kind, self.kind.replace("_", " "))
        return f"{name} {visible(self.subject, 120)} at {figures.clock(self.at, now)}, {when}{share}"


def suspect(problem: Problem, changes: Iterable[Row], shared: Iterable[Row], gateways: Sequence[str]) -> Suspect | None:
    """The change that explains most of a problem, the latest of several, a release or mark before what clients send since; None when there is none.

    `changes` and `shared` are rows of these views; `gateways` are those at which the problem is.
    """
    mine = [row for row in shared if row["group_id"] in problem.groups]
    values, issuers = _telling(mine), _issuers(mine)
    near = (change for change in changes if _may_be(problem, change, gateways) and _is_of(change, issuers))
    found = (_suspect(problem, change, values) for change in near)
    known = [one for one in found if one is not None]
    return max(known, key=_weight, default=None)


def _weight(one: Suspect) -> tuple[int, float, datetime]:
    """What clients send anew is the effect of a release, which a mark names; a key or a version is itself what changed."""
    is_effect, is_mark = one.kind in _SENT, one.explains is None
    return 0 if is_effect else 1 if is_mark else 2, one.explains or 0.0, one.at


def is_rarer(row: Row) -> bool:
    """Whether a row of the view `shared` tells the failures from what passes, which has the value much less often."""
    passing = row["passing_share"]
    return figures.is_nothing(passing) or bool(passing <= RARER * row["share"])


def _may_be(problem: Problem, change: Row, gateways: Sequence[str]) -> bool:
    after = AFTER if change["kind"] in _DIMENSION else KNOWN_AT
    is_near = problem.since - BEFORE <= change["changed_at"] <= problem.since + after
    return is_near and (change["gateway"] in ("", *gateways) or change["kind"] in _DIMENSION)


def _telling(rows: Iterable[Row]) -> dict[tuple[str, str], float]:
    return {(row["dimension"], row["value"]): row["share"] for row in rows if is_rarer(row)}


def _issuers(rows: Iterable[Row]) -> Collection[str]:
    return {row["value"] for row in rows if row["dimension"] == "issuer" and row["share"] >= LEAST}


def _is_of(change: Row, issuers: Collection[str]) -> bool:
    """Another issuer's keys cause nothing."""
    return change["kind"] != "jwks_refreshed" or change["subject"] in issuers


def _suspect(problem: Problem, change: Row, values: Mapping[tuple[str, str], float]) -> Suspect | None:
    dimension = _DIMENSION.get(change["kind"])
    explains = values.get((dimension, change["subject"]), 0.0) if dimension else None
    if explains is not None and explains < LEAST:
        return None
    return Suspect(
        kind=change["kind"],
        subject=change["subject"],
        at=change["changed_at"],
        delay=problem.since - change["changed_at"],
        explains=explains,
    )
