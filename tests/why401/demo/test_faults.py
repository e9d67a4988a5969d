"""The table of faults against a real Envoy: observed.json holds what Envoy 1.40.0 said of each."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from analyzer.taxonomy import CAUSES, CODES
from tests.cases import failing
from why401.demo.faults import BY_NAME, FAULTS, GOOD
from why401.demo.labels import collect_labelled, fault_of
from why401.demo.traffic import GOOD_SHARE, weights

DOCS = (Path(__file__).parents[3] / "docs" / "demo.md").read_text(encoding="utf-8")
OBSERVED = json.loads(Path(__file__).with_name("observed.json").read_text())


def test_every_fault_has_a_name_of_its_own_and_a_code_of_the_taxonomy():
    """Names join records to labels, codes are the public ones."""
    assert len(FAULTS) == len(BY_NAME)
    assert {fault.code for fault in FAULTS} <= set(CODES)


def test_faults_cover_all_five_causes():
    """At least 40 faults, at least 8 of each cause that a person can be sent to."""
    by_cause = Counter(fault.cause for fault in FAULTS)

    assert len(FAULTS) >= 40
    assert set(by_cause) == set(CAUSES) - {"unknown"}
    assert min(by_cause.values()) >= 8


def test_most_traffic_is_good_at_any_time():
    """Whatever is going on, at least 60 % of the requests are good."""
    chances = {percent: weights(percent / 100) for percent in range(0, 100, 5)}

    assert [] == [at for at, each in chances.items() if sum(each[: len(GOOD)]) / sum(each) < 0.6]


def test_rates_change_over_time():
    """In an outage a fault comes ten times as often; a rotated key is met only after the rotation."""
    names = [one.name for one in (*GOOD, *FAULTS)]
    before, outage, after = (dict(zip(names, weights(share), strict=True)) for share in (0.1, 0.3, 0.5))

    assert 10 * before["jwks-unreachable"] == outage["jwks-unreachable"]
    assert before["kid-rotated"] == 0
    assert after["kid-rotated"] > 0
    assert GOOD_SHARE > 0.6


@pytest.mark.parametrize(
    ("request_id", "expected"),
    [
        ("iss-http.12", "iss-http"),
        ("ok-orders.3", None),
        ("7b1c0d1e-0000-4000-8000-000000000000", None),
        (None, "headers-too-large"),
    ],
)
def test_request_id_names_the_fault(request_id, expected):
    """The label is joined by request id; the record without one is the fault that hides it."""
    found = fault_of(request_id)

    assert (found.name if found else None) == expected


def test_every_fault_is_documented():
    """docs/demo.md has a row for every fault, with its code and what is wrong."""
    rows = {name: f"| `{name}` | `{fault.code}` | {fault.why} |" for name, fault in BY_NAME.items()}

    assert {} == {name: row for name, row in rows.items() if row not in DOCS}
    assert len(rows) >= 92


@pytest.mark.envoy
def test_envoy_refuses_as_observed(observed):
    """Status, RESPONSE_CODE_DETAILS and flags of every fault, and the upstream's reason where it has one."""
    assert {} == failing(((name, (observed, name)) for name in BY_NAME), _check_refusal, at_least=92)


def _check_refusal(case):
    observed, name = case
    status, details, flags, description = OBSERVED[name]
    record = observed.record(name)

    assert (record["response_code"], record["response_code_details"], record["response_flags"]) == (
        status,
        details,
        flags,
    )
    assert observed.run.replies[name].status == status
    assert description in (record["www_authenticate"] or "")


@pytest.mark.envoy
def test_envoy_lets_good_traffic_pass(observed):
    """What the demo calls good is good for Envoy and the upstream."""
    assert {good.name: 200 for good in GOOD} == {good.name: observed.run.replies[good.name].status for good in GOOD}


@pytest.mark.envoy
def test_one_message_hides_many_causes(observed):
    """The reason to look at all evidence: `Jwt is missing` and `Jwt verification fails` cover many codes each."""
    codes: dict[str, set[str]] = {}
    for fault, record in observed.labelled:
        codes.setdefault(record["response_code_details"], set()).add(fault.code)

    assert codes["jwt_authn_access_denied{Jwt_is_missing}"] == {"token_missing", "scheme_invalid", "preflight_blocked"}
    assert len(codes["jwt_authn_access_denied{Jwt_verification_fails}"]) >= 5
    assert len(codes["rbac_access_denied_matched_policy[none]"]) >= 4


@pytest.mark.envoy
def test_collect_labelled_gives_every_fault_once_a_round():
    """(code, line) pairs for accuracy tests; with no time there is one round."""
    pairs = collect_labelled(0)

    assert Counter(code for code, _ in pairs) == Counter(fault.code for fault in FAULTS)
    assert {"response_code_details", "authorization", "request_id"} <= set(json.loads(pairs[0][1]))
