"""Fingerprint v1 is frozen: ids of known inputs, and what does and does not split a group."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.grouping import CURRENT, v1
from analyzer.verdicts import Diagnosis
from collector.events import Event, Origin, Outcome, Request, TokenFacts, gateway
from tests.analyzer.diagnosis.fixture_verdicts import fixture_verdicts

GOLDEN = Path(__file__).parents[2] / "fixtures" / "grouping" / "v1.json"
EVENT = Event(
    1,
    1,
    Origin("kafka", "raw", 0, 1),
    gateway("envoy", "gw-1"),
    Outcome.DENIED,
    request=Request(method="GET", route="/orders", host="api.example.com", status=401, client="203.0.113.0/24"),
    token=TokenFacts(iss="https://idp.example.com", client="web", alg="RS256", kid="k1", user="u"),
)
DIAGNOSES = {
    "issuer": Diagnosis("issuer_not_trusted", "issuer", 0.9, "", discriminant="trailing slash missing"),
    "format": Diagnosis("claim_type_invalid", "format", 0.9, "", discriminant="sub"),
    "library": Diagnosis("alg_not_allowed", "library", 0.9, "", discriminant="ES256"),
    "gateway": Diagnosis("auth_not_configured", "gateway", 0.9, ""),
    "policy": Diagnosis("access_denied", "policy", 0.9, "", discriminant="orders-writers"),
    "unknown": Diagnosis("unclassified", "unknown", 0.2, ""),
}
# FROZEN: these ids stand in stores and links. A change of mind is v2.
FROZEN: dict[str, str] = {
    "issuer": "v1-ff9d2d06ed80ec72",
    "format": "v1-ef86648d9bdae5b3",
    "library": "v1-0ab27b2cc730f1f1",
    "gateway": "v1-c84c351292a795f4",
    "policy": "v1-1e80b97e025ad72a",
    "unknown": "v1-c90613a7c276444f",
}


@pytest.mark.parametrize("cause", DIAGNOSES)
def test_ids_never_change(cause: str) -> None:
    """A stored id keeps its meaning for ever."""
    assert FROZEN[cause] == v1.group(EVENT, DIAGNOSES[cause]).id


@pytest.mark.parametrize("cause", DIAGNOSES)
def test_what_no_change_touches_does_not_split(cause: str) -> None:
    """Time, origin, trace, client address, key id and user are never in the fingerprint."""
    other = replace(
        EVENT,
        time_ns=99,
        origin=Origin("otlp"),
        request=replace(EVENT.request, trace_id="t", request_id="r", client="198.51.100.0/24", host="other"),
        token=replace(EVENT.token, kid="k2", user="v", size=999),
    )

    assert v1.group(EVENT, DIAGNOSES[cause]) == v1.group(other, DIAGNOSES[cause])


def test_the_same_wrong_issuer_at_two_gateways_is_one_group() -> None:
    """One change at the issuer mends both (incidents 6.3)."""
    kong = replace(EVENT, gateway=gateway("kong", "gw-9"))

    assert CURRENT(EVENT, DIAGNOSES["issuer"]) == CURRENT(kong, DIAGNOSES["issuer"])


def test_one_message_with_three_causes_is_three_groups() -> None:
    """The code, not the words, makes the group (incidents 6.2)."""
    codes = ("key_not_found", "jwks_unreachable", "alg_not_allowed")
    causes = ("issuer", "gateway", "library")

    assert 3 == len(
        {CURRENT(EVENT, Diagnosis(code, cause, 0.9, "")).id for code, cause in zip(codes, causes, strict=True)}
    )


def test_a_released_version_depends_on_nothing_that_may_change() -> None:
    """v1 imports the contracts and the standard library only (after Bugsink's boundary test)."""
    tree = ast.parse(Path(v1.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {m for m in modules if m.startswith(("analyzer", "collector"))} == {"analyzer.verdicts", "collector.events"}


def test_parts_are_words() -> None:
    """The page shows what made the group."""
    parts = dict(v1.group(EVENT, DIAGNOSES["issuer"]).parts)

    assert {
        "code": "issuer_not_trusted",
        "issuer": "https://idp.example.com",
        "difference": "trailing slash missing",
    } == parts


def test_every_fixture_keeps_its_group() -> None:
    """FROZEN: the groups of all gateway fixtures, as stores have them; a reworded evidence or near miss changes none."""
    frozen: dict[str, str] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    verdicts = fixture_verdicts()
    found = {name: verdicts[name].group for name in frozen}

    assert frozen == {name: group.id for name, group in found.items() if group}
