"""What `explain` says of requests that nobody refused."""

from __future__ import annotations

import json

import pytest

from analyzer.verdicts import Diagnosis
from collector.settings import Settings
from why401.explainer import Explainer

REFERENCE = "Bearer 9d8f7e6c5b4a39281706f5e4d3c2b1a0"


def record(status: int, authorization: str = REFERENCE, path: str = "/berths") -> str:
    fields = {"method": "GET", "path": path, "status": status, "authorization": authorization}
    return json.dumps({"time": "2031-02-03T04:05:06Z", **fields})


def explain(*records: str) -> Diagnosis:
    explainer = Explainer(Settings())
    found = [explainer.explain(one).diagnosis for one in records][-1]
    assert found is not None
    return found


@pytest.mark.parametrize("status", [200, 201, 204, 304])
def test_what_was_answered_was_allowed(status: int) -> None:
    """Nothing to add."""
    assert (explain(record(status)).code, explain(record(status)).confidence) == ("ok", 1.0)


@pytest.mark.parametrize(("status", "most"), [(302, 0.6), (307, 0.6), (400, 0.5), (422, 0.5), (404, 0.75), (503, 0.75)])
def test_a_status_that_validators_use_too_leaves_doubt(status: int, most: float) -> None:
    """With a credential in the request."""
    found = explain(record(status))

    assert (found.code, found.confidence <= most, "allowed" in found.title) == ("ok", True, False)


def test_a_redirect_names_what_to_log() -> None:
    """Where it leads."""
    assert "Location" in explain(record(302)).missing[0]


def test_a_request_without_a_credential_on_a_route_that_requires_one() -> None:
    """It passed where others did not."""
    found = explain(record(401, ""), record(401, ""), record(200, ""))

    assert (found.code, found.confidence < 1, "without a credential" in found.title) == ("ok", True, True)


@pytest.mark.parametrize("others", [[record(200, "")], [record(401, "", "/docks")] * 3, [record(401)] * 3])
def test_other_routes_and_other_refusals_say_nothing_of_it(others: list[str]) -> None:
    """Public routes are public."""
    assert explain(*others, record(200, "")).confidence == 1.0
