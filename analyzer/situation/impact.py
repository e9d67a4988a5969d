"""What is wrong now and how much it matters, from rows of the view `impact`: pure, without a store or a page.

A problem is urgent when more is refused than is usual at this hour, by more than chance, and it goes on: whether it is
new says nothing about that. Two windows decide, as with burn rates: one that shows it, and a shorter one that shows that
it has not ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from math import isnan, sqrt
from typing import Any, Final

from analyzer.situation import figures
from collector.visible import visible

MINUTES: Final = (1, 2, 5, 15, 60)  # two: the newest minute has just begun once a minute
ENOUGH: Final = 20  # requests: fewer say nothing about a share
STEADY: Final = 200  # requests that make a share worth a decimal
MATERIAL: Final = 0.01  # of all requests: less is not worth waking anybody
SEVERAL: Final = 5  # failures above the usual number, at least
TELLING: Final = 8  # expected failures; of fewer, even none could be chance
ACTIVE: Final = frozenset({"new", "escalating", "regressed", "ongoing"})
ASIDE: Final = {"muted": "muted", "archived": "archived", "waiting": "resolved in the next release"}
_DAY: Final = timedelta(hours=23, minutes=55)  # the view looks back one day
_USUALLY: Final = {
    "week": "usually {} at this hour of the week",
    "day": "usually {} at this hour",
    "best": "{} in the best half hours of the last day",
}


class Level(Enum):
    """How the present compares with what is usual."""

    HIGH = "high"
    USUAL = "usual"
    LOW = "low"
    NOT_COMPARABLE = "no earlier traffic"
    TOO_FEW = "too few requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Requests of the last minutes and how many of them failed."""

    minutes: int
    requests: int
    failures: int

    @property
    def share(self) -> float:
        """Failures per request; 0 without requests."""
        return self.failures / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Windows, the shortest first, and the share of failures that is usual: None when there is nothing to compare with."""

    windows: tuple[Window, ...]
    usual: float | None = None
    usual_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the windows say: `share` fails now, as seen in `window`."""

    level: Level
    window: Window
    excess: float = 0.0

    @property
    def share(self) -> float:
        """Failures per request."""
        return self.window.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One line of the page: a group, or several with one trigger."""

    title: str
    cause: str
    state: str
    since: datetime
    last_failed: datetime
    measured: Measured
    is_urgent: bool
    was_unusual: bool = False
    users: int = 0
    clients: int = 0
    groups: tuple[str, ...] = ()
    only_at: str = ""  # the gateway at which alone it stands out
    instance: str = ""  # gateway and instance at which nearly all of it fails, though requests pass elsewhere
    has_paused: bool = False  # nothing of it in the newest minute, which is telling; too early to call it resolved
    assignee: str = ""
    merged_into: str = ""  # the group that people made it one with; its own: never shown as one with others

    @property
    def is_active(self) -> bool:
        """Neither over nor put aside."""
        return self.state in ACTIVE

    @property
    def is_over(self) -> bool:
        """Resolved, or so it seems."""
        return self.state == "resolved" or self.has_paused

    @property
    def is_recent(self) -> bool:
        """Its beginning was seen, not only that it goes on."""
        return self.last_failed - self.since < _DAY


def judged(measured: Measured) -> Judged:
    """Compare the present with what is usual.

    >>> minute = Window(minutes=1, requests=100, failures=60)
    >>> hour = Window(minutes=60, requests=6000, failures=180)
    >>> judged(Measured(windows=(minute, hour), usual=0.02)).level
    <Level.HIGH: 'high'>
    """
    trusted = [window for window in measured.windows if window.requests >= ENOUGH]
    if not trusted:
        return Judged(level=Level.TOO_FEW, window=measured.windows[-1])
    shown = next((window for window in trusted if window.requests >= STEADY), trusted[-1])
    if measured.usual is None:
        return Judged(level=Level.NOT_COMPARABLE, window=shown, excess=shown.share)
    return _compared(measured, measured.usual, trusted, shown)


def _compared(measured: Measured, usual: float, trusted: Sequence[Window], shown: Window) -> Judged:
    for window in filter(lambda window: _stands_out(window, usual), trusted):
        half = (window.share + usual) / 2
        shown = _newest(measured.windows, window, half)
        if not _has_ended(shown, half):
            shown = shown if shown.share >= half else window
            return Judged(level=Level.HIGH, window=shown, excess=shown.share - usual)
    return Judged(
        level=Level.LOW if _is_better(shown, usual) else Level.USUAL, window=shown, excess=shown.share - usual
    )


def _stands_out(window: Window, usual: float) -> bool:
    """Beyond chance, and enough to matter."""
    expected = usual * window.requests
    above = window.share - usual
    is_material = above >= MATERIAL and (window.share >= 1.5 * usual or above >= 5 * MATERIAL)
    return is_material and window.failures - expected >= max(SEVERAL, 3 * sqrt(expected) + 3)


def _newest(windows: Sequence[Window], seen: Window, half: float) -> Window:
    """The shortest window that could show the end of what `seen` shows; a longer one shows more of what was before."""
    shorter = (window for window in windows if window.minutes < seen.minutes)
    return next((window for window in shorter if window.requests * half >= TELLING), seen)


def _has_ended(window: Window, half: float) -> bool:
    """Fewer failures than half the excess makes, beyond chance: one lucky minute, or one still filling, ends nothing."""
    expected = window.requests * half
    return window.failures < expected - 2 * sqrt(expected)


def _is_better(window: Window, usual: float) -> bool:
    expected = usual * window.requests
    return usual - window.share >= MATERIAL and expected - window.failures >= 3 * sqrt(expected) + 3


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Urgent ones first, then what changed, then what goes on, each by its failures above the usual; what is over is last."""

    def rank(problem: Problem) -> tuple[bool, bool, bool, float, str]:
        is_old = problem.state == "ongoing" and not problem.is_urgent
        return not problem.is_urgent, not problem.is_active, is_old, -judged(problem.measured).excess, problem.title

    return sorted(problems, key=rank)


