"""What is urgent and what is said of it: pure, and for any counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.situation import impact
from analyzer.situation.impact import ACTIVE, Level, Measured, Problem, Window, judged, sentence

NOW = datetime(2026, 11, 23, 14, 40, tzinfo=UTC)
STATES = [*sorted(ACTIVE), "resolved", "muted"]


def steady(per_minute: float, share: float, usual: float | None = 0.02, usual_from: str = "week") -> Measured:
    """The same rate and share in every window."""
    windows = (
        Window(minutes=n, requests=round(n * per_minute), failures=round(n * per_minute * share))
        for n in impact.MINUTES
    )
    return Measured(windows=tuple(windows), usual=usual, usual_from=usual_from if usual is not None else "")


def problem(**changes: Any) -> Problem:
    """An urgent one."""
    about: dict[str, Any] = {
        "title": "No key", "cause": "issuer", "state": "ongoing", "since": NOW - timedelta(minutes=61), "last_failed": NOW,
        "measured": steady(100, 0.5), "is_urgent": True, "users": 3, "clients": 1,
    }  # fmt: skip
    return Problem(**about | changes)


shares = st.floats(0, 1)
rates = st.floats(0, 5_000)
measures = st.builds(steady, rates, shares, st.none() | shares, st.sampled_from(["week", "day", "best"]))
problems = st.lists(
    st.builds(
        problem,
        measured=measures,
        state=st.sampled_from(STATES),
        is_urgent=st.booleans(),
        since=st.integers(0, 3_000).map(lambda minutes: NOW - timedelta(minutes=minutes)),
        users=st.integers(0, 10_000),
    ),
    max_size=5,
)


@given(measures, problems)
def test_the_sentence_never_lies_about_the_level(overall: Measured, found: list[Problem]) -> None:
    """ "As usual" and "Only" are said of what they mean, with a number, in one line."""
    said = sentence(overall, found, NOW)
    level = judged(overall).level

    assert "\n" not in said
    assert "nan" not in said
    if level is Level.HIGH:
        assert (
            "usual at this hour." not in said.partition(",")[2].split(". ")[0] or "Only" in said or "No request" in said
        )
        assert said.startswith(("Only ", "No request passes"))
    if said.startswith("Only "):
        assert overall.usual is not None


@given(rates, shares, shares, shares)
def test_more_failures_never_matter_less(rate: float, share: float, more: float, usual: float) -> None:
    """What is urgent stays urgent when it gets worse, at the same number of requests."""
    low, high = sorted((share, more))

    assert (
        judged(steady(rate, low, usual)).level is not Level.HIGH
        or judged(steady(rate, high, usual)).level is Level.HIGH
    )


@given(st.floats(20, 5_000), shares)
def test_what_is_usual_is_never_urgent(rate: float, usual: float) -> None:
    """However much fails: what always fails does not wake anybody."""
    assert judged(steady(rate, usual, usual)).level in (Level.USUAL, Level.TOO_FEW)


@given(st.floats(40, 5_000), st.floats(0, 0.5))
def test_a_total_outage_is_urgent_in_its_first_minute(rate: float, usual: float) -> None:
    """Whatever went before in the hour."""
    good = steady(rate, usual, usual)
    newest = Window(minutes=1, requests=round(rate), failures=round(rate))
    windows = [
        Window(minutes=w.minutes, requests=w.requests, failures=min(w.requests, w.failures + round(rate * (1 - usual))))
        for w in good.windows[1:]
    ]

    assert Level.HIGH is judged(Measured(windows=(newest, *windows), usual=usual, usual_from="week")).level


@given(st.floats(40, 5_000), st.floats(0.3, 1))
def test_what_is_over_is_not_urgent(rate: float, share: float) -> None:
    """Five good minutes end an outage, although most of the hour was bad."""
    windows = [
        Window(minutes=n, requests=round(n * rate), failures=round(max(0, n - 5) * rate * share))
        for n in impact.MINUTES
    ]

    assert Level.HIGH is not judged(Measured(windows=tuple(windows), usual=0.02, usual_from="week")).level


@pytest.mark.parametrize(("last", "level"), [(9, Level.HIGH), (7, Level.HIGH), (3, Level.USUAL), (0, Level.USUAL)])
def test_a_lucky_minute_ends_nothing(last: int, level: Level) -> None:
    """Nine failures where twenty were expected may be chance, or a minute that is still filling; three are not."""
    windows = (
        Window(minutes=1, requests=187, failures=last),
        Window(minutes=5, requests=1_250, failures=133),
        Window(minutes=15, requests=3_800, failures=425),
        Window(minutes=60, requests=15_000, failures=1_480),
    )
    assert judged(Measured(windows=windows, usual=0.044, usual_from="best")).level is level


@given(problems)
def test_urgent_comes_before_new(found: list[Problem]) -> None:
    """The order is by urgency, then by what is above the usual; what is over or muted comes last."""
    ordered = impact.in_order(found)

    assert [p.is_urgent for p in ordered] == sorted((p.is_urgent for p in found), reverse=True)
    quiet = [p.is_active for p in ordered if not p.is_urgent]
    assert quiet == sorted(quiet, reverse=True)


@pytest.mark.parametrize(
    ("overall", "found", "says"),
    [
        (steady(100, 0.02), [], "98.0 % of requests pass, as usual at this hour."),
        (steady(100, 0.02, 0.02, "best"), [], "98.0 % of requests pass, as before."),
        (steady(100, 0.01, 0.2, "day"), [], "99.0 % of requests pass, usually 80.0 % at this hour."),
        (steady(100, 0.02, None), [], "98.0 % of requests pass; there is no earlier traffic to compare with."),
        (steady(0.1, 0.2), [], "Too few requests to judge: 6 in the last hour, 1 refused."),
        (steady(100, 1), [problem()], "No request passes, usually 98.0 % at this hour of the week. Since 13:39 (1 h 1 min): No key; 3 users and 1 client affected."),
        (steady(100, 0.5), [problem(since=NOW - timedelta(days=1)), problem(is_urgent=True)], "Only 50.0 % of requests pass, usually 98.0 % at this hour of the week. For more than a day: No key; 3 users and 1 client affected. 1 more problem is urgent."),
        (steady(100, 0.02), [problem(is_urgent=False, state="new")], "98.0 % of requests pass, as usual at this hour. Small so far: No key (new)."),
        (steady(100, 0.02), [problem(is_urgent=False, state="resolved", was_unusual=True)], "98.0 % of requests pass, as usual at this hour. Over since 14:40: No key."),
        (steady(100, 0.3), [problem(is_urgent=False, users=0, clients=0)], "Only 70.0 % of requests pass, usually 98.0 % at this hour of the week. Most refusals, since 13:39 (1 h 1 min): No key; no known user affected."),
    ],
)  # fmt: skip
def test_the_sentence_fits_the_state(overall: Measured, found: list[Problem], says: str) -> None:
    """One sentence for every state that there is."""
    assert says == sentence(overall, found, NOW)


def row(**changes: Any) -> dict[str, Any]:
    """A group's row of the view `impact`: 8 % of 60 requests a second fail, since half a minute; nothing of it is usual."""
    about: dict[str, Any] = {
        "gateway": "", "group_id": "g", "title": "No key", "cause": "issuer", "state": "new", "since": NOW, "last_failed": NOW,
        "above_usual": True, "users": 1, "clients": 1, "usual": 0.0, "usual_from": "day",
        "requests_1": 180, "requests_2": 3_780, "requests_5": 14_580, "requests_15": 50_000, "requests_60": 200_000,
        "failures_1": 14, "failures_2": 150, "failures_5": 150, "failures_15": 150, "failures_60": 150,
    }  # fmt: skip
    return about | changes


