"""Statuses that mean more at one gateway than at others."""

from __future__ import annotations

import json

import pytest

from analyzer.diagnosis.findings import Strength
from analyzer.knowledge.products import facts
from analyzer.taxonomy import CODES
from collector.gateways import names
from collector.settings import Settings
from why401.explainer import Explainer

TYK = {"api_id": "a1", "org_id": "o1", "prefix": "access-log", "method": "GET", "path": "/a", "host": "x", "client_ip": "192.0.2.1", "latency_total": 1, "upstream_latency": 0, "time": "2026-03-03T10:00:00Z", "level": "info"}  # fmt: skip


def rows():
    return [
        row | {"gateway": content["gateway"]}
        for _, content in facts("gateway", "statuses")
        for row in content["status"]
    ]


def test_every_row_is_of_a_known_gateway_code_and_strength():
    """Data that no rule could use is a mistake."""
    for row in rows():
        assert row["gateway"] in names()
        assert row["code"] in CODES
        assert Strength[row["strength"]] in (Strength.HINT, Strength.LIKELY)
        assert row["source"]


@pytest.mark.parametrize(("status", "code"), [(400, "token_missing"), (404, "user_claim_missing")])
def test_tyk_tells_by_its_status(status, code):
    """Without a word beside it Tyk's status names the cause, with the confidence of a likelihood."""
    diagnosis = (
        Explainer(Settings()).explain(json.dumps(TYK | {"status": status, "error_source": "JWTMiddleware"})).diagnosis
    )

    assert diagnosis.code == code
    assert diagnosis.confidence < 0.7


def test_an_upstreams_status_is_its_own():
    """The same status from behind the gateway says nothing of Tyk."""
    diagnosis = (
        Explainer(Settings())
        .explain(json.dumps(TYK | {"status": 404, "error_source": "Upstream", "upstream_latency": 9}))
        .diagnosis
    )

    assert diagnosis.code != "user_claim_missing"
