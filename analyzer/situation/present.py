"""The present state of a lake, asked of its views: one reading for the page and for the alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from analyzer.situation import figures, impact, incidents, suspects
from analyzer.situation.impact import Problem, Situation
from analyzer.situation.incidents import Value
from analyzer.situation.suspects import Suspect
from collector.visible import visible

MAX_PARTS: Final = 2_000  # groups of one incident whose users are counted
NEARLY_ALL: Final = 0.99
COSTLY: Final = ("problems", "shared")  # statements that a page should not repeat for every viewer
Rows = Sequence[Mapping[str, Any]]
Ask = Callable[..., Rows]
"""`ask(name, **params)`: the rows of `queries/<name>.sql`; parameters that the statement does not use are left out."""


@cache
def sql(name: str) -> str:
    """The statement of `queries/<name>.sql`. Raises FileNotFoundError for a name that is none."""
    return files("analyzer.situation").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8").strip()


def folded(rows: Rows, ask: Ask, *, gateway: str = "", shown: int) -> Situation:
    """Problems (`rows` of the statement `problems`) with those of one trigger as one line.

    Users of the first `shown` lines are counted once each, however many groups they are in.
    """
    now = impact.situation(rows, gateway)
    shared = ask("shared")
    found = incidents.folded(now.problems, incidents.values(shared))
    hour = max((row["until"] for row in rows), default=None)
    counted = (_with_people(_placed(one, shared), ask, gateway, hour) for one in found[:shown])
    return Situation(overall=now.overall, problems=(*counted, *found[shown:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What a problem's failures share and what passes has seldom, and the change that may be their cause."""

    common: tuple[Value, ...] = ()
    suspect: Suspect | None = None
    instance: str = ""  # gateway and instance at which (nearly) all of it fails


def behind(problem: Problem, ask: Ask, gateways: Sequence[str]) -> Behind:
    """What may be behind a problem at these gateways."""
    shared = ask("shared")
    since = problem.since - suspects.BEFORE
    return Behind(
        common=incidents.values(shared).get(problem.groups[0], ()),
        suspect=suspects.suspect(problem, ask("lately", since=since), shared, gateways),
        instance=next((row["value"] for row in shared if _is_where(row, problem.groups[0])), ""),
    )


def _is_where(row: Mapping[str, Any], group: str) -> bool:
    return (row["group_id"], row["dimension"]) == (group, "instance") and bool(row["share"] >= NEARLY_ALL)


def _placed(problem: Problem, shared: Rows) -> Problem:
    """With the instance at which it fails, when requests pass elsewhere: of a gateway with one instance it says nothing."""
    found = (row for row in shared if _is_where(row, problem.groups[0]) and _is_elsewhere(row["passing_share"]))
    instance = next((visible(row["value"], 80) for row in found), "")
    return replace(problem, instance=instance) if instance else problem


def _is_elsewhere(passing_share: float | None) -> bool:
    return not figures.is_nothing(passing_share) and passing_share < NEARLY_ALL  # type: ignore[operator]


def _with_people(problem: Problem, ask: Ask, gateway: str, until: datetime | None) -> Problem:
    if len(problem.groups) == 1 or until is None:
        return problem
    groups = " ".join(problem.groups[:MAX_PARTS])
    (row,) = ask("people", since=until - timedelta(hours=1), groups=groups, gateway=gateway)
    return replace(problem, users=int(row["users"]), clients=int(row["clients"]))
