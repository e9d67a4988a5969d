"""Numbers, times and names as a person reads them. Plain text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from collector.visible import visible


def count(number: float | None) -> str:
    """`1234567` is `1.2 M`, `48341` is `48.3 k`, `950` is `950`."""
    if number is None or math.isnan(number):
        return "–"
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(number) >= size:
            return f"{number / (size if unit != ' k' else 1e3):.1f}{unit}"
    return f"{number:,.0f}"


def percent(share: float | None, digits: int = 1) -> str:
    """`0.958` is `95.8 %`; a share just below all or just above nothing is never shown as 100 % or 0 %."""
    if share is None or math.isnan(share):
        return "–"
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    least = 10**-digits
    return f"{min(max(share * 100, least), 100 - least):.{digits}f} %"


def span(seconds: float) -> str:
    """`95` is `2 min`, `12` is `12 s`, `7500` is `2 h 5 min`."""
    left = max(0, round(seconds))
    if left < 60:
        return f"{left} s"
    if left < 3_600:
        return f"{min(round(left / 60), 59)} min"
    if left < 86_400:
        return _two(round(left / 60), 60, "h", "min")
    return _two(round(left / 3_600), 24, "d", "h")


def _two(small: int, per_large: int, large_unit: str, small_unit: str) -> str:
    large, rest = divmod(small, per_large)
    return f"{large} {large_unit} {rest} {small_unit}" if rest and large < 10 else f"{large} {large_unit}"


def is_nothing(value: Any) -> bool:
    """None, or what pandas makes of NULL: NaN and NaT, which are not even equal to themselves."""
    return value is None or bool(value != value)  # noqa: PLR0124


def ago(moment: datetime | None, now: datetime) -> str:
    """`34 min ago`; `never` for None."""
    if moment is None or is_nothing(moment):
        return "never"
    seconds = (now - moment).total_seconds()
    return "just now" if seconds < 5 else f"{span(seconds)} ago"


def clock(moment: datetime | None, now: datetime) -> str:
    """`13:42` today, `21 Nov 13:42` on other days; always UTC."""
    if moment is None or is_nothing(moment):
        return "never"
    utc = moment.astimezone(UTC)
    return f"{utc:%H:%M}" if utc.date() == now.astimezone(UTC).date() else f"{utc.day} {utc:%b %H:%M}"


def offset(seconds: float) -> str:
    """`95` is `1 min 35 s ahead`, `-720` is `12 min behind`."""
    minutes, rest = divmod(abs(round(seconds)), 60)
    size = span(abs(seconds)) if minutes >= 10 or not rest or not minutes else f"{minutes} min {rest} s"
    return f"{size} {'ahead' if seconds > 0 else 'behind'}"


def plural(number: int, noun: str) -> str:
    """`1 user`, `84 users`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def listed(values: Iterable[Any] | None, limit: int = 3) -> str:
    """`envoy, kong and 2 more`."""
    names = [visible(value, 120) for value in (() if values is None else values)]
    if len(names) <= limit + 1:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"
