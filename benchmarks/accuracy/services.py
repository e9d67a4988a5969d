"""Services that were driven once (tests/fixtures/answers): their answers to faulty tokens, which are minted anew.

Each answer is asked about as a record with the service's words or with its challenge alone, and with the token or without.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt import api_jws

from benchmarks.accuracy.answers import Answer, judged
from benchmarks.labelled import HERE, family
from collector.settings import Settings
from why401.explainer import Explainer

NOW: Final = 1_930_000_000  # of every record
FILE: Final = HERE / "tests" / "fixtures" / "answers" / "live.jsonl"
# What is right for a fault; where the service cannot tell two apart, both are.
CODES: Final = {
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
# Whose words a service writes, where its name does not say it.
_VERIFIERS: Final = {
    "fastapi": "pyjwt", "flask": "pyjwt", "drf": "pyjwt", "express-oauth2": "jose", "hono": "jose", "express": "jsonwebtoken",
    "passport": "jsonwebtoken", "koa": "jsonwebtoken", "nest": "jsonwebtoken", "fastify": "fast-jwt", "hapi": "@hapi/jwt",
    "authlib": "authlib",
}  # fmt: skip


def answers() -> list[dict[str, Any]]:
    """Every answer: product, fault, status, challenge, message."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@cache
def headers() -> dict[str, str]:
    """By fault, the Authorization header that was sent."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims: dict[str, Any] = {
        "iss": "https://id.dockyard.example/",
        "aud": "cargo-api",
        "sub": "u-77",
        "token_type": "access",
    }
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
        "noiss": signed("iss"), "sig": good, "altered": good, "none": f"{_part({'alg': 'none'})}.{payload}.",
        "hs256": api_jws.encode(json.dumps(claims).encode(), "s" * 40, algorithm="HS256"), "null": "null",
        "garbage": "8f14e45fceea167a5a36dedd4bea2543", "twoparts": f"{head}.{payload}", "cut": good[:-80],
        "cutpayload": good[: len(head) + 90], "nosub": signed("sub"), "subnum": signed(sub=7),
        "refresh": signed(token_type="refresh"), "noexp": signed("exp"), "comma": f"{good}, Bearer {good}",
    }  # fmt: skip
    others = {"absent": "", "empty": "Bearer ", "basic": "Basic Z3Vlc3Q6Z3Vlc3Q=", "token-scheme": f"Token {good}"}
    others |= {"bare": good, "colon": f"Bearer: {good}"}
    return {fault: f"Bearer {token}" for fault, token in tokens.items()} | others


def record(answer: Mapping[str, Any], *, with_words: bool, with_token: bool) -> str:
    """A line of a log about one answer."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))
    fields = {"time": now, "method": "GET", "path": "/cargo/1", "status": answer["status"]}
    fields |= {"authorization": headers()[answer["fault"]]} if with_token else {}
    fields |= {"message": answer["message"]} if with_words else {"resp_www_authenticate": answer["challenge"]}
    return json.dumps(fields)


def of_services(*, with_words: bool, with_token: bool) -> Iterator[Answer]:
    """What is said of every answer."""
    explainer = Explainer(Settings())
    for one in answers():
        said = explainer.explain(record(one, with_words=with_words, with_token=with_token))
        product = next(verifier for name, verifier in _VERIFIERS.items() if one["product"].startswith(name))
        yield judged(explainer, one["product"], one["fault"], CODES[one["fault"]], said, product=family(product))
