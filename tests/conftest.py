"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.brokers import Broker, BrokerUnavailable, find_or_start


@pytest.fixture(scope="session")
def kafka() -> Iterator[Broker]:
    """A running Apache Kafka; without one the test is skipped with the reason."""
    try:
        broker = find_or_start()
    except BrokerUnavailable as error:
        pytest.skip(str(error))
    yield broker
    broker.remove()
