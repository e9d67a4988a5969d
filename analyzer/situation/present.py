"""The present state of a lake, asked of its views: one reading for the page and for the alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from analyzer.situation import impact, incidents
from analyzer.situation.impact import Problem, Situation

MAX_PARTS: Final = 2_000  # groups of one incident whose users are counted
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
    found = incidents.folded(now.problems, incidents.values(ask("shared")))
    hour = max((row["until"] for row in rows), default=None)
    counted = (_with_people(one, ask, gateway, hour) for one in found[:shown])
    return Situation(overall=now.overall, problems=(*counted, *found[shown:]))


def _with_people(problem: Problem, ask: Ask, gateway: str, until: datetime | None) -> Problem:
    if len(problem.groups) == 1 or until is None:
        return problem
    groups = " ".join(problem.groups[:MAX_PARTS])
    (row,) = ask("people", since=until - timedelta(hours=1), groups=groups, gateway=gateway)
    return replace(problem, users=int(row["users"]), clients=int(row["clients"]))
