"""Problems with one trigger are one line: pure, and on a store that the writer made."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.situation import impact, incidents
from analyzer.situation.impact import Measured, Problem, Window
from analyzer.situation.incidents import Value, folded
from collector.events import Gateway
from dashboard import client
from tests.dashboard import outage, sample_lake

NOW = datetime(2026, 11, 23, 14, 40, tzinfo=UTC)


def problem(group: str, *, minutes: float = 30, failures: int = 10, state: str = "new", **changes: Any) -> Problem:
    """A problem that began so many minutes ago."""
    windows = tuple(Window(minutes=n, requests=100 * n, failures=failures * n // 60) for n in impact.MINUTES)
    return Problem(
        title=f"Problem {group}", cause="issuer", state=state, since=NOW - timedelta(minutes=minutes), last_failed=NOW,
        measured=Measured(windows=windows, usual=0.0, usual_from="week"), is_urgent=False, was_unusual=failures > 0, groups=(group,), **changes,
    )  # fmt: skip


KID = Value("kid", "r3")
ROUTE = Value("route", "/orders")


def test_what_began_together_and_shares_a_value_is_one_line() -> None:
    """Named by the value that is closest to the trigger; the sum of them can be urgent although none is."""
    many = [problem(f"g{n}", minutes=30 - n / 50, failures=60) for n in range(100)]
    (one,) = folded(many, {f"g{n}": (KID, ROUTE) for n in range(100)})

    assert ("Problem g0, and 99 more problems with key ID `r3`", 100, True) == (
        one.title,
        len(one.groups),
        one.is_urgent,
    )
    assert (NOW - timedelta(minutes=30), 6000) == (one.since, one.measured.windows[-1].failures)


@pytest.mark.parametrize(
    ("others", "shared"),
    [
        ([problem("b", minutes=90)], {"a": (KID,), "b": (KID,)}),  # began at another time
        ([problem("b")], {"a": (KID,), "b": (Value("kid", "r4"),)}),  # another key
        ([problem("b")], {"a": (KID,)}),  # shares nothing
        ([problem("b", state="muted")], {"a": (KID,), "b": (KID,)}),  # nobody wants to see it
        ([problem("b", failures=0)], {"a": (), "b": (KID,)}),  # nothing to see of either
        ([problem("b", minutes=1_440)], {"a": (KID,), "b": (KID,)}),  # nobody saw it begin
    ],
)
def test_what_has_not_one_trigger_stays_apart(others: list[Problem], shared: dict[str, tuple[Value, ...]]) -> None:
    """Two conditions, and both are needed."""
    assert 2 == len(folded([problem("a"), *others], shared))


def test_a_value_that_passes_as_often_explains_nothing() -> None:
    """All traffic goes through one gateway, and all failures too."""
    rows = [
        {"group_id": "a", "dimension": "gateway", "value": "envoy", "share": 1.0, "passing_share": 0.98},
        {"group_id": "a", "dimension": "kid", "value": "r3", "share": 0.95, "passing_share": float("nan")},
        {"group_id": "a", "dimension": "client", "value": "shop", "share": 0.6, "passing_share": 0.0},
    ]

    assert {"a": (KID,)} == incidents.values(rows)


@given(st.lists(st.tuples(st.integers(0, 1_500), st.sampled_from(["r1", "r2", ""]), st.integers(0, 500)), max_size=30))
def test_no_problem_is_lost_or_told_twice(drawn: list[tuple[int, str, int]]) -> None:
    """Every group is in one line, whatever is folded; what is in one line began with it."""
    found = [problem(f"g{n}", minutes=minutes, failures=failures) for n, (minutes, _, failures) in enumerate(drawn)]
    shared = {f"g{n}": (Value("kid", kid),) for n, (_, kid, _) in enumerate(drawn) if kid}
    lines = folded(found, shared)
    by_group = {one.groups[0]: one for one in found}

    assert sorted(by_group) == sorted(group for line in lines for group in line.groups)
    for one in lines:
        assert all(
            by_group[group].since - one.since <= incidents.lateness(by_group[group], one.since) for group in one.groups
        )


def test_a_hundred_groups_of_a_key_rotation_are_one_line(tmp_path: Path, use: Callable[..., None]) -> None:
    """Since the rotation one of two requests fails, each client at each route in a group of its own: 200 users, not more."""
    rng = random.Random(5)
    outage.build(tmp_path, outage.noise, days=(7, 14), hours=3, rate=6)
    at = [outage.NOW - timedelta(minutes=20) + timedelta(seconds=n) for n in range(1_200)]
    kinds = [(f"v1-{n:016x}", "key_not_found", "issuer", f"No key for client {n}") for n in range(100)]
    with sample_lake.opened(tmp_path) as store:
        verdicts = [
            outage.verdict(rng, one, rng.choice(kinds), n, gateway=Gateway("envoy", "edge-1", "1.39.0"), kid="r3")
            for n, one in enumerate(at)
        ]
        store.append(verdicts, [], {})
    use(tmp_path)
    found = outage.situation()
    lines = folded(found.problems, incidents.values(client.query("shared").to_dict("records")))

    assert len(found.problems) > 90
    assert [100] == [len(line.groups) for line in lines if len(line.groups) > 1]
    assert "99 more problems with key ID `r3`" in lines[0].title
    assert lines[0].is_urgent
    assert found.overall
    assert "more problem" not in impact.sentence(found.overall, lines, outage.NOW).partition("affected.")[2]
    people = client.query("people", groups=" ".join(lines[0].groups), since=outage.NOW - timedelta(hours=1), gateway="")
    assert 190 <= people["users"][0] <= 200
