"""The success-rate objective by several windows and burn rates, as chapter 5 of Google's SRE workbook recommends. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analyzer.alerts.finding import CRITICAL, WARNING
from analyzer.situation import figures
from analyzer.situation.impact import SEVERAL, Window

BUDGET_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The budget burns `rate` times too fast in the long window, and still does in the short one. Windows in minutes."""

    long: int
    short: int
    rate: float
    severity: str


# 2 % of the budget in an hour, 5 % in six hours, 10 % in three days.
PAIRS: Final = (
    Pair(long=60, short=5, rate=14.4, severity=CRITICAL),
    Pair(long=360, short=30, rate=6, severity=CRITICAL),
    Pair(long=4_320, short=360, rate=1, severity=WARNING),
)
MINUTES: Final = sorted({minutes for pair in PAIRS for minutes in (pair.long, pair.short)})


def burning(windows: Mapping[int, Window], objective: float, known_minutes: float) -> Pair | None:
    """The first pair, the most urgent one, in which both windows burn the budget of `objective` (0.999) too fast.

    A window of which less than half is known says nothing: `known_minutes` is the age of the oldest request.

    >>> ten = {minutes: Window(minutes=minutes, requests=1000, failures=20) for minutes in MINUTES}
    >>> burning(ten, 0.999, 10_000).rate, burning(ten, 0.97, 10_000)
    (14.4, None)
    """
    for pair in PAIRS:
        long, short = windows[pair.long], windows[pair.short]
        limit = pair.rate * (1 - objective)
        is_known = known_minutes >= pair.long / 2 and long.failures >= SEVERAL
        if is_known and min(long.share, short.share) >= limit:
            return pair
    return None


def told(pair: Pair, windows: Mapping[int, Window], objective: float) -> str:
    """What burns how fast, in a sentence."""
    long, short = windows[pair.long], windows[pair.short]
    rate = long.share / (1 - objective)
    left = figures.span(BUDGET_DAYS * 86_400 / rate)
    return (
        f"{figures.percent(long.share)} of requests were refused in the last {_span(long)}, "
        f"{figures.percent(short.share)} in the last {_span(short)}. "
        f"At {rate:.3g} times the rate that the objective allows, the budget of {BUDGET_DAYS} days lasts {left}."
    )


def _span(window: Window) -> str:
    return "hour" if window.minutes == 60 else figures.span(60 * window.minutes)
