"""Whether this machine's clock may decide what is old enough to be deleted.

A clock that jumps ahead would age out the whole lake in one round of upkeep, and expire files under running readers. So a
clock that is a week ahead of all that is known is believed only after a day of running, when whoever watches it had the time
to set it right; a service that was stopped for longer than a week merely deletes a day later.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(minutes=5)  # clocks of machines that write one lake differ
JUMP: Final = timedelta(days=7)  # less than events are kept
PATIENCE_S: Final = 24 * 3600.0


class Clock:
    """Compares the wall clock with the time that passed, and at first with the newest event of the lake."""

    def __init__(self) -> None:
        self._seen: tuple[datetime, float] | None = None
        self._doubted_at: float | None = None

    @property
    def is_believed(self) -> bool:
        """Whether deleting by age may go on."""
        return self._doubted_at is None

    def look(self, now: datetime, elapsed_s: float, newest: datetime | None) -> str:
        """A sentence when something is wrong that was not said before; `elapsed_s` is of a clock that never jumps."""
        known = newest if self._seen is None else self._seen[0] + timedelta(seconds=elapsed_s - self._seen[1])
        is_first, self._seen = self._seen is None, (now, elapsed_s)
        if known is not None and now - known > JUMP:
            self._doubted_at = elapsed_s
            return (
                f"the clock is {_words(now - known)} ahead of {'the newest event' if is_first else 'the time that passed'}:"
                " nothing is deleted by age before a day of running"
            )
        if self._doubted_at is not None and elapsed_s - self._doubted_at >= PATIENCE_S:
            self._doubted_at = None
        if is_first:
            return ahead(newest, now)
        if known is not None and known - now > TOLERANCE:
            self._doubted_at = None  # it was set back: what jumped ahead is over
            return f"the clock was set back by {_words(known - now)}; events keep the times at which they arrived"
        return ""


def ahead(newest: datetime | None, now: datetime) -> str:
    """A sentence when the newest stored event is later than now; else ""."""
    if newest is None or newest <= now + TOLERANCE:
        return ""
    return (
        f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, and the lake has an event that arrived at"
        f" {newest:%Y-%m-%d %H:%M}: the clock is behind, or it was ahead when that event came. Set the clock (NTP); nothing is lost"
    )


def _words(span: timedelta) -> str:
    return f"{span.days:,} days" if span.days > 1 else f"{span.total_seconds() / 3600:.1f} hours"
