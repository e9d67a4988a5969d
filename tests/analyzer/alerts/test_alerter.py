"""From the store to the message: what the rules find in a store that the writer made, and what is said of it, once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analyzer.alerts import keeping
from analyzer.alerts.alerter import Alerter, alerting
from analyzer.alerts.courier import Parcel
from analyzer.alerts.ledger import Step
from analyzer.store.group_state import Decision, State
from collector.errors import ConfigurationError
from collector.events import Gateway
from collector.settings import AlertSettings, Settings
from collector.telemetry import Telemetry
from tests.dashboard import outage, sample_lake
from tests.dashboard.outage import EXPIRED, NO_KEY, NOW, Fails, Kind
from tests.waiting import HANG_S

SHORT: dict[str, Any] = {"days": (7, 14), "hours": 5, "rate": 6}


class Post:
    """Takes parcels instead of the courier."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.why = ""

    def __call__(self, parcels: Sequence[Parcel]) -> list[str]:
        self.parcels += parcels
        return [self.why] * len(parcels)

    @property
    def titles(self) -> list[str]:
        """Of everything that was taken; forgotten with that."""
        taken, self.parcels = self.parcels, []
        return [parcel.title for parcel in taken]


class Clock:
    """The wall's clock of a test."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alerter(tmp_path: Path, post: Post, clock: Clock) -> Callable[..., Alerter]:
    """A process that sends alerts about the store of the test."""

    def make(*, urls: str = "chat json://h", **changes: Any) -> Alerter:
        alerts = replace(AlertSettings(), urls=urls, **changes)
        settings = replace(Settings(), data_dir=str(tmp_path), alerts=alerts)
        return Alerter(settings, Telemetry(), deliver=post, clock=clock)

    return make


def append(folder: Path, fails: Fails, minutes: float, clock: Clock, *, gateway: Gateway | None = None) -> None:
    """Let traffic of some minutes come in, and time pass."""
    rng = random.Random(3)
    with sample_lake.opened(folder) as store:
        at = [clock.now + timedelta(seconds=10 * n) for n in range(int(minutes * 6))]
        store.append(
            [outage.verdict(rng, one, fails(rng, one), n, gateway=gateway) for n, one in enumerate(at)], [], {}
        )
    clock.later(minutes=minutes)


def test_an_outage_is_told_once_and_its_end(
    tmp_path: Path, alerter: Callable[..., Alerter], post: Post, clock: Clock
) -> None:
    """The sentence: since when, how sure, what, how many, whom, against what is usual. A restart and a second process say
    nothing, and once it has been over for a while that is said, once."""
    outage.build(tmp_path, outage.Outage(10), **SHORT)
    alerter().round()
    (one,) = post.parcels

    assert one.title == "New: The gateway does not know the key `r3`"
    assert (
        one.body.splitlines()[0]
        == "Since 10:30 UTC (10 min), 95 % sure, at envoy and kong: The gateway does not know the key `r3`."
    )
    assert "refusals in the last hour, " in one.body
    assert "of requests pass, usually 9" in one.body
    assert one.body.endswith("/group?group=v1-00000000000000b1")
    assert "critical" == one.severity
    post.parcels.clear()

    first, second = alerter(), alerter()
    for each in (first, second, first):
        each.round()
    assert [] == post.titles

    for _ in range(4):
        append(tmp_path, outage.noise, 6, clock)
        for each in (first, second):
            each.round()
    assert ["Over: The gateway does not know the key `r3`"] == post.titles
    assert [("resolved", ["chat"])] == rows(tmp_path, "SELECT state, sent_to FROM alerts")


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with sample_lake.opened(folder) as store:
        return store.rows(sql)


def test_a_calm_store_says_nothing(tmp_path: Path, alerter: Callable[..., Alerter], post: Post) -> None:
    """Every day's failures are no alert, with every rule and an objective that holds."""
    outage.build(tmp_path, outage.noise, **SHORT)
    alerter(objective_percent=94.0).round()

    assert [] == post.titles
    assert [(0,)] == rows(tmp_path, "SELECT count(*) FROM store.alerts")


@pytest.mark.parametrize("state", [State.MUTED, State.ARCHIVED, State.RESOLVED])
def test_what_people_put_aside_is_not_told(
    state: State, tmp_path: Path, alerter: Callable[..., Alerter], post: Post
) -> None:
    """Muted, archived, or resolved in the next release: neither the problem nor the spike that it is."""
    outage.build(tmp_path, outage.Outage(20), **SHORT)
    with sample_lake.opened(tmp_path) as store:
        aside = Decision(
            group_id=NO_KEY[0], author="ana", state=state, next_release=state is State.RESOLVED, at=NOW - timedelta(minutes=15),
        )  # fmt: skip
        store.decide(aside)
    alerter().round()

    assert [] == post.titles