def test_a_young_problem_stays_urgent_when_a_minute_begins() -> None:
    """The minutes before it began say nothing about its end."""
    (found,) = impact.situation([row()]).problems

    assert (True, False) == (found.is_urgent, found.has_paused)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"failures_1": 0, "requests_1": 2_000}, "98.0 % of requests pass, as usual at this hour. Seems over since 14:40: No key."),
        ({"failures_1": 0, "requests_1": 2_000, "state": "resolved"}, "98.0 % of requests pass, as usual at this hour. Over since 14:40: No key."),
        ({"failures_1": 0, "failures_2": 0, "requests_1": 50}, "98.0 % of requests pass, as usual at this hour. Seems over since 14:40: No key."),  # a minute has begun
        ({"failures_1": 0, "requests_1": 100, "failures_2": 0, "requests_2": 200, "failures_5": 90}, "98.0 % of requests pass, as usual at this hour. Small so far: No key (new)."),  # one expected: chance
    ],
)  # fmt: skip
def test_what_stopped_seems_over_until_it_is(changes: dict[str, Any], says: str) -> None:
    """A minute without a failure, in which several are expected, is said at once; it is resolved later."""
    found = impact.situation([row(**changes)]).problems

    assert says == sentence(steady(1_000, 0.02, usual_from="day"), found, NOW)
