"""The thread beside the pipeline that judges every few seconds and sends what is due.

It holds nothing up: it reads on a connection of its own, messages travel in a process that is killed when it takes too
long, and whatever fails is counted.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import duckdb

from analyzer.alerts import alertmanager, channels, courier, keeping, ledger, otlp_json
from analyzer.alerts.channels import ALERTMANAGER, APPRISE, OTLP, Target
from analyzer.alerts.courier import Parcel
from analyzer.alerts.finding import Seen
from analyzer.alerts.ledger import RESOLVED, Alert, Book, Judge, Step
from analyzer.alerts.watching import Look, asking, look, utc_now
from analyzer.lake.attach import Access
from analyzer.lake.errors import LakeError
from analyzer.lake.reader import Reader
from collector.settings import Settings
from collector.telemetry import Telemetry

log = logging.getLogger("why401")
TIMEOUT_S: Final = 60.0  # of one statement
SPILL_MIB: Final = 1_024
AGAIN: Final = timedelta(minutes=1)  # how often Alertmanager hears what still fires
TOLD: Final = timedelta(minutes=15)  # and for how long what has ended
MAX_PARCELS: Final = 100  # of one round; the rest is due in the next
STOP_S: Final = 2.0
Deliver = Callable[[Sequence[Parcel]], list[str]]


class Alerter:
    """One round after the other; `run` is the thread's body."""

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        *,
        deliver: Deliver = courier.deliver,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._deliver = deliver
        self._clock = clock
        self._targets = {target.name: target for target in channels.targets(settings)}
        access = Access(memory_mib=settings.dashboard.memory_mib, spill_mib=SPILL_MIB)
        self._reader = Reader(settings, access, timeout_s=TIMEOUT_S)
        self._holder = uuid.uuid4().hex
        self._absent: dict[str, datetime] = {}
        self._posted_at: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. A round that fails is counted and the next one tries again."""
        while not stop.wait(self._settings.alerts.interval_seconds):
            try:
                self.round()
            except Exception as error:
                self._telemetry.count("why401.errors", stage="alerts", kind=_kind(error))
                log.warning("alerts: this round failed (%s); the next one is in %s s", type(error).__name__, self._settings.alerts.interval_seconds)  # fmt: skip
        self._reader.close()

    def round(self) -> None:
        """Judge, append what follows, deliver what is due. Raises LakeError, duckdb.Error."""
        now = self._clock()
        steps = keeping.read(self._reader, now)
        book = ledger.added_up(steps)
        seen = look(
            Look(
                ask=asking(self._reader), settings=self._settings.alerts, now=now, link=link(self._settings),
                silent=book.silent_gateways(),
            )
        )  # fmt: skip
        judge = self._judge(book, seen)
        if ledger.next_steps(steps, judge):
            steps = self._appended(judge)
        self._post(ledger.added_up(steps), now)

    def _judge(self, book: Book, seen: Seen) -> Judge:
        absent = ledger.absent(book, seen)
        self._absent = {one: self._absent.get(one, seen.now) for one in absent}
        settle = timedelta(minutes=self._settings.alerts.settle_minutes)
        gone = frozenset(one for one, since in self._absent.items() if seen.now - since >= settle)
        told = [target.channel for target in self._targets.values() if target.kind != ALERTMANAGER]
        return Judge(seen=seen, settings=self._settings.alerts, channels=told, gone=gone, holder=self._holder)

    def _appended(self, judge: Judge) -> list[Step]:
        """Judged again where nobody else can append meanwhile; then delivered."""
        known: list[Step] = []

        def decide(steps: Sequence[Step]) -> Sequence[Step]:
            known[:] = steps
            return _bounded(ledger.next_steps(steps, judge))

        made = keeping.append(self._settings, judge.seen.now, decide)
        steps = [*known, *made]
        for step in made:
            if step.step in ("opened", "held", "resolved"):
                self._telemetry.count("why401.alerts", step=step.step)
        return [*steps, *self._delivered(ledger.added_up(steps), [step for step in made if step.step == "claimed"])]

    def _delivered(self, book: Book, claims: Sequence[Step]) -> Sequence[Step]:
        if not claims:
            return []
        parcels = [parcel(book.alerts[claim.alert_id], self._targets[claim.channel]) for claim in claims]
        said = self._deliver(parcels)
        now = self._clock()
        results = [self._result(claim, why, now) for claim, why in zip(claims, said, strict=True)]
        return keeping.append(self._settings, now, lambda _: results)

    def _result(self, claim: Step, why: str, now: datetime) -> Step:
        kind = self._targets[claim.channel].kind
        self._telemetry.count("why401.alerts.messages", kind=kind, result="failed" if why else "sent")
        if why:
            log.warning("alerts: %s did not take a message: %s", claim.channel, why)
        return Step(
            alert_id=claim.alert_id, noted_at=now, step="failed" if why else "sent", phase=claim.phase, channel=claim.channel,
            says=why, author=self._holder,
        )  # fmt: skip

    def _post(self, book: Book, now: datetime) -> None:
        """Alertmanager hears everything that fires again and again: it tells alerts apart itself, whoever posts them."""
        managers = [target for target in self._targets.values() if target.kind == ALERTMANAGER]
        due = _posted(book, now)
        if managers and due and self._is_time(due, now):
            parcels = [_post(target, due, now) for target in managers]
            answers = zip(managers, self._deliver(parcels), strict=True)
            failed = [self._is_refused(target, why) for target, why in answers]
            self._posted_at = None if any(failed) else now

    def _is_time(self, due: Sequence[Alert], now: datetime) -> bool:
        """Something is new, or it is a minute later."""
        last = self._posted_at
        return last is None or now - last >= AGAIN or any(one.phase_at > last for one in due)

    def _is_refused(self, target: Target, why: str) -> bool:
        self._telemetry.count("why401.alerts.messages", kind=ALERTMANAGER, result="failed" if why else "sent")
        if why:
            log.warning("alerts: %s did not take them: %s", target.name, why)
        return bool(why)


def _bounded(steps: list[Step]) -> list[Step]:
    claims = [step for step in steps if step.step == "claimed"]
    return [step for step in steps if step.step != "claimed"] + claims[:MAX_PARCELS]


def _posted(book: Book, now: datetime) -> list[Alert]:
    """What fires, and what ended lately."""
    return [one for one in book.alerts.values() if _is_posted(one, book, now)]


def _is_posted(alert: Alert, book: Book, now: datetime) -> bool:
    is_recent = alert.resolved_at is None or now - alert.resolved_at < TOLD
    return is_recent and not alert.is_held and not book.is_silent(alert.rule, alert.alert_id, now)


def _post(target: Target, due: Sequence[Alert], now: datetime) -> Parcel:
    wanted = [one for one in due if target.channel.takes(one.severity)]
    body = json.dumps(alertmanager.posted(wanted, now))
    return Parcel(kind=target.kind, url=alertmanager.address(target.url), title="", body=body)


def parcel(alert: Alert, target: Target) -> Parcel:
    """The message of an alert, as it stands, for one channel."""
    severity = "success" if alert.phase == RESOLVED else alert.severity
    if target.kind == APPRISE:
        body = f"{alert.says}\n{alert.link}".strip()
        return Parcel(kind=APPRISE, url=target.url, title=alert.title, body=body, severity=severity)
    if target.kind == OTLP:
        body = json.dumps(otlp_json.request([otlp_json.alert(alert)]))
        return Parcel(kind=OTLP, url=otlp_json.address(target.url), title=alert.title, body=body, severity=severity)
    body = json.dumps(alertmanager.sent_on(alert, target.name))
    return Parcel(kind=target.kind, url=target.url, title=alert.title, body=body, severity=severity)


def link(settings: Settings) -> str:
    """Where the dashboard is, without a slash at its end."""
    return (settings.alerts.link or f"http://{settings.dashboard.address}").rstrip("/")


def _kind(error: Exception) -> str:
    return "unavailable" if isinstance(error, LakeError | duckdb.Error) else type(error).__name__


@contextmanager
def alerting(settings: Settings, telemetry: Telemetry) -> Iterator[None]:
    """Alerts in a thread of their own for as long as the block runs; nothing without a channel. Raises ConfigurationError."""
    if not channels.targets(settings):
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=Alerter(settings, telemetry).run, args=(stop,), name="alerts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_S)
