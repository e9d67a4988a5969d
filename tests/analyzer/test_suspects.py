"""The suspect change: near the onset, and what it explains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.situation.impact import Measured, Problem, Window
from analyzer.situation.suspects import suspect

AT = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)
PROBLEM = Problem(
    title="T", cause="issuer", state="new", since=AT, last_failed=AT, is_urgent=True, groups=("g1", "g2"),
    measured=Measured(windows=(Window(minutes=60, requests=1, failures=1),)),
)  # fmt: skip
SHARED = [
    {"group_id": "g1", "dimension": "kid", "value": "r3", "share": 0.98, "passing_share": 0.1},
    {"group_id": "g1", "dimension": "version", "value": "envoy 1.40", "share": 0.3, "passing_share": None},
    {"group_id": "g1", "dimension": "issuer", "value": "https://shop", "share": 1.0, "passing_share": 0.7},
    {"group_id": "g2", "dimension": "release", "value": "shop 7.1", "share": 0.9, "passing_share": 0.0},
    {"group_id": "g2", "dimension": "claims", "value": "without role", "share": 0.9, "passing_share": 0.0},
    {"group_id": "g2", "dimension": "claims", "value": "without email", "share": 0.97, "passing_share": 0.0},
    {"group_id": "g2", "dimension": "audience", "value": "b from shop", "share": 0.9, "passing_share": 0.8},
    {"group_id": "other", "dimension": "issuer", "value": "https://new", "share": 1.0, "passing_share": 0.0},
]


def change(kind: str, subject: str, minutes: float, gateway: str = "envoy") -> dict[str, Any]:
    """So many minutes before the onset."""
    return {
        "kind": kind,
        "subject": subject,
        "gateway": gateway,
        "detail": "",
        "changed_at": AT - timedelta(minutes=minutes),
    }


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([change("kid_first_seen", "r3", 1)], "new signing key r3 at 14:02, 1 min before; 98 % of these failures have it"),
        ([change("kid_first_seen", "r3", 1, "kong")], "new signing key r3 at 14:02, 1 min before; 98 % of these failures have it"),
        ([change("kid_first_seen", "r3", 0.2)], "new signing key r3 at 14:02, at the same time; 98 % of these failures have it"),
        ([change("marked", "shop 7.1", 4)], "mark shop 7.1 at 13:59, 4 min before"),
        ([change("marked", "shop 7.1", 1), change("kid_first_seen", "r3", 9)], "new signing key r3 at 13:54, 9 min before; 98 % of these failures have it"),
        ([change("marked", "a", 9), change("marked", "b", 2)], "mark b at 14:01, 2 min before"),
        ([change("kid_first_seen", "r4", 1)], None),  # another key
        ([change("gateway_first_seen", "envoy 1.40", 1)], None),  # explains 30 %
        ([change("issuer_first_seen", "https://new", 1)], None),  # of another problem
        ([change("kid_first_seen", "r3", 16)], None),  # too early
        ([change("kid_first_seen", "r3", -3)], None),  # after it
        ([change("issuer_first_seen", "https://shop", 1)], None),  # of which most requests pass
        ([change("marked", "shop 7.1", -0.5)], "mark shop 7.1 at 14:03, at the same time"),  # the onset is known to the minute
        ([change("client_version_changed", "shop 7.1", 2, "")], "new client version shop 7.1 at 14:01, 2 min before; 90 % of these failures have it"),
        ([change("claims_changed", "without role", 2, ""), change("client_version_changed", "shop 7.1", 2, "")], "new client version shop 7.1 at 14:01, 2 min before; 90 % of these failures have it"),
        ([change("claims_changed", "without email", 1, "")], "tokens without email at 14:02, 1 min before; 97 % of these failures have it"),
        ([change("audience_changed", "b from shop", 1, "")], None),  # of which most requests pass
        ([change("claims_changed", "without name", 1, "")], None),  # explains nothing
        ([change("jwks_refreshed", "https://shop", 2, "")], "key set refreshed https://shop at 14:01, 2 min before"),
        ([change("jwks_refreshed", "https://another", 2, "")], None),
        ([change("marked", "shop 7.1", -1.5)], None),  # after it
        ([change("marked", "shop 7.1", 4, "kong")], None),  # another gateway's
        ([], None),
    ],
)  # fmt: skip
def test_the_change_that_explains_most(changes: list[dict[str, Any]], says: str | None) -> None:
    """Of several the one with the largest share, then the latest; a coincidence is none."""
    found = suspect(PROBLEM, changes, SHARED, ["envoy"])

    assert says == (found and found.says(AT))
