"""Fixtures of the whole suite, and how it is shared between processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import secured_brokers
from tests.brokers import Broker, BrokerUnavailable, named
from tests.secured_brokers import Secured
from tests.waiting import PATIENCE

# What shares a server, a browser or a session's fixture goes to one process, the longest of them first.
LONG: Final = (
    "browser", "store", "tests/test_canary.py", "kafka", "remote sql", "lake", "live", "tests/dashboard/test_login.py",
    "tests/analyzer/alerts/test_alerter.py", "tests/threats/test_receiver.py", "tests/why401/cli/test_commands.py", "tests/why401/demo/test_lifecycle.py",
)  # fmt: skip
REMOTE_SQL: Final = ("tests/threats/test_sql.py", "tests/threats/test_store.py", "tests/threats/test_export.py")
BROWSER: Final = ("tests/dashboard/test_browser.py", "tests/dashboard/test_life.py", "tests/threats/test_dashboard.py")
KAFKA: Final = (
    "tests/test_end_to_end.py", "tests/test_canary.py::test_the_event_topic_holds_none",
    "tests/why401/outputs/test_failures_out.py::test_a_topic_gets_a_message_per_failure",
)  # fmt: skip
SHARED: Final = (
    ("live", ("tests/live/",)),
    ("kafka", (*KAFKA, "tests/collector/sources/kafka/", "tests/collector/sinks/test_kafka.py")),
    ("remote sql", REMOTE_SQL),
    ("browser", BROWSER),
    ("store", ("tests/analyzer/store/",)),
    ("lake", ("tests/analyzer/lake/",)),
)


def group_of(nodeid: str) -> str:
    """What a test shares a server, a browser or a store with; else its file."""
    named = (name for name, places in SHARED if nodeid.startswith(places))
    return next(named, nodeid.partition("::")[0])


class Grouped(LoadScopeScheduling):
    """A group to one process. pytest-xdist's own loadgroup writes groups into test ids, which pytest 9.2 ignores."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped:
    """Called in the process that hands out the tests."""
    return Grouped(config, log)


@pytest.hookimpl(tryfirst=True)  # before pytest-timeout reads it
def pytest_configure(config: pytest.Config) -> None:
    """A machine that needs more patience has a longer hang limit for each test, too."""
    if config.getoption("timeout", None) is None:
        config.option.timeout = float(config.getini("timeout")) * PATIENCE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups first, so that the last tests of both processes are short ones."""
    groups = {id(item): group_of(item.nodeid) for item in items}
    items.sort(key=lambda item: LONG.index(groups[id(item)]) if groups[id(item)] in LONG else len(LONG))


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
