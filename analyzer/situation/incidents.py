"""Problems with one trigger become one line: they began together and share a value that what passes does not have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from analyzer.situation import figures
from analyzer.situation.impact import ASIDE, Level, Measured, Problem, Window, in_order, judged
from analyzer.situation.suspects import is_rarer
from collector.visible import visible

TOGETHER: Final = timedelta(minutes=5)  # a key rotation reaches a fleet within minutes
LATE_GAPS: Final = 6  # mean times between its failures, by which a problem may be seen late
MOST: Final = 0.8  # of a problem's failures have the shared value
# The more special a value is, the closer it is to the trigger.
DIMENSIONS: Final = {
    "kid": "key ID",
    "version": "gateway version",
    "client": "client",
    "issuer": "issuer",
    "instance": "gateway instance",
    "route": "route",
    "gateway": "gateway",
}


@dataclass(frozen=True, slots=True, order=True)
class Value:
    """A dimension and a value of it."""

    dimension: str
    value: str


def values(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Value, ...]]:
    """By group, what most of its failures share and what passes has seldom, from rows of the view `shared`."""
    found: dict[str, tuple[Value, ...]] = {}
    for row in rows:
        if row["share"] >= MOST and is_rarer(row) and row["dimension"] in DIMENSIONS:
            found[row["group_id"]] = (*found.get(row["group_id"], ()), Value(row["dimension"], row["value"]))
    return found


def folded(problems: Sequence[Problem], shared: Mapping[str, Sequence[Value]]) -> tuple[Problem, ...]:
    """The problems in order: what people merged is one, then those with one trigger, the largest set first, each in one at most."""
    left, made = merged(problems), list[Problem]()
    while found := _largest(left, shared):
        value, parts = found
        made.append(_incident(parts, value))
        left = [problem for problem in left if problem not in parts]
    return tuple(in_order([*made, *left]))


def merged(problems: Sequence[Problem]) -> list[Problem]:
    """What people made one is one, with the words of the problem that the others were merged into."""
    into = {problem.groups[0]: problem.merged_into for problem in problems}
    sets: dict[str, list[Problem]] = {}
    for problem in problems:
        sets.setdefault(_root(problem.groups[0], into), []).append(problem)
    return [_merge(root, parts) for root, parts in sets.items()]


def _root(group: str, into: Mapping[str, str]) -> str:
    """Where a chain of merges ends; a circle ends where it is met again."""
    seen = {group}
    while (following := into.get(group)) and following not in seen:
        group = following
        seen.add(group)
    return min(seen) if into.get(group) in seen - {group} else group


def _merge(root: str, parts: Sequence[Problem]) -> Problem:
    first, *others = sorted(parts, key=lambda part: (part.groups[0] != root, -part.measured.windows[-1].failures))
    if not others:
        return first
    one = _as_one(first, others, f"{first.title.rstrip('.')}, with {figures.plural(len(others), 'merged problem')}")
    active = next((part for part in parts if part.is_active), first)
    return replace(one, state=active.state, is_urgent=active.is_active and _is_high(parts, one.measured))


def _largest(problems: Sequence[Problem], shared: Mapping[str, Sequence[Value]]) -> tuple[Value, list[Problem]] | None:
    by_value: dict[Value, list[Problem]] = {}
    for problem in sorted(problems, key=lambda problem: problem.since):
        for value in shared.get(problem.groups[0], ()) if _may_fold(problem) else ():
            by_value.setdefault(value, []).append(problem)
    sets = [(value, _together(found)) for value, found in by_value.items()]
    sets = [entry for entry in sets if _is_seen(entry[1])]
    order = list(DIMENSIONS)
    best = max(sets, key=lambda entry: (len(entry[1]), -order.index(entry[0].dimension), entry[0]), default=None)
    return best if best and len(best[1]) > 1 else None


def _may_fold(problem: Problem) -> bool:
    """Neither put aside nor kept apart by a person, and its beginning was seen."""
    return problem.state not in ASIDE and problem.merged_into != problem.groups[0] and problem.is_recent


def _is_seen(parts: Sequence[Problem]) -> bool:
    """Single failures share something by chance: one of the parts, at least, was above what is usual."""
    return any(part.was_unusual for part in parts)


def _together(problems: Sequence[Problem]) -> list[Problem]:
    """The most problems that began together; `problems` are in the order in which they began."""
    best, left = list[Problem](), list(problems)
    while len(left) > len(best):
        first = left[0]
        found = [problem for problem in left if problem.since - first.since <= lateness(problem, first.since)]
        best = max(best, found, key=len)
        left = [problem for problem in left if problem not in found]
    return best


def lateness(problem: Problem, trigger: datetime) -> timedelta:
    """How long after its trigger a problem may begin: what fails seldom is seen late."""
    elapsed = min(max(problem.last_failed - trigger, timedelta(0)), timedelta(hours=1))
    return TOGETHER + LATE_GAPS * elapsed / max(1, problem.measured.windows[-1].failures)


def _incident(parts: Sequence[Problem], value: Value) -> Problem:
    first, *others = sorted(
        parts, key=lambda part: (not part.is_active, -part.measured.windows[-1].failures, part.title)
    )
    return _as_one(first, others, f"{first.title.rstrip('.')}, and {_others(len(others), value)}")


def _as_one(first: Problem, others: Sequence[Problem], title: str) -> Problem:
    parts = (first, *others)
    measured = _summed(parts)
    return replace(
        first,
        title=title,
        since=min(part.since for part in parts),
        last_failed=max(part.last_failed for part in parts),
        measured=measured,
        is_urgent=first.is_active and _is_high(parts, measured),
        was_unusual=any(part.was_unusual for part in parts),
        has_paused=first.has_paused and not measured.windows[0].failures,
        users=max(part.users for part in parts),
        clients=max(part.clients for part in parts),
        groups=tuple(group for part in parts for group in part.groups),
    )


def _is_high(parts: Sequence[Problem], measured: Measured) -> bool:
    return judged(measured).level is Level.HIGH or any(part.is_urgent for part in parts)


def _others(number: int, value: Value) -> str:
    name = visible(value.value, 80).replace("`", "'")
    return f"{figures.plural(number, 'more problem')} with {DIMENSIONS[value.dimension]} `{name}`"


def _summed(parts: Sequence[Problem]) -> Measured:
    """All failures of the parts against the requests that they are among."""
    windows = tuple(
        Window(
            minutes=window.minutes,
            requests=window.requests,
            failures=sum(part.measured.windows[at].failures for part in parts),
        )
        for at, window in enumerate(parts[0].measured.windows)
    )
    usual = [part.measured.usual for part in parts]
    known = [share for share in usual if share is not None]
    return Measured(
        windows=windows,
        usual=min(1.0, sum(known)) if len(known) == len(usual) else None,
        usual_from=parts[0].measured.usual_from,
    )
