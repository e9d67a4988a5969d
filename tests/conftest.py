"""Fixtures of the whole suite, and how it is shared between processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests import secured_brokers
from tests.brokers import Broker, BrokerUnavailable, named
from tests.secured_brokers import Secured
from tests.waiting import PATIENCE

# What shares a server, a browser or a session's fixture goes to one process, the longest of them first.
LONG: Final = (
    "kafka", "store", "remote sql", "tests/test_canary.py", "browser", "live",
    "tests/threats/test_receiver.py", "tests/why401/cli/test_commands.py", "tests/why401/demo/test_run.py",
)  # fmt: skip
REMOTE_SQL: Final = ("tests/threats/test_sql.py", "tests/threats/test_store.py", "tests/threats/test_export.py")


@pytest.hookimpl(tryfirst=True)  # before pytest-timeout reads it
def pytest_configure(config: pytest.Config) -> None:
    """A machine that needs more patience has a longer hang limit for each test, too."""
    if config.getoption("timeout", None) is None:
        config.option.timeout = float(config.getini("timeout")) * PATIENCE


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
    if {"kafka", "secured"} & set(getattr(item, "fixturenames", ())) or "kafka" in file:
        return "kafka"
    if file in REMOTE_SQL:
        return "remote sql"
    if file.startswith(("tests/dashboard/", "tests/threats/test_dashboard")):
        return "browser"
    return "store" if file.startswith(("tests/analyzer/store/", "tests/analyzer/lake/")) else file


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A running Apache Kafka with a plain and two guarded doors; without one the test is skipped with the reason."""
    try:
        found = secured_brokers.start(tmp_path_factory.mktemp("secured"))
    except BrokerUnavailable as error:
        pytest.skip(str(error))
    yield found
    found.broker.remove()


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Broker:
    """The plain door of the same broker, or the broker of WHY401_TEST_KAFKA."""
    broker: Broker = named() or request.getfixturevalue("secured").broker
    return broker
