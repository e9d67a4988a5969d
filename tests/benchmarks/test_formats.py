"""The mix of ten gateways is what it says: else the benchmark measures records that nobody reads."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.formats import FORMATS, Asked
from benchmarks.traffic import NOW, mixed, records
from collector.events import Outcome
from collector.gateways import with_formats
from collector.shippers import peel
from why401 import explain_all


@pytest.mark.parametrize("gateway", FORMATS)
def test_each_format_is_read_as_its_gateway(gateway: str) -> None:
    """One request that passed and one that did not, with its route."""
    asked = [Asked(at=NOW, path="/service-7/items/12", token="", number=1, status=status) for status in (200, 401)]
    verdicts = [explain_all([FORMATS[gateway](one)])[0] for one in asked]

    assert [(gateway, Outcome.ALLOWED), (gateway, Outcome.DENIED)] == [
        (verdict.event.gateway.kind, verdict.event.outcome) for verdict in verdicts
    ]
    assert all(
        verdict.event.request.route in ("/service-7/items/{id}", "orders", "orders@docker") for verdict in verdicts
    )


def test_two_in_a_hundred_are_refused_in_every_format() -> None:
    """The share is the mix's, and no format is spared."""
    parse = with_formats(())
    parsed = [parse(peel(record)) for record in records(mixed("real", 1_000))]
    refused = Counter(one.gateway for one in parsed if one and one.status == 401)
    assert dict.fromkeys(FORMATS, 2) == refused
