"""How the suite is shared between processes: what shares a server goes to one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import KAFKA, LONG, SHARED, Grouped, group_of

ROOT = Path(__file__).parent.parent


def test_every_place_of_a_group_is_there() -> None:
    """A group of files that were moved away would share nothing."""
    places = [place.partition("::")[0] for _, places in SHARED for place in places]
    files = [name for name in LONG if name.startswith("tests/")]

    assert [] == [place for place in (*places, *files) if not (ROOT / place).exists()]
    assert set(dict(SHARED)) <= set(LONG)


def test_every_test_with_a_broker_is_in_its_group(request: pytest.FixtureRequest) -> None:
    """One broker a run: a test elsewhere that asks for it would start another."""
    users = [item.nodeid for item in request.session.items if {"kafka", "secured"} & set(item.fixturenames)]

    assert [] == [nodeid for nodeid in users if group_of(nodeid) != "kafka"]
    assert {"kafka"} == {group_of(place) for place in KAFKA}


def test_a_group_goes_to_one_process(request: pytest.FixtureRequest) -> None:
    """pytest-xdist asks this scheduler, whatever --dist says."""
    assert "browser" == Grouped._split_scope(None, "tests/dashboard/test_life.py::test_x[a@b]")
    assert "tests/test_layout.py" == Grouped._split_scope(None, "tests/test_layout.py::test_x")
    assert request.config.hook.pytest_xdist_make_scheduler.get_hookimpls()
