"""Fixtures of the whole suite, and how it is shared between processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.brokers import Broker, BrokerUnavailable, find_or_start

# What shares a server, a browser or a session's fixture goes to one process, the longest of them first.
LONG: Final = ("kafka", "browser", "tests/test_canary.py", "tests/threats/test_sql.py", "store", "live")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A group per server, else per file (pytest-xdist's --dist loadgroup); without xdist only the order changes."""
    groups = {id(item): _group(item) for item in items}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[id(item)]))
    items.sort(key=lambda item: LONG.index(groups[id(item)]) if groups[id(item)] in LONG else len(LONG))


def _group(item: pytest.Item) -> str:
    file = item.nodeid.partition("::")[0]
    if file.startswith("tests/live/"):
        return "live"
    if "kafka" in getattr(item, "fixturenames", ()) or "kafka" in file:
        return "kafka"
    if file.startswith(("tests/dashboard/", "tests/threats/test_dashboard")):
        return "browser"
    return "store" if file.startswith(("tests/analyzer/store/", "tests/analyzer/lake/")) else file


@pytest.fixture(scope="session")
def kafka() -> Iterator[Broker]:
    """A running Apache Kafka; without one the test is skipped with the reason."""
    try:
        broker = find_or_start()
    except BrokerUnavailable as error:
        pytest.skip(str(error))
    yield broker
    broker.remove()