@pytest.mark.parametrize(
    ("fails", "resolved", "rule", "title"),
    [
        (outage.Outage(10, kind=EXPIRED), False, "escalating", f"Escalating: {EXPIRED[-1]}"),
        (outage.Outage(20), True, "regressed", f"Again: {NO_KEY[-1]}"),
        (outage.Outage(90), False, "spike", f"More than usual: {NO_KEY[-1]}"),
    ],
)
def test_a_known_problem_is_told_by_what_it_does(
    fails: outage.Outage,
    resolved: bool,
    rule: str,
    title: str,
    tmp_path: Path,
    alerter: Callable[..., Alerter],
    post: Post,
) -> None:
    """It rises, fails again after somebody resolved it, or has gone on for longer than an hour."""
    outage.build(tmp_path, fails, days=(7, 14), hours=2, rate=4)
    if resolved:
        with sample_lake.opened(tmp_path) as store:
            at = NOW - timedelta(minutes=15)
            store.decide(Decision(group_id=NO_KEY[0], author="ana", state=State.RESOLVED, at=at))
    alerter().round()

    assert [title] == post.titles
    assert [(rule,)] == rows(tmp_path, "SELECT rule FROM alerts")


def test_late_data_is_said_once_and_freezes(
    tmp_path: Path, alerter: Callable[..., Alerter], post: Post, clock: Clock
) -> None:
    """Nothing is resolved because nothing arrives."""
    outage.build(tmp_path, outage.Outage(10), **SHORT)
    process = alerter()
    process.round()
    post.parcels.clear()
    said = []
    for _ in range(4):
        clock.later(minutes=6)
        process.round()
        said += post.titles
    assert ["Late: No current data"] == said

    for _ in range(3):
        append(tmp_path, outage.Outage(0, until=-999, share=0.8), 4, clock)
        process.round()
    assert ["Over: No current data"] == post.titles


def test_a_silent_gateway_is_told_and_that_it_sends_again(
    tmp_path: Path, alerter: Callable[..., Alerter], post: Post, clock: Clock
) -> None:
    """Kong stops while Envoy goes on; a gateway that never sends at this hour is not missed."""
    outage.build(tmp_path, outage.noise, days=(7, 14), hours=5, rate=60)
    process = alerter(silence_minutes=10)
    for _ in range(3):
        append(tmp_path, outage.noise, 5, clock, gateway=Gateway("envoy", "edge-1", "1.39.0"))
        process.round()
    assert ["Silence: Gateway kong sends nothing"] == post.titles

    for _ in range(3):
        append(tmp_path, outage.noise, 4, clock)  # of both
        process.round()
    assert ["Over: Gateway kong sends nothing"] == post.titles


def test_many_small_problems_are_a_spike(tmp_path: Path, alerter: Callable[..., Alerter], post: Post) -> None:
    """None of a hundred is urgent; together they are more than usual."""

    def storm(rng: random.Random, at: datetime) -> Kind | None:
        if (NOW - at).total_seconds() < 1200 and rng.random() < 0.2:
            n = rng.randrange(100)
            return (f"v1-00000000000d{n:04}", "claim_missing", "format", f"Claim {n} is missing")
        return outage.noise(rng, at)

    outage.build(tmp_path, storm, days=(7, 14), hours=5, rate=12)
    alerter().round()

    assert ["More than usual: More requests are refused than usual"] == post.titles


def test_an_objective_and_what_is_not_explained(tmp_path: Path, alerter: Callable[..., Alerter], post: Post) -> None:
    """Half of the refusals have no known cause, and they burn the budget."""
    unknown = ("v1-00000000000000f1", "unclassified", "unknown", "The cause is not determined")
    outage.build(tmp_path, outage.Outage(60, share=0.5, kind=unknown), **SHORT)
    alerter(objective_percent=99.0, rules=("objective", "unclassified")).round()

    assert [
        "Objective: The error budget of 99 % burns too fast",
        "Not explained: Many refusals are not explained",
    ] == post.titles