def sentence(overall: Measured, problems: Iterable[Problem], now: datetime) -> str:
    """The first line of the page: how many requests pass, against what is usual; the worst problem, and since when.

    Plain text; code stands between backticks.
    """
    found = in_order(problems)
    urgent = [problem for problem in found if problem.is_urgent]
    if urgent:
        return f"{pass_rate(overall, urgent[0])} {_worst(urgent, now)}"
    state = judged(overall)
    if state.level is Level.HIGH:  # by what has just ended, it may be
        state = judged(without(overall, [problem for problem in found if problem.has_paused]))
    first = _rate(state, overall)
    if state.level in (Level.HIGH, Level.NOT_COMPARABLE):
        return f"{first} {_put_aside(found, overall) or _spread(found, now)}".rstrip()
    return f"{first} {_calm(found, now)}".rstrip()


def without(overall: Measured, problems: Iterable[Problem]) -> Measured:
    """All requests but the failures of these problems."""
    counts = [[window.failures for window in one.measured.windows] for one in problems]
    windows = tuple(
        replace(window, failures=max(0, window.failures - sum(each[n] for each in counts)))
        for n, window in enumerate(overall.windows)
    )
    return replace(overall, windows=windows)


def pass_rate(overall: Measured, worst: Problem | None = None) -> str:
    """How many requests pass against what is usual, in the window that shows the worst problem."""
    state = judged(overall)
    return _rate(_as_seen(overall, state, worst) if worst else state, overall)


def _as_seen(overall: Measured, state: Judged, worst: Problem) -> Judged:
    """All requests in the window that shows the worst problem, when they do not show it by themselves."""
    shown = judged(worst.measured)
    if state.level is not Level.USUAL or shown.level is not Level.HIGH:
        return state
    window = next(window for window in overall.windows if window.minutes == shown.window.minutes)
    is_high = window.share - (overall.usual or 0) >= MATERIAL
    return Judged(level=Level.HIGH, window=window) if is_high else state


def _rate(state: Judged, overall: Measured) -> str:
    window = state.window
    if state.level is Level.TOO_FEW:
        return f"Too few requests to judge: {window.requests} in the last hour, {window.failures} refused."
    passes = "No request passes" if state.share == 1 else f"{figures.percent(1 - state.share)} of requests pass"
    if overall.usual is None:
        return f"{passes}; there is no earlier traffic to compare with."
    usual = _USUALLY.get(overall.usual_from, "usually {}").format(figures.percent(1 - overall.usual))
    if state.level is Level.USUAL:
        return f"{passes}, as usual at this hour." if overall.usual_from in ("week", "day") else f"{passes}, as before."
    only = "Only " if state.level is Level.HIGH and state.share < 1 else ""
    return f"{only}{passes}, {usual}."


def _worst(urgent: Sequence[Problem], now: datetime) -> str:
    worst = urgent[0]
    more = len(urgent) - 1
    others = f" {figures.plural(more, 'more problem')} {'is' if more == 1 else 'are'} urgent." if more else ""
    place = worst.instance or worst.only_at
    where = f", at {place}" if place else ""
    return f"{since(worst, now)}{where}: {worst.title.rstrip('.')}; {affected(worst)} affected.{others}"


def _spread(found: Sequence[Problem], now: datetime) -> str:
    active = [problem for problem in found if problem.is_active]
    if not active:
        return ""
    return f"Most refusals, {since(active[0], now).lower()}: {active[0].title.rstrip('.')}; {affected(active[0])} affected."


