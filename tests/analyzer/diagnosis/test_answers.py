"""Services that were driven live: their answers, beside the token that caused them (tests/fixtures/answers)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt import api_jws

from collector.settings import Settings
from why401.explainer import Explainer

NOW = 1_930_000_000  # of every record
ANSWERS = [
    json.loads(line) for line in (Path(__file__).parents[2] / "fixtures/answers/live.jsonl").open(encoding="utf-8")
]
# What is right for a fault; where the service cannot tell two apart, both are.
CODES = {
    "absent": ("token_missing",), "empty": ("token_missing", "scheme_invalid"), "basic": ("scheme_invalid",),
    "token-scheme": ("scheme_invalid",), "bare": ("scheme_invalid",), "doubled": ("scheme_invalid",),
    "colon": ("scheme_invalid",), "expired": ("token_expired",), "expired-min": ("token_expired",), "nbf": ("clock_skew",),
    "aud": ("audience_mismatch",), "noaud": ("audience_missing",), "iss": ("issuer_not_trusted",), "noiss": ("issuer_missing",),
    "sig": ("signature_invalid",), "altered": ("signature_invalid",), "none": ("alg_none", "alg_not_allowed"),
    "hs256": ("alg_not_allowed", "key_type_mismatch"), "null": ("token_malformed", "token_opaque"),
    "garbage": ("token_opaque", "token_malformed"), "twoparts": ("token_malformed", "token_truncated"),
    "cut": ("token_truncated", "signature_invalid"), "cutpayload": ("token_truncated", "token_malformed"),
    "nosub": ("user_claim_missing", "claim_missing"), "subnum": ("claim_type_invalid",), "refresh": ("token_use_invalid",),
    "noexp": ("claim_missing",), "comma": ("credential_ambiguous", "scheme_invalid", "token_malformed"),
}  # fmt: skip


class Scored(NamedTuple):
    product: str
    fault: str
    code: str
    confidence: float
    is_right: bool


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def headers() -> dict[str, str]:
    """By fault, the Authorization header that was sent."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"iss": "https://id.dockyard.example/", "aud": "cargo-api", "sub": "u-77", "token_type": "access"}
    claims |= {"iat": NOW - 30, "nbf": NOW - 30, "exp": NOW + 3_600, "scope": "cargo:read"}

    def signed(drop: str = "", **changed: Any) -> str:
        body = {name: value for name, value in (claims | changed).items() if name != drop}
        return api_jws.encode(json.dumps(body).encode(), key, algorithm="RS256", headers={"kid": "k-1"})

    good = signed()
    head, payload, _ = good.split(".")
    tokens = {
        "doubled": f"Bearer {good}", "expired": signed(exp=NOW - 2_592_000, iat=NOW - 2_595_600, nbf=NOW - 2_595_600),
        "expired-min": signed(exp=NOW - 600), "nbf": signed(nbf=NOW + 3_000, iat=NOW + 3_000, exp=NOW + 9_000),
        "aud": signed(aud="other-api"), "noaud": signed("aud"), "iss": signed(iss="https://id.dockyard.example"),
        "noiss": signed("iss"), "sig": good, "altered": good, "none": f"{part({'alg': 'none'})}.{payload}.",
        "hs256": api_jws.encode(json.dumps(claims).encode(), "s" * 40, algorithm="HS256"), "null": "null",
        "garbage": "8f14e45fceea167a5a36dedd4bea2543", "twoparts": f"{head}.{payload}", "cut": good[:-80],
        "cutpayload": good[: len(head) + 90], "nosub": signed("sub"), "subnum": signed(sub=7),
        "refresh": signed(token_type="refresh"), "noexp": signed("exp"), "comma": f"{good}, Bearer {good}",
    }  # fmt: skip
    others = {"absent": "", "empty": "Bearer ", "basic": "Basic Z3Vlc3Q6Z3Vlc3Q=", "token-scheme": f"Token {good}"}
    others |= {"bare": good, "colon": f"Bearer: {good}"}
    return {fault: f"Bearer {token}" for fault, token in tokens.items()} | others


def scores(headers: dict[str, str], *, with_words: bool) -> Iterator[Scored]:
    explainer = Explainer(Settings())
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))
    for answer in ANSWERS:
        record = {"time": now, "method": "GET", "path": "/cargo/1", "status": answer["status"]}
        record["authorization"] = headers[answer["fault"]]
        record |= {"message": answer["message"]} if with_words else {"resp_www_authenticate": answer["challenge"]}
        found = explainer.explain(json.dumps(record)).diagnosis
        assert found is not None
        fault = answer["fault"]
        yield Scored(answer["product"], fault, found.code, found.confidence, found.code in CODES[fault])


def test_beside_their_words(headers: dict[str, str]) -> None:
    """Nine of ten, over all products; what is wrong is not believed."""
    found = list(scores(headers, with_words=True))
    wrong = [one for one in found if not one.is_right and one.confidence >= 0.8]

    assert (len(found) > 400, sum(one.is_right for one in found) / len(found) >= 0.9) == (True, True), wrong
    assert [one for one in wrong if one.fault != "absent"] == []  # a browser that is sent to the login page


def test_beside_nothing_but_status_and_challenge(headers: dict[str, str]) -> None:
    """Most cannot be known without words or configuration; none of them is claimed."""
    found = list(scores(headers, with_words=False))
    wrong = [one for one in found if not one.is_right and one.confidence >= 0.8]

    assert sum(one.is_right for one in found) / len(found) >= 0.6, wrong
    assert [one for one in wrong if one.fault != "absent"] == []
