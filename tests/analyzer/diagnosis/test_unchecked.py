"""Facts that the validator is known not to check, and guesses, lose against what decides."""

from __future__ import annotations

import json
import time
from pathlib import Path

import jwt
import pytest

from analyzer.verdicts import Diagnosis
from collector.settings import Settings, load
from why401.explainer import Explainer

NOW = 1_930_000_000  # of every record: nothing here depends on the clock
SECRET = "a secret of thirty-two characters"
ISSUER = "https://id.quay.example/t/1"
RBAC = {"response_code_details": "rbac_access_denied_matched_policy[none]"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "why401.toml"
    file.write_text(f'[[issuers]]\nissuer = "{ISSUER}"\naudiences = ["berths"]\nalgorithms = ["HS256"]\n')
    return load(str(file), {})


def token(drop: str = "", headers: dict[str, object] | None = None, **claims: object) -> str:
    body = {"iss": ISSUER, "sub": "9913", "aud": "berths", "iat": NOW - 60, "exp": NOW + 600} | claims
    body.pop(drop, None)
    return "Bearer " + jwt.api_jws.encode(json.dumps(body).encode(), SECRET, algorithm="HS256", headers=headers)


def record(authorization: str, status: int, **fields: object) -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))
    base = {"start_time": now, "method": "GET", "path": "/berths", "response_code": status, "response_flags": "-"}
    return json.dumps(base | {"authorization": authorization} | fields)


def explain(settings: Settings, *records: str) -> Diagnosis:
    explainer = Explainer(settings)
    found = [explainer.explain(one).diagnosis for one in records][-1]
    assert found is not None
    return found


CRIT = token(headers={"crit": ["sunset"], "sunset": 1})
FAULTS = {
    "crit": CRIT,
    "no sub": token(drop="sub"),
    "sub as a number": token(sub=4),
    "empty sub": token(sub=""),
    "azp as a list": token(azp=["web"]),
    "another audience": token(aud="cranes"),
}


@pytest.mark.parametrize("name", ["crit", "no sub", "sub as a number", "empty sub", "azp as a list"])
def test_rbac_speaks_only_of_tokens_that_were_accepted(settings: Settings, name: str) -> None:
    """A policy is the last check: what nobody complained of before is not the reason."""
    assert explain(settings, record(FAULTS[name], 403, **RBAC)).code == "access_denied"


@pytest.mark.parametrize("name", FAULTS)
def test_what_passes_on_the_route_is_not_minded(settings: Settings, name: str) -> None:
    """The same fault in an accepted token; of the configuration enough is left to be named, not to be believed."""
    alone = explain(settings, record(FAULTS[name], 401))
    beside = explain(settings, *[record(FAULTS[name], 200)] * 2, record(FAULTS[name], 401))

    assert beside.confidence < alone.confidence or alone.code == beside.code == "unclassified"
    assert beside.confidence <= 0.7


def test_a_fault_that_no_accepted_token_has_stands(settings: Settings) -> None:
    """Others on the route are of the expected kind."""
    found = explain(settings, record(token(), 200), record(FAULTS["another audience"], 401))

    assert (found.code, found.confidence >= 0.9) == ("audience_mismatch", True)


def test_an_exp_that_is_no_date_hides_no_expiry(settings: Settings) -> None:
    """HAProxy lets a negative `exp` pass: `jwt_payload_query` reads no number there. It refuses what expired all the same."""
    found = explain(settings, record(token(exp=-1), 200), record(token(exp=NOW - 900), 401))

    assert found.code == "token_expired"


def test_words_about_the_fault_stand_beside_what_passes(settings: Settings) -> None:
    """A setting may have changed since."""
    said = {"response_code_details": "jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}"}
    cranes = FAULTS["another audience"]

    assert explain(settings, record(cranes, 200), record(cranes, 401, **said)).code == "audience_mismatch"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (token(exp=NOW - 2_592_000), "token_expired"),
        ("Basic Z3Vlc3Q6Z3Vlc3Q=", "scheme_invalid"),
        (token().replace("Bearer", "Token"), "scheme_invalid"),
        ("Bearer null", "token_malformed"),
        (token(aud="cranes"), "audience_mismatch"),
    ],
)
def test_a_fault_of_the_credential_goes_before_a_guess_about_the_hop(
    settings: Settings, authorization: str, code: str
) -> None:
    """Django REST framework and others never send an error code in their challenge."""
    bare = {
        "upstream_host": "10.0.0.4:80",
        "response_code_details": "via_upstream",
        "www_authenticate": 'Bearer realm="api"',
    }
    found = explain(settings, record(authorization, 401, **bare))

    assert (found.code, found.confidence >= 0.85) == (code, True)


def test_a_guess_about_the_hop_is_told_as_one(settings: Settings) -> None:
    """Nothing is wrong with the token, as far as the log shows; where credentials arrive, it is hardly even that."""
    bare = {
        "upstream_host": "10.0.0.4:80",
        "response_code_details": "via_upstream",
        "www_authenticate": 'Bearer realm="api"',
    }
    alone = explain(settings, record(token(), 401, **bare))
    beside = explain(settings, record(token(), 200), record(token(), 401, **bare))

    assert (alone.code, alone.confidence, beside.confidence) == ("credential_stripped", 0.7, 0.5)