def test_a_channel_that_fails_is_tried_again_by_itself(
    tmp_path: Path, alerter: Callable[..., Alerter], post: Post, clock: Clock
) -> None:
    """Kept in the store, with why; after a pause the message is sent, by whoever is there then."""
    outage.build(tmp_path, outage.Outage(10), **SHORT)
    post.why = "HTTP 500"
    alerter().round()
    post.why = ""
    clock.later(seconds=40)
    alerter().round()

    assert 2 == len(post.titles)
    assert [("HTTP 500",)] == rows(tmp_path, "SELECT says FROM store.alerts WHERE step = 'failed'")
    assert [(["chat"], 1)] == rows(tmp_path, "SELECT sent_to, failures FROM alerts")


def test_of_two_processes_at_once_one_sends(
    tmp_path: Path, alerter: Callable[..., Alerter], post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw the same; the second one judges again within its transaction, and sees the claim."""
    outage.build(tmp_path, outage.Outage(10), **SHORT)
    first, second = alerter(), alerter()
    append_ = keeping.append

    def overtaken(settings: Settings, now: datetime, decide: keeping.Decide) -> Sequence[Step]:
        monkeypatch.setattr(keeping, "append", append_)
        second.round()
        return append_(settings, now, decide)

    monkeypatch.setattr(keeping, "append", overtaken)
    first.round()

    assert 1 == len(post.titles)


def test_a_hostile_name_calls_nobody(tmp_path: Path, alerter: Callable[..., Alerter], post: Post) -> None:
    """A title with everything that chat programs and terminals act on."""
    title = "No key for <!channel> @everyone \u202egro\x1b[31m"
    outage.build(tmp_path, outage.Outage(10, kind=(*NO_KEY[:3], title)), **SHORT)
    alerter().round()
    (one,) = post.parcels

    for text in (one.title, one.body):
        assert not [part for part in ("<!channel", "@everyone", "\u202e", "\x1b") if part in text]


def test_nothing_runs_without_a_channel(tmp_path: Path) -> None:
    """And a wrong line prevents the start."""
    with alerting(replace(Settings(), data_dir=str(tmp_path)), Telemetry()):
        pass
    wrong = replace(Settings(), alerts=replace(AlertSettings(), urls="nothing"))
    with pytest.raises(ConfigurationError), alerting(wrong, Telemetry()):
        pass


def test_a_rotation_is_told_with_what_is_behind_it(
    tmp_path: Path, alerter: Callable[..., Alerter], post: Post, clock: Clock
) -> None:
    """A new key that one gateway instance refuses and the other accepts: the instance, the key, when it was first seen, and
    that all of these failures have it."""
    outage.build(tmp_path, outage.noise, **SHORT)
    rng = random.Random(4)
    old, new = Gateway("envoy", "edge-1", "1.39.0"), Gateway("envoy", "edge-2", "1.39.0")
    with sample_lake.opened(tmp_path) as store:
        at = [clock.now + timedelta(seconds=5 * n) for n in range(60)]
        verdicts = [
            outage.verdict(rng, one, NO_KEY if n % 2 else None, 10_000 + n, gateway=old if n % 2 else new, kid="r3")
            for n, one in enumerate(at)
        ]
        store.append(verdicts, [], {})
    clock.later(minutes=5)
    alerter().round()
    (one,) = post.parcels

    assert (
        "95 % sure, at envoy edge-1: The gateway does not know the key `r3` (suspect change: new signing key r3 at 10:40, "
        in one.body
    )
    assert "; 100 % of these failures have it)." in one.body
    assert "In common, and seldom where requests pass: " in one.body


def test_a_delivery_that_hangs_holds_nothing_up(tmp_path: Path, clock: Clock) -> None:
    """While a message is under way, no transaction is open: the writer commits."""
    outage.build(tmp_path, outage.Outage(10), **SHORT)
    begun, may_end = threading.Event(), threading.Event()

    def hang(parcels: Sequence[Parcel]) -> list[str]:
        begun.set()
        may_end.wait(HANG_S)
        return [""] * len(parcels)

    alerts = replace(AlertSettings(), urls="chat json://h")
    settings = replace(Settings(), data_dir=str(tmp_path), alerts=alerts)
    thread = threading.Thread(target=Alerter(settings, Telemetry(), deliver=hang, clock=clock).round)
    thread.start()
    assert begun.wait(HANG_S)
    append(tmp_path, outage.noise, 1, clock)

    assert thread.is_alive()
    may_end.set()
    thread.join(HANG_S)
    assert [(["chat"],)] == rows(tmp_path, "SELECT sent_to FROM alerts")
