"""The first line of the page at every minute of an outage, by day and night: asked of stores that the writer made."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analyzer.situation import impact
from analyzer.store.group_state import Decision, State
from tests.dashboard import outage, sample_lake
from tests.dashboard.outage import EXPIRED, NO_KEY, NOW, Fails, Kind, sentence, situation

Use = Callable[..., None]
WEEKS = {"days": (7, 14), "hours": 11, "rate": 6}
SHORT = {"days": (), "hours": 11, "rate": 6}


@pytest.fixture
def made(tmp_path: Path, use: Use) -> Callable[..., Path]:
    """A store with these failures, which the page then reads."""

    def make(fails: Fails, **how: object) -> Path:
        outage.build(tmp_path, fails, **{**WEEKS, **how})  # type: ignore[arg-type]
        use(tmp_path)
        return tmp_path

    return make


@pytest.mark.parametrize("history", [WEEKS, SHORT], ids=["weeks", "hours"])
@pytest.mark.parametrize("minute", [1, 61, 600])
def test_an_outage_is_told_at_any_age(minute: int, history: dict[str, object], made: Callable[..., Path]) -> None:
    """How many requests pass, how many usually do, since when, what it is, and whom it affects; never that all is well."""
    said = sentence(made(outage.Outage(minute), **history))
    usual = (
        r"usually 9\d\.\d % at this hour of the week"
        if history is WEEKS
        else r"9\d\.\d % in the best half hours of the last day"
    )
    found = re.fullmatch(
        rf"(?:Only (?P<rate>\d+\.\d) % of requests pass|No request passes), {usual}\. Since (?P<since>[^(]+) \(.+\): "
        r"The gateway does not know the key `r3`; (?P<users>\d+) users and \d clients affected\.",
        said,
    )

    assert found, said
    # Half a minute at the low rate of the test need not stand out.
    assert found["since"][-5:] in {f"{NOW - timedelta(minutes=ago):%H:%M}" for ago in (minute, minute - 0.9)}
    assert (True, True) == (float(found["rate"] or 0) < (85 if minute == 1 else 40), 3 <= int(found["users"]) <= 200)


def test_at_night_a_few_requests_are_enough(made: Callable[..., Path]) -> None:
    """Two requests a minute: ten minutes of an outage are told, and one minute of it is told as small, by name."""
    said = sentence(made(outage.Outage(10, share=1), rate=2))

    assert re.match(
        r"(Only \d+\.\d % of requests pass|No request passes), usually .*Since .*The gateway does not know", said
    )


def test_a_minute_of_an_outage_at_night_is_named(made: Callable[..., Path]) -> None:
    """Two failures prove nothing: the sentence says how many pass and names what is new, and does not cry wolf."""
    said = sentence(made(outage.Outage(1, share=1), rate=2))

    assert re.fullmatch(
        r"9\d\.\d % .* as usual .*\. Small so far: The gateway does not know the key `r3` \(new\)\.", said
    )


@pytest.mark.parametrize(
    ("hours", "days", "says"),
    [
        (12, outage.DAYS_COMPARED, "as usual at this hour."),
        (12, (1, 2, 3), "as usual at this hour."),
        (12, (), "as before."),
        (1 / 3, (), "there is no earlier traffic to compare with. Most refusals, since .*Clients keep using.*"),
    ],
)
def test_a_calm_day_is_calm(hours: float, days: tuple[int, ...], says: str, made: Callable[..., Path]) -> None:
    """Failures that are always there are usual, whatever there is to compare with; without anything, that is said."""
    said = sentence(made(outage.noise, hours=hours, days=days))

    assert re.fullmatch(r"(100|9\d\.\d) % of requests pass[,;] " + says, said)


def test_many_new_and_tiny_problems_are_not_urgent(made: Callable[..., Path]) -> None:
    """A deploy with a hundred kinds of failures, once each: as usual, and the page does not say that they need a look."""

    def deploy(rng: random.Random, at: datetime) -> Kind | None:
        ago = (NOW - at).total_seconds() / 60
        if 3 < ago < 8 and rng.random() < 0.3:
            n = rng.randrange(100)
            return (f"v1-00000000000d{n:04}", "claim_missing", "format", f"Claim {n} is missing")
        return outage.noise(rng, at)

    made(deploy, rate=20)
    found = situation()

    assert [] == [problem for problem in found.problems if problem.is_urgent]
    assert len(found.problems) > 20


def test_an_old_problem_that_grows_is_escalating(made: Callable[..., Path]) -> None:
    """Ten times as many expired tokens as usual, for half an hour: since then, not since its first day."""
    said = sentence(made(outage.Outage(30, share=0.3, kind=EXPIRED), rate=20))
    (worst, *_) = situation().problems

    assert re.match(
        r"Only [67]\d\.\d % of requests pass, usually 9.*\. Since (..:..) \(3[01] min\): Clients keep using", said
    )
    assert ("escalating", True) == (worst.state, worst.is_urgent)


def test_what_is_over_is_told_as_over(made: Callable[..., Path]) -> None:
    """Ten minutes after the mend: as usual, and what is over since when."""
    said = sentence(made(outage.Outage(60, until=10), rate=20))
    over = (NOW - timedelta(minutes=10)).strftime("%H:%M")

    assert re.fullmatch(
        rf"(100|9\d\.\d) % of requests pass, as usual at this hour\. Over since {over}: The gateway does not .*", said
    )
    assert {"resolved", "ongoing"} == {problem.state for problem in situation().problems}


def test_a_small_gateway_that_refuses_everything_is_urgent(made: Callable[..., Path]) -> None:
    """One of twenty requests goes through it: all of them together look as usual, and it is named all the same."""
    from collector.events import Gateway

    broken = Gateway("apisix", "apisix-0", "3")
    data_dir = made(outage.noise, rate=60, hours=1, days=(7, 14))
    with sample_lake.opened(data_dir) as store:
        rng = random.Random(1)
        at = [NOW - timedelta(minutes=2.9 * n) for n in range(21)]
        earlier = [NOW.replace(minute=n) - timedelta(days=day) for day in (7, 14) for n in range(40)]
        verdicts = [
            outage.verdict(rng, one, NO_KEY if one in at else None, n, gateway=broken)
            for n, one in enumerate(earlier + at)
        ]
        store.append(verdicts, [], {})
    (worst, *_) = situation().problems

    assert (True, NO_KEY[3], "apisix") == (worst.is_urgent, worst.title, worst.only_at)
    assert re.search(r"as usual at this hour\. Since .*, at apisix: The gateway does not know", sentence(data_dir))
    assert "Only" in sentence(data_dir, "apisix") or "No request passes" in sentence(data_dir, "apisix")


def test_a_resolved_problem_that_fails_again_is_regressed(made: Callable[..., Path]) -> None:
    """Resolved half an hour ago and still failing; a muted one is not urgent at all."""
    data_dir = made(outage.Outage(50), rate=20)
    with sample_lake.opened(data_dir) as store:
        store.decide(Decision(group_id=NO_KEY[0], author="ana", state=State.RESOLVED, at=NOW - timedelta(minutes=30)))
    states = {problem.groups: problem.state for problem in situation().problems}
    with sample_lake.opened(data_dir) as store:
        store.decide(Decision(group_id=NO_KEY[0], author="ana", state=State.MUTED, at=NOW))
    outage.forget_cache()
    muted = situation().problems

    assert "regressed" == states[(NO_KEY[0],)]
    assert [] == [problem for problem in muted if problem.is_urgent]
    assert isinstance(muted[0], impact.Problem)
