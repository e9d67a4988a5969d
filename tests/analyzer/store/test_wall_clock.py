"""A clock that jumps: ahead, back, at start and while running. Nothing is deleted on its word, and it is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analyzer.store import Store
from analyzer.store.turn import LEASE, lease
from analyzer.store.wall_clock import PATIENCE_S, Clock
from collector.settings import Settings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import failing

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_a_clock_that_goes_is_believed() -> None:
    """Also at the first start, after a weekend, and beside another machine that is a minute ahead."""
    for newest in (None, NOW, NOW - 3 * DAY, NOW + timedelta(minutes=1)):
        clock = Clock()
        assert ("", True) == (clock.look(NOW, 50, newest), clock.is_believed)
        assert ("", True) == (clock.look(NOW + HOUR, 50 + 3600, None), clock.is_believed)


@pytest.mark.parametrize("at_start", [True, False])
def test_a_clock_that_is_ahead_is_believed_after_a_day(at_start: bool) -> None:
    """It is said once; a day of running is time enough to set it right."""
    clock = Clock()
    if at_start:
        said = clock.look(NOW + 400 * DAY, 100, NOW)
    else:
        clock.look(NOW, 0, NOW)
        said = clock.look(NOW + 400 * DAY, 100, None)

    assert ("the clock is" in said, False) == (True, clock.is_believed)
    assert ("", False) == (clock.look(NOW + 400 * DAY + HOUR, 3700, None), clock.is_believed)
    assert ("", True) == (clock.look(NOW + 401 * DAY, 100 + PATIENCE_S, None), clock.is_believed)


def test_a_clock_that_is_set_back_is_told() -> None:
    """While it runs by the time that passed, at start by the newest event; a jump ahead that is set right is over."""
    clock = Clock()
    clock.look(NOW + 400 * DAY, 0, NOW)
    said = clock.look(NOW + HOUR, 3600, None)

    assert ("set back by 400 days" in said, True) == (True, clock.is_believed)
    assert "the clock is behind" in Clock().look(NOW - 2 * HOUR, 0, NOW)


def test_a_lake_survives_a_clock_that_jumps_ahead(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Ten years ahead at a round of upkeep: every event is still there afterwards, and the log says why."""
    store.append([failing(n) for n in range(3)], [], {})
    ages = Store(Settings(data_dir=store.settings.data_dir), Telemetry())
    ages.open()
    seen = ages._clock._seen
    assert seen is not None
    ages._clock._seen = (seen[0] - 3650 * DAY, seen[1])
    ages.maintain()
    ages.close()

    assert [(3,)] == store.rows("SELECT count(*) FROM store.events")
    assert "nothing is deleted by age" in caplog.text
    assert 1 == ages._telemetry.value("why401.errors", stage="store", kind="clock")


def test_a_lease_of_a_clock_that_was_ahead_holds_nobody_up(store: Store) -> None:
    """A writer took the lease and died while its clock was ahead by a year: upkeep goes on at once."""
    con = store._connected()
    con.execute("INSERT INTO store.leases VALUES ('dead', now() + INTERVAL 1 YEAR)")
    assert lease(con, "alive")
    con.execute("DELETE FROM store.leases")
    con.execute("INSERT INTO store.leases VALUES ('other', now() + $span)", {"span": LEASE})
    assert not lease(con, "alive")
