"""Statuses that mean more at one gateway than at others."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import analyzer.diagnosis
from analyzer.diagnosis import answer
from analyzer.diagnosis.findings import Case, Strength
from analyzer.knowledge.products import facts, table
from analyzer.taxonomy import CODES
from collector.events import (
    Event,
    Origin,
    Outcome,
    Request,
    Responder,
    TokenFacts,
    TokenKind,
    TokenTimes,
    Verification,
)
from collector.events import gateway as identity
from collector.gateways import names
from collector.settings import Settings
from why401.explainer import Explainer

TYK = {"api_id": "a1", "org_id": "o1", "prefix": "access-log", "method": "GET", "path": "/a", "host": "x", "client_ip": "192.0.2.1", "latency_total": 1, "upstream_latency": 0, "time": "2026-03-03T10:00:00Z", "level": "info"}  # fmt: skip


# Not gateways' names here: a media type's first half, a parser for anything, an identity provider.
ORDINARY = {"application", "generic", "keycloak", "entra"}  # identity providers that near misses name


def rows(kind="status"):
    return [
        row | {"gateway": content["gateway"]}
        for _, content in facts("gateway", "statuses")
        for row in content.get(kind, ())
    ]


def test_every_row_is_of_a_known_gateway_code_and_strength():
    """Data that no rule could use is a mistake."""
    for row in rows():
        assert row["gateway"] in names()
        assert row["code"] in CODES
        assert Strength[row["strength"]] in (Strength.HINT, Strength.LIKELY)
        assert row["source"]


def test_what_holds_for_every_gateway_is_known_and_has_a_source():
    """The general file names no gateway, and its statuses are registered or documented."""
    content = table("statuses.toml")

    assert content.keys() == {"status"}
    assert {row["status"] for row in content["status"]} == {407, 429, 431, 494}
    for row in content["status"]:
        assert row["code"] in CODES
        assert Strength[row["strength"]] > Strength.REFUTES
        assert row["source"]


def test_every_status_without_a_meaning_is_of_a_known_gateway():
    """HAProxy's 403 is such a status."""
    assert ("haproxy", 403) in {(row["gateway"], row["status"]) for row in rows("meaningless")}
    assert all(row["gateway"] in names() and row["says"] and row["source"] for row in rows("meaningless"))


@pytest.mark.parametrize(
    ("status", "code"), [(431, "header_too_large"), (494, "header_too_large"), (429, "caller_blocked")]
)
def test_a_general_status_means_the_same_everywhere(status, code):
    """A gateway without rows of its own, and the upstream behind it."""
    for record in (
        {"RequestMethod": "GET", "RequestPath": "/a", "DownstreamStatus": status, "OriginStatus": 0},
        {"RequestMethod": "GET", "RequestPath": "/a", "DownstreamStatus": status, "OriginStatus": status},
    ):
        assert Explainer(Settings()).explain(json.dumps(record)).diagnosis.code == code


@pytest.mark.parametrize(("gateway", "strength"), [("haproxy", Strength.HINT), ("envoy", Strength.LIKELY)])
def test_a_403_after_a_verified_token_means_something_where_the_gateway_chooses_it(gateway, strength):
    """HAProxy answers 403 whatever the reason."""
    event = Event(
        0,
        0,
        Origin("file"),
        identity(gateway),
        Outcome.DENIED,
        responder=Responder.GATEWAY,
        request=Request(status=403),
        token=TokenFacts(kind=TokenKind.JWS, verification=Verification.VERIFIED),
    )
    found = [
        finding for finding in answer.rule(Case(event=event, times=TokenTimes())) if finding.code == "access_denied"
    ]

    assert [strength] == [finding.strength for finding in found]


def test_no_gateways_name_is_in_the_engine():
    """What is true of one gateway is data in its folder; docstrings and comments may give examples."""
    known = set(names()) - ORDINARY
    for file in Path(analyzer.diagnosis.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        texts = [
            node.value.lower()
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        ]
        assert [] == [text for text in texts if known & set(re.split(r"[^a-z0-9-]+", text))], file.name


@pytest.mark.parametrize(("status", "code"), [(400, "token_missing"), (404, "user_claim_missing")])
def test_tyk_shows_the_cause_by_its_status(status, code):
    """Without a message Tyk's status names the cause, with modest confidence."""
    diagnosis = (
        Explainer(Settings()).explain(json.dumps(TYK | {"status": status, "error_source": "JWTMiddleware"})).diagnosis
    )

    assert diagnosis.code == code
    assert diagnosis.confidence < 0.7


def test_an_upstreams_status_is_its_own():
    """The same status from the upstream says nothing about Tyk."""
    diagnosis = (
        Explainer(Settings())
        .explain(json.dumps(TYK | {"status": 404, "error_source": "Upstream", "upstream_latency": 9}))
        .diagnosis
    )

    assert diagnosis.code != "user_claim_missing"