def _put_aside(found: Sequence[Problem], overall: Measured) -> str:
    """What a person put aside, if it explains more than any other problem does."""
    largest = max(found, key=_last_hour, default=None)
    if largest is None or largest.state not in ASIDE or not _last_hour(largest):
        return ""
    is_most = 2 * _last_hour(largest) >= overall.windows[-1].failures
    return f"{'Most' if is_most else 'Part'} of it is {ASIDE[largest.state]}: {largest.title.rstrip('.')}."


def _last_hour(problem: Problem) -> int:
    return problem.measured.windows[-1].failures


def _calm(found: Sequence[Problem], now: datetime) -> str:
    over = [problem for problem in found if problem.is_over and problem.was_unusual]
    latest = max(over, key=lambda problem: problem.last_failed, default=None)
    if latest and now - latest.last_failed < timedelta(hours=1):
        return f"{ended(latest, now)}: {latest.title.rstrip('.')}."
    return _small(found)


def ended(problem: Problem, now: datetime) -> str:
    """`Over since 14:20`; `Seems over since 14:20` while it may only be a pause."""
    return f"{'Seems over' if problem.has_paused else 'Over'} since {figures.clock(problem.last_failed, now)}"


def _small(found: Sequence[Problem]) -> str:
    small = [
        problem for problem in found if problem.is_active and problem.state != "ongoing" and not problem.has_paused
    ]
    if not small:
        return ""
    more = f" and {figures.plural(len(small) - 1, 'more problem')}" if len(small) > 1 else ""
    return f"Small so far: {small[0].title.rstrip('.')} ({small[0].state}){more}."


def since(problem: Problem, now: datetime, zone: str = "") -> str:
    """`Since 14:03 (12 min)`; with `zone` " UTC" `Since 14:03 UTC (12 min)`."""
    if now - problem.since >= _DAY:
        return "For more than a day"
    again = "Again since" if problem.state == "regressed" else "Since"
    return f"{again} {figures.clock(problem.since, now)}{zone} ({figures.span((now - problem.since).total_seconds())})"


def affected(problem: Problem) -> str:
    """`198 users and 5 clients`."""
    found = [
        figures.plural(number, noun)
        for number, noun in ((problem.users, "user"), (problem.clients, "client"))
        if number
    ]
    return " and ".join(found) or "no known user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything refused together, and the problems in order. `overall` is None while the store has no traffic."""

    overall: Measured | None
    problems: tuple[Problem, ...]


def situation(rows: Iterable[Mapping[str, Any]], gateway: str = "") -> Situation:
    """Rows of the view `impact`, with `title` and `cause` of their groups, as seen by one gateway or by all ("")."""
    by_group: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_group.setdefault(row["group_id"], []).append(row)
    overall = next((measured(row) for row in by_group.pop("", []) if row["gateway"] == gateway), None)
    problems = [_problem(found, gateway) for found in by_group.values()]
    return Situation(overall=overall, problems=tuple(in_order(filter(None, problems))))


def measured(row: Mapping[str, Any]) -> Measured:
    """The windows of one row."""
    windows = (
        Window(minutes=n, requests=int(row[f"requests_{n}"]), failures=int(row[f"failures_{n}"])) for n in MINUTES
    )
    usual = row["usual"]
    is_known = usual is not None and not isnan(usual)  # NaN: what pandas makes of NULL
    return Measured(windows=tuple(windows), usual=float(usual) if is_known else None, usual_from=str(row["usual_from"]))


def _problem(rows: Sequence[Mapping[str, Any]], gateway: str) -> Problem | None:
    row = next((row for row in rows if row["gateway"] == gateway), None)
    if row is None:
        return None
    # A small gateway that refuses everything is urgent, however little of all traffic it has.
    high = [each for each in rows if judged(measured(each)).level is Level.HIGH]
    seen = max(high, key=lambda each: each["gateway"] == gateway, default=row)
    return Problem(
        title=visible(row["title"] or row["group_id"], 160),
        cause=str(row["cause"] or "unknown"),
        state=row["state"],
        since=seen["since"],
        last_failed=row["last_failed"],
        measured=measured(row),
        is_urgent=bool(high) and row["state"] in ACTIVE,
        has_paused=_has_paused(row, high),
        was_unusual=bool(row["above_usual"]),
        users=int(row["users"]),
        clients=int(row["clients"]),
        groups=(row["group_id"],),
        assignee=_text(row, "assignee"),
        merged_into=_text(row, "merged_into"),
        only_at="" if seen["gateway"] == gateway else visible(seen["gateway"], 60),
    )


def _has_paused(row: Mapping[str, Any], high: Sequence[Mapping[str, Any]]) -> bool:
    """It stood out, and of the newest minutes, in which its share of the last five would be several failures, there is none."""
    if high or row["state"] not in ACTIVE or not row["above_usual"]:
        return False
    share = row["failures_5"] / max(1, row["requests_5"])
    return any(not row[f"failures_{n}"] and row[f"requests_{n}"] * share >= TELLING for n in (1, 2))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if figures.is_nothing(value) else visible(value, 200)
