"""What the zone of a log's clock may explain: a time without one is read as UTC, and may be off by up to 14 hours.

A clock in Shanghai makes every fresh token look expired for hours, one in New York makes it look issued in the future.
"""

from __future__ import annotations

import math
from typing import Final

from analyzer.diagnosis.findings import Case

_STEP_S: Final = 1_800.0  # zones are whole and half hours away from UTC; three small ones lie a quarter beside
_FARTHEST_S: Final = 14 * 3_600.0
UNSURE: Final = "the log's time names no zone; a clock that is not in UTC would explain it"


def explains_past(case: Case, past_s: float) -> bool:
    """A clock ahead of UTC: no later than the token's issue, `exp` would not have passed.

    `past_s`: seconds since `exp`. A token that lives for five minutes and expired 40 minutes ago was valid in no zone.
    """
    iat = case.times.iat_s
    return _is_unsure(case) and _has_zone(past_s - case.skew_s, None if iat is None else case.skew_s - iat)


def explains_future(case: Case, ahead_s: float) -> bool:
    """A clock behind UTC: no later than `exp`, the token would have become valid. `ahead_s`: seconds until it does."""
    exp = case.times.exp_s
    return _is_unsure(case) and _has_zone(ahead_s - case.skew_s, None if exp is None else exp + case.skew_s)


def explains(case: Case) -> bool:
    """Whatever of the token's times does not fit the request's."""
    past, starts = case.times.exp_s or 0.0, (case.times.nbf_s or 0.0, case.times.iat_s or 0.0)
    is_past = past < 0 and explains_past(case, -past)
    return is_past or any(s > case.skew_s and explains_future(case, s) for s in starts)


def may_hide_past(case: Case, left_s: float) -> bool:
    """A clock behind UTC: `exp`, which is `left_s` ahead of it, may have passed. No ruling out, then."""
    return _is_unsure(case) and left_s <= _FARTHEST_S


def may_hide_future(case: Case, past_s: float) -> bool:
    """A clock ahead of UTC: what it shows as `past_s` ago may lie in the future."""
    return _is_unsure(case) and past_s <= _FARTHEST_S


def _is_unsure(case: Case) -> bool:
    """No zone, and no accepted token of this issuer that fits the time as it was read."""
    if case.event.zone_known:
        return False
    passing = case.passed.of(case.event.token.iss)
    return passing is None or not passing.lifetime_s or passing.expired_s > 0


def _has_zone(least_s: float, most_s: float | None) -> bool:
    nearest = max(_STEP_S, math.ceil(least_s / _STEP_S) * _STEP_S)
    return nearest <= min(_FARTHEST_S, _FARTHEST_S if most_s is None else most_s)
