"""What was said already, and what is to be said next: pure, so that a restart or a second process decides the same.

The ledger is a list of steps (`store.alerts`), only ever appended. An alert is opened (or held, beyond the limit), may grow
by groups or become worse, and is resolved; for each of these and each channel a message is claimed, then sent or failed.
Whoever appends does so in a turn and judges again within it: of two processes one sees the other's claim.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final

from analyzer.alerts import texts
from analyzer.alerts.finding import CRITICAL, LIMIT, Finding, Seen
from collector.settings import AlertSettings

FIRING: Final = "firing"
WORSE: Final = "worse"
RESOLVED: Final = "resolved"
# In the order in which steps of one moment happened.
STEPS: Final = ("silenced", "opened", "held", "released", "grown", WORSE, RESOLVED, "claimed", "sent", "failed")
EVERYTHING: Final = "all"  # of a silence
CLAIM: Final = timedelta(minutes=2)  # longer than a delivery may take: after that its process is gone
FIRST_PAUSE: Final = timedelta(seconds=30)  # after a failure; doubled each time
LAST_PAUSE: Final = timedelta(minutes=30)
GIVE_UP: Final = timedelta(hours=24)
MAX_GROUPS: Final = 2_000  # of one alert
MAX_OPEN: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A row of `store.alerts`; what a step does not say is empty."""

    alert_id: str
    noted_at: datetime
    step: str
    rule: str = ""
    subject: str = ""
    severity: str = ""
    since: datetime | None = None
    title: str = ""
    says: str = ""
    link: str = ""
    groups: tuple[str, ...] = ()
    phase: str = ""
    channel: str = ""
    until: datetime | None = None
    author: str = ""

    def values(self) -> list[Any]:
        """In the order of COLUMNS."""
        return [list(self.groups) if name == "groups" else getattr(self, name) for name in COLUMNS]


