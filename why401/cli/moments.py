"""Times as people type them: `2h` from now on, or an exact time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import click

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
MAX_AMOUNT: Final = 10_000


def later(text: str, now: datetime) -> datetime:
    """`30m`, `8h`, `2d`, `1w` after `now`, or an RFC 3339 time. Raises click.BadParameter.

    >>> later("8h", datetime(2026, 11, 2, 10, tzinfo=UTC)).isoformat()
    '2026-11-02T18:00:00+00:00'
    """
    amount, unit = text[:-1], text[-1:]
    if unit in _UNITS and amount.isascii() and amount.isdigit() and int(amount[:9]) <= MAX_AMOUNT:
        return now + timedelta(**{_UNITS[unit]: int(amount[:9])})
    return exact(text)


def exact(text: str) -> datetime:
    """An RFC 3339 time; one without a zone is UTC. Raises click.BadParameter."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: expected 30m, 8h, 2d, 1w or a time like 2026-03-02T14:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
