"""The words of a message, as a person reads them at night: since when, how sure, what, how much, what to do. Plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from analyzer.situation import figures, impact
from analyzer.situation.impact import ASIDE, Measured, Problem
from analyzer.situation.incidents import DIMENSIONS, Value
from analyzer.situation.present import Behind
from collector.visible import visible

MAX_TITLE: Final = 200
MAX_FIX: Final = 600
LATE: Final = "No current data"
_TELLING: Final = ("kid", "version", "client", "issuer", "route")
UNCLASSIFIED: Final = {
    "refusals": "Many refusals are not explained",
    "records": "Many log records cannot be read",
}
BEGUN: Final = {
    "new": "New", "escalating": "Escalating", "regressed": "Again", "spike": "More than usual", "objective": "Objective",
    "unclassified": "Not explained", "silence": "Silence", "late": "Late", "limit": "Limit",
}  # fmt: skip
# What chat programs would take for a call to everybody: an invisible joiner parts it.
_CALLS: Final = ("<!", "<@", "<#", "@everyone", "@here", "@channel", "@all")
_LONGEST: Final = max(map(len, _CALLS))


def harmless(text: str) -> str:
    """Text in which no value from a log calls everybody of a chat.

    >>> harmless("client @everyone").isascii(), harmless("ana@example.com <b>").isascii()
    (False, True)
    """
    return "".join(char + "\u2060" if _is_call(text, at) else char for at, char in enumerate(text))


def _is_call(text: str, at: int) -> bool:
    return text[at] in "@<" and text[at : at + _LONGEST].lower().startswith(_CALLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """An urgent line of the page, with its row of the statement `problems`, and all requests beside it."""

    problem: Problem
    row: Mapping[str, Any]
    overall: Measured | None
    behind: Behind
    now: datetime


def title_of(problem: Problem) -> str:
    """The problem in one line."""
    return visible(problem.title.rstrip("."), MAX_TITLE)


def problem(about: About) -> str:
    """Since when, how sure, what and where, what may have caused it, how much, and what to do."""
    one, row = about.problem, about.row
    parts = (
        f"{impact.since(one, about.now, ' UTC')}, {_sure(row)}{_where(about)}: {title_of(one)}{_suspect(about)}.",
        _common(about.behind.common),
        f"{_refusals(one)}, {impact.affected(one)}.",
        impact.pass_rate(about.overall, one) if about.overall else "",
        _fix(row),
    )
    return harmless("\n".join(filter(None, parts)))


def _sure(row: Mapping[str, Any]) -> str:
    confidence = row.get("confidence")
    return "cause not certain" if confidence is None else f"{figures.percent(confidence, 0)} sure"


def _where(about: About) -> str:
    """The instance at which nearly all of it fails, else the gateways."""
    names = [str(name) for name in about.row.get("gateways") or ()]
    gateways = " and ".join(names) if len(names) <= 2 else figures.listed(names, 2)
    place = about.behind.instance or about.problem.only_at or gateways
    return f", at {visible(place, 120)}" if place else ""


def _suspect(about: About) -> str:
    change = about.behind.suspect
    return f" (suspect change: {change.says(about.now)})" if change else ""


def _common(values: Sequence[Value]) -> str:
    """What tells it apart from what passes."""
    found = [f"{DIMENSIONS[one.dimension]} `{visible(one.value, 100)}`" for one in values if one.dimension in _TELLING]
    return f"In common, and seldom where requests pass: {', '.join(found[:3])}." if found else ""


def _refusals(one: Problem) -> str:
    failures = one.measured.windows[-1].failures
    return f"{figures.plural(failures, 'refusal')} in the last hour"


def _fix(row: Mapping[str, Any]) -> str:
    fix = row.get("fix")
    return f"Fix: {visible(' '.join(str(fix).split()), MAX_FIX)}" if fix else ""


def spike(overall: Measured, problems: Sequence[Problem]) -> str:
    """How many pass, and what most of the refusals are."""
    active = [one for one in problems if one.is_active][:3]
    largest = "; ".join(f"{title_of(one)} ({figures.count(one.measured.windows[-1].failures)})" for one in active)
    most = f"\nNo single problem explains it. The largest in the last hour: {largest}." if largest else ""
    return harmless(f"{impact.pass_rate(overall)}{most}")


def unclassified(subject: str, part: int, whole: int) -> str:
    """Which share, and what to do about it."""
    share = f"{figures.count(part)} of {figures.count(whole)} ({figures.percent(part / whole)})"
    if subject == "records":
        return f"{share} log records of the last hour could not be read.\nFix: see which with `why401 propose`, and set the gateway or [[formats]]."
    return f"{share} refusals of the last hour have no known cause.\nFix: see which messages with `why401 propose`."


def silent(gateway: str) -> str:
    """The title of a silence."""
    return f"Gateway {visible(gateway, 80)} sends nothing"


def silence(gateway: str, since: datetime, now: datetime, per_minute: float | None) -> str:
    """Since when, and what is expected."""
    expected = f" Usually about {_rate(per_minute)}." if per_minute else ""
    span = figures.span((now - since).total_seconds())
    said = f"No request of gateway {visible(gateway, 80)} since {figures.clock(since, now)} UTC ({span}), while others send.{expected}"
    return harmless(f"{said}\nFix: check that the gateway runs and that its logs are shipped to why401.")


def _rate(per_minute: float) -> str:
    if per_minute >= 1:
        return f"{figures.plural(round(per_minute), 'request')} a minute"
    return f"{figures.plural(max(1, round(per_minute * 60)), 'request')} an hour"


def late(until: datetime, now: datetime, per_minute: float, *, arrives: bool) -> str:
    """Since when, and that other alerts wait."""
    span = figures.span((now - until).total_seconds())
    since = f"{figures.clock(until, now)} UTC"
    if arrives:
        said = f"Records arrive late: the newest request is of {since}, {span} ago."
        fix = "Fix: check the delay of log shippers and, with Kafka, the lag of why401 (metric why401.kafka.lag)."
    else:
        said = f"Nothing arrived since {since} ({span}), usually about {_rate(per_minute)}."
        fix = "Fix: check that logs are shipped to why401, and that `why401 up` or `why401 collect` runs."
    return f"{said} All other alerts wait until data arrives.\n{fix}"


def limited(number: int) -> str:
    """That there is more than was sent."""
    return f"{figures.plural(number, 'more alert')} of the last hour {'was' if number == 1 else 'were'} not sent ([alerts] max_per_hour). The dashboard shows all of them."


def begun(rule: str, title: str) -> str:
    """The title of the first message."""
    return harmless(visible(f"{BEGUN[rule]}: {title}", MAX_TITLE))


def worse(title: str) -> str:
    """The title when a warning became critical."""
    return harmless(visible(f"Worse: {title}", MAX_TITLE))


def ended(title: str) -> str:
    """The title of the last message."""
    return harmless(visible(f"Over: {title}", MAX_TITLE))


def over(rule: str, since: datetime, now: datetime, one: Problem | None, *, sends: bool = True) -> str:
    """How it ended, and how long it took; `sends` is about a gateway that was silent."""
    span = figures.span((now - since).total_seconds())
    if one is not None and one.state in ASIDE:
        return f"It is {ASIDE[one.state]} and no longer alerted."
    if one is not None and one.state == "resolved":
        lasted = figures.span((one.last_failed - since).total_seconds())
        return f"Over since {figures.clock(one.last_failed, now)} UTC. It lasted {lasted}."
    if not sends:
        return f"Nothing for {span}: it is not expected to send any more."
    return _OVER.get(rule, "Back to usual after {}.").format(span)


_OVER: Final = {
    "silence": "It sends again, after {}.",
    "late": "Data arrives again, after {}. Other alerts are judged again.",
    "objective": "The budget burns slowly enough again, after {}.",
    "limit": "Alerts are sent again.",
}