COLUMNS: Final = tuple(each.name for each in fields(Step))


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One message to one channel."""

    is_sent: bool = False
    failures: int = 0
    failed_at: datetime | None = None
    claimed_until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Alert:
    """An episode: from the first message to the last."""

    alert_id: str
    rule: str
    subject: str
    severity: str
    since: datetime
    opened_at: datetime
    title: str
    says: str
    link: str
    groups: set[str]
    is_held: bool
    told_at: datetime  # when it was opened, or released
    phase: str = FIRING
    phase_at: datetime
    resolved_at: datetime | None = None
    deliveries: dict[tuple[str, str], Delivery] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Not resolved yet."""
        return self.resolved_at is None

    def is_about(self, finding: Finding) -> bool:
        """Whether a finding goes on with it."""
        if finding.groups or self.groups:
            return not self.groups.isdisjoint(finding.groups)
        return (self.rule, self.subject) == (finding.rule, finding.subject)

    def was_sent(self, channel: str) -> bool:
        """Whether a channel knows that it began."""
        return any(self.deliveries.get((phase, channel), Delivery()).is_sent for phase in (FIRING, WORSE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The ledger, added up. `silences`: what is silent (a rule, an alert's id, or everything), and until when."""

    alerts: Mapping[str, Alert]
    silences: Mapping[str, datetime]

    @property
    def open(self) -> list[Alert]:
        """Alerts that are not over, the oldest first."""
        return sorted((one for one in self.alerts.values() if one.is_open), key=lambda one: one.opened_at)

    def is_silent(self, rule: str, alert_id: str, now: datetime) -> bool:
        """Whether a person wants to hear nothing of it."""
        return any(self.silences.get(what, now) > now for what in (EVERYTHING, rule, alert_id))

    def silent_gateways(self) -> dict[str, datetime]:
        """Gateways whose silence was told, with its beginning."""
        return {one.subject: one.since for one in self.open if one.rule == "silence"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """As far as the ledger knows it: its name, and whether it takes warnings as well."""

    name: str
    only_critical: bool = False

    def takes(self, severity: str) -> bool:
        """Whether a message of this severity is for it."""
        return severity == CRITICAL or not self.only_critical


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Everything that decides about the next steps. `gone`: open alerts of which nothing was found for long enough."""

    seen: Seen
    settings: AlertSettings
    channels: Sequence[Channel]
    gone: frozenset[str]
    holder: str


def added_up(steps: Iterable[Step]) -> Book:
    """Alerts and silences of all steps. A step of an alert whose beginning is not known any more says nothing."""
    alerts: dict[str, Alert] = {}
    silences: dict[str, datetime] = {}
    for step in sorted(steps, key=lambda step: (step.noted_at, STEPS.index(step.step))):
        if step.step == "silenced" and step.until:
            silences[step.subject] = step.until
        elif step.step in ("opened", "held"):
            alerts.setdefault(step.alert_id, _opened(step))
        elif step.alert_id in alerts:
            _STEP[step.step](alerts[step.alert_id], step)
    return Book(alerts=alerts, silences=silences)


def _opened(step: Step) -> Alert:
    return Alert(
        alert_id=step.alert_id, rule=step.rule, subject=step.subject, severity=step.severity, since=step.since or step.noted_at,
        opened_at=step.noted_at, title=step.title, says=step.says, link=step.link, groups=set(step.groups),
        is_held=step.step == "held", told_at=step.noted_at, phase_at=step.noted_at,
    )  # fmt: skip


def _release(alert: Alert, step: Step) -> None:
    alert.is_held, alert.told_at, alert.phase_at = False, step.noted_at, step.noted_at


def _grow(alert: Alert, step: Step) -> None:
    alert.groups.update(step.groups)


def _turn(alert: Alert, step: Step) -> None:
    alert.phase, alert.phase_at, alert.title, alert.says = step.step, step.noted_at, step.title, step.says
    alert.severity = step.severity or alert.severity
    if step.step == RESOLVED:
        alert.resolved_at = step.noted_at


def _claim(alert: Alert, step: Step) -> None:
    _delivery(alert, step).claimed_until = step.until


def _sent(alert: Alert, step: Step) -> None:
    one = _delivery(alert, step)
    one.is_sent, one.claimed_until = True, None


def _failed(alert: Alert, step: Step) -> None:
    one = _delivery(alert, step)
    one.failures, one.failed_at, one.claimed_until = one.failures + 1, step.noted_at, None


def _delivery(alert: Alert, step: Step) -> Delivery:
    return alert.deliveries.setdefault((step.phase, step.channel), Delivery())


_STEP: Final = {
    "released": _release, "grown": _grow, WORSE: _turn, RESOLVED: _turn, "claimed": _claim, "sent": _sent, "failed": _failed,
}  # fmt: skip


def next_steps(steps: Sequence[Step], judge: Judge) -> list[Step]:
    """What is to be appended to these steps now; [] in almost every round."""
    made = list(_changes(added_up(steps), judge))
    return [*made, *_claims(added_up([*steps, *made]), judge)]


def absent(book: Book, seen: Seen) -> set[str]:
    """Open alerts about which nothing was found; while data is late, only what is about that can be."""
    judged = (one for one in book.open if one.rule != LIMIT and (one.rule == "late" or not seen.is_late))
    return {one.alert_id for one in judged if not any(map(one.is_about, seen.findings))}


def _changes(book: Book, judge: Judge) -> Iterator[Step]:
    known, new = _sorted_out(book, judge)
    room = judge.settings.max_per_hour - _recent(book, judge.seen.now)
    for alert, finding in known:
        yield from _continued(alert, finding, judge)
    waiting = [one for one in book.open if one.is_held and one.alert_id not in judge.gone]
    for one in waiting[: max(0, room)]:
        yield Step(alert_id=one.alert_id, noted_at=judge.seen.now, step="released")
    left = room - len(waiting)
    for at, finding in enumerate(new):
        yield _beginning(finding, judge.seen.now, "opened" if at < left else "held")
    yield from _limited(book, judge, max(0, len(waiting) - max(0, room)) + max(0, len(new) - max(0, left)))
    yield from _ended(book, judge)


def _sorted_out(book: Book, judge: Judge) -> tuple[list[tuple[Alert, Finding]], list[Finding]]:
    """Findings with the open alert that they go on with, and new ones that are to be told."""
    known, new = list[tuple[Alert, Finding]](), list[Finding]()
    for finding in judge.seen.findings:
        alert = next((one for one in book.open if one.is_about(finding)), None)
        if alert:
            known.append((alert, finding))
        elif _is_to_be_told(finding, book, judge):
            new.append(finding)
    return known, new[: max(0, MAX_OPEN - len(book.open))]


def _is_to_be_told(finding: Finding, book: Book, judge: Judge) -> bool:
    # More than usual altogether is no news while a problem is told, or just ends.
    is_told = finding.rule == "spike" and not finding.groups and any(one.groups for one in book.open)
    is_wanted = finding.opens and not is_told and finding.rule in judge.settings.rules
    return is_wanted and not book.is_silent(finding.rule, "", judge.seen.now)


def _recent(book: Book, now: datetime) -> int:
    """Alerts whose first message fell into the last hour."""
    begun = (one for one in book.alerts.values() if not one.is_held and one.rule != LIMIT)
    return sum(1 for one in begun if now - one.told_at < timedelta(hours=1))


def _continued(alert: Alert, finding: Finding, judge: Judge) -> Iterator[Step]:
    more = set(finding.groups) - alert.groups
    if more and len(alert.groups) < MAX_GROUPS:
        groups = tuple(sorted(more))[: MAX_GROUPS - len(alert.groups)]
        yield Step(alert_id=alert.alert_id, noted_at=judge.seen.now, step="grown", groups=groups)
    if finding.severity == CRITICAL != alert.severity:
        yield Step(
            alert_id=alert.alert_id, noted_at=judge.seen.now, step=WORSE, severity=CRITICAL,
            title=texts.worse(finding.title), says=finding.says,
        )  # fmt: skip


def _beginning(finding: Finding, now: datetime, step: str) -> Step:
    return Step(
        alert_id=secrets.token_hex(4), noted_at=now, step=step, rule=finding.rule, subject=finding.subject,
        severity=finding.severity, since=finding.since, title=texts.begun(finding.rule, finding.title), says=finding.says,
        link=finding.link, groups=finding.groups[:MAX_GROUPS],
    )  # fmt: skip


def _limited(book: Book, judge: Judge, held: int) -> Iterator[Step]:
    """One message while alerts are held back, and one when that is over."""
    now = judge.seen.now
    told = next((one for one in book.open if one.rule == LIMIT), None)
    if held and not told:
        title = "More alerts than are sent in an hour"
        yield _beginning(Finding(rule=LIMIT, since=now, title=title, says=texts.limited(held)), now, "opened")
    if told and not held:
        yield _end(told, judge)


def _ended(book: Book, judge: Judge) -> Iterator[Step]:
    for alert in book.open:
        is_silent = book.is_silent(alert.rule, alert.alert_id, judge.seen.now)
        if alert.alert_id in judge.gone and not is_silent:
            yield _end(alert, judge)


def _end(alert: Alert, judge: Judge) -> Step:
    seen = judge.seen
    one = next((seen.problems[group] for group in sorted(alert.groups) if group in seen.problems), None)
    sends = alert.rule != "silence" or alert.subject in seen.sending
    says = texts.over(alert.rule, alert.since, seen.now, one, sends=sends)
    title = texts.ended(alert.title.partition(": ")[2])
    return Step(alert_id=alert.alert_id, noted_at=seen.now, step=RESOLVED, title=title, says=says)


def _claims(book: Book, judge: Judge) -> Iterator[Step]:
    """Messages that are due and that nobody else sends at the moment."""
    now = judge.seen.now
    for alert in book.alerts.values():
        if alert.is_held or book.is_silent(alert.rule, alert.alert_id, now):
            continue
        for channel in judge.channels:
            if _is_due(alert, channel, now):
                yield Step(
                    alert_id=alert.alert_id, noted_at=now, step="claimed", phase=alert.phase, channel=channel.name,
                    until=now + CLAIM, author=judge.holder,
                )  # fmt: skip


def _is_due(alert: Alert, channel: Channel, now: datetime) -> bool:
    one = alert.deliveries.get((alert.phase, channel.name), Delivery())
    is_wanted = alert.was_sent(channel.name) if alert.phase == RESOLVED else channel.takes(alert.severity)
    is_claimed = one.claimed_until is not None and one.claimed_until > now
    return (
        is_wanted and not one.is_sent and not is_claimed and now - alert.phase_at < GIVE_UP and not _is_paused(one, now)
    )


def _is_paused(one: Delivery, now: datetime) -> bool:
    pause = min(FIRST_PAUSE * 2 ** min(one.failures - 1, 10), LAST_PAUSE) if one.failures else timedelta(0)
    return one.failed_at is not None and now - one.failed_at < pause
