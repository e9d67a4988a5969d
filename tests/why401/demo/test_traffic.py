"""The driver against a real Envoy."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from tests.waiting import eventually
from why401.demo.envoy import DemoEnvoy
from why401.demo.faults import BY_NAME, GOOD
from why401.demo.labels import fault_of
from why401.demo.mint import Mint
from why401.demo.traffic import USERS, Traffic, caller


def test_callers_are_many_and_stay_themselves():
    """200 users, each with one address and one user agent."""
    seen = {(who.subject, who.address, who.user_agent) for who in (caller(None, n) for n in range(1000))}

    assert len({subject for subject, _, _ in seen}) == len(seen) == USERS


@pytest.mark.envoy
def test_traffic_is_labelled_mostly_good_and_rotates_half_way(tmp_path):
    """Every request is answered; the books agree with Envoy's log; one rotation a cycle."""
    mint = Mint()
    with DemoEnvoy(tmp_path, mint, otlp_port=9) as envoy:
        traffic = Traffic(mint, envoy.port, rate=100, cycle_s=4)
        traffic.start()
        eventually(lambda: traffic.total >= 300, "300 requests")
        traffic.stop()
        eventually(lambda: len(envoy.access_log.read_bytes().splitlines()) == traffic.total + 1, "a line for each")
        records = [orjson.loads(line) for line in envoy.access_log.read_bytes().splitlines()]

    faults = [fault_of(record["request_id"]) for record in records if record["response_code"] >= 400]
    assert traffic.failures == Counter()
    assert Counter(fault.name for fault in faults) == traffic.refused
    assert set(traffic.sent) <= {*BY_NAME, *(good.name for good in GOOD)}
    assert 1 - traffic.refusals / traffic.total >= 0.55
    assert mint.rotations == 1
    assert len(traffic.refused) >= 30
