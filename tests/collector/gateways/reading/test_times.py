"""Times as gateways write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.gateways.reading import times

SECOND = 10**9
NOON = int(datetime(2026, 5, 11, 12, 0, 0, tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-11T12:00:00Z", NOON),
        ("2026-05-11t12:00:00z", NOON),
        ("2026-05-11 12:00:00.000", NOON),
        ("2026-05-11T12:00:00.123456789Z", NOON + 123_456_789),
        ("2026-05-11T12:00:00.5Z", NOON + SECOND // 2),
        ("2026-05-11T14:00:00+02:00", NOON),
        ("2026-05-11T08:30:00.25-0330", NOON + SECOND // 4),
        ("2026/05/11 12:00:00", NOON),
        ("2016-12-31T23:59:60Z", int(datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * SECOND),
        ("11/May/2026:12:00:00 +0000", NOON),
        ("11/May/2026:14:00:00 +0200", NOON),
        ("11/May/2026:12:00:00.007", NOON + 7_000_000),
        ("Mon May 11 12:00:00.000123 2026", NOON + 123_000),
        ("Mon May 11 12:00:00 2026", NOON),
        ("1778500800", NOON),
        ("1778500800.250", NOON + SECOND // 4),
        ("1778500800000", NOON),
        (1778500800, NOON),
        (1778500800.25, NOON + SECOND // 4),
        (1778500800_000, NOON),
        (1778500800_000_000, NOON),
        (1778500800_000_000_001, NOON + 1),
    ],
)
def test_a_time_is_read(text: str | float, expected: int) -> None:
    """Every form comes out as Unix nanoseconds."""
    assert expected == times.any_ns(text)


@pytest.mark.parametrize(
    "text",
    ["", "-", "2026-13-11T12:00:00Z", "2026-05-11", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "31/Feb/2026:00:00:00 +0000",
     "²026-05-11T12:00:00Z", "11/Foo/2026:12:00:00 +0000", "9" * 30, -1, 0, math.nan, math.inf, 10**400, None, True, [], {}],
)  # fmt: skip
def test_what_is_no_time_is_zero(text: object) -> None:
    """Nothing raises, and nothing outside 1970 to 2262 becomes a time."""
    assert times.any_ns(text) == 0


@pytest.mark.parametrize(
    ("arrived_s", "expected_s"),
    [
        (0.4, 0),
        (5, 0),
        (3600 + 1, 3600),
        (-5 * 3600 + 2, -5 * 3600),
        (5.5 * 3600, 5.5 * 3600),
        (400, 0),
        (3600 + 60, 0),
    ],
)
def test_a_wall_clock_is_utc_unless_the_transport_shows_its_zone(arrived_s: float, expected_s: float) -> None:
    """Whole quarter hours and a shipper's delay between clock and arrival are a zone; anything else is a backlog."""
    arrived = NOON + round(arrived_s * SECOND)

    assert NOON + round(expected_s * SECOND) == times.rfc3339_ns("2026/05/11 12:00:00", arrived)


@pytest.mark.parametrize(("arrived_s", "is_known"), [(None, False), (0.4, True), (3600 + 1, True), (400, False)])
def test_a_clock_whose_zone_nothing_shows_says_so(arrived_s: float | None, is_known: bool) -> None:
    """The transport's time shows the zone, also that it is UTC; another clock without a zone shows none."""
    text, arrived = "2026/05/11 12:00:00", 0 if arrived_s is None else NOON + round(arrived_s * SECOND)

    assert is_known == (type(times.rfc3339_ns(text, arrived)) is not times.WallClock)
    assert type(times.rfc3339_ns(text, times.WallClock(NOON))) is times.WallClock
    assert type(times.rfc3339_ns(text + "Z", arrived)) is not times.WallClock


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2262, 1, 1)))  # noqa: DTZ001
def test_rfc_3339_round_trips(moment: datetime) -> None:
    """What `isoformat` writes is read back to the microsecond."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    since = moment.replace(tzinfo=UTC) - epoch
    expected = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000

    assert expected == times.rfc3339_ns(moment.isoformat(timespec="microseconds") + "Z")
