"""The objective's windows are those of the SRE workbook: a short outage pages, a slow burn warns, noise does neither."""

from __future__ import annotations

import pytest

from analyzer.alerts.burning import MINUTES, PAIRS, burning, told
from analyzer.situation.impact import Window


def windows(rate: float, minutes: int, *, before: float = 0.0) -> dict[int, Window]:
    """100 requests a minute of which `rate` failed in the last `minutes`, and `before` of them earlier."""
    failing = {n: round(100 * (rate * min(n, minutes) + before * max(0, n - minutes))) for n in MINUTES}
    return {n: Window(minutes=n, requests=100 * n, failures=failing[n]) for n in MINUTES}


@pytest.mark.parametrize(
    ("rate", "minutes", "burns"),
    [
        (1.0, 1, 14.4),  # a minute of everything is 2 % of the budget of an hour
        (0.015, 60, 14.4),
        (0.01, 360, 6),
        (0.002, 4_320, 1),
        (0.0009, 4_320, None),  # within the objective
        (0.01, 5, None),  # five minutes of 1 % burn nothing worth a message
    ],
)
def test_each_pair_of_windows_sees_its_kind(rate: float, minutes: int, burns: float | None) -> None:
    """At an objective of 99.9 %."""
    found = burning(windows(rate, minutes), 0.999, 10_000)

    assert burns == (found and found.rate)


def test_what_has_ended_burns_no_more() -> None:
    """The short window says so minutes after the mend, while the long one remembers."""
    over = {n: Window(minutes=n, requests=100 * n, failures=0 if n == 5 else 50 * n) for n in MINUTES}

    assert 14.4 != getattr(burning(over, 0.999, 10_000), "rate", None)


def test_a_young_store_knows_no_three_days() -> None:
    """Ten minutes of traffic say nothing about six hours."""
    assert burning(windows(0.01, 4_320), 0.999, 10) is None


def test_it_is_told_with_what_is_left() -> None:
    """Shares of both windows, and when the budget is gone."""
    assert told(PAIRS[0], windows(0.02, 60), 0.999) == (
        "2.0 % of requests were refused in the last hour, 2.0 % in the last 5 min. "
        "At 20 times the rate that the objective allows, the budget of 30 days lasts 1 d 12 h."
    )
