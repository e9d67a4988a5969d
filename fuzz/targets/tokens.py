"""Credentials: found, unwrapped and read whatever they are; the facts hold no secret part."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import asdict

import orjson

from collector.records import Parsed
from collector.safe import Safe
from collector.token.credentials import AUTHORIZATION, Credential, find_credentials, unwrap
from collector.token.facts import read_claims_only, read_token
from fuzz.stages import HEADER, PAYLOAD, PLANTED, SIGNATURE, leaked, must, text_of

_BEARER = Safe("Bearer")


def check(data: bytes) -> None:
    """As header, bare, in a query, in a cookie, as decoded claims, and between the parts of a real token."""
    text = text_of(data)
    parsed = Parsed(
        "fuzz", path=f"/x?access_token={text}", headers={"authorization": text, "cookie": f"session={text}"}
    )
    for credential in (unwrap(text), Credential(AUTHORIZATION, _BEARER, text), *find_credentials(parsed)):
        _read(credential)
    for token in (
        f"{text}.{PAYLOAD}.{SIGNATURE}",
        f"{HEADER}.{_b64(data)}.{SIGNATURE}",
        f"{_b64(data)}.{PAYLOAD}.{SIGNATURE}",
    ):
        facts = _read(Credential(AUTHORIZATION, _BEARER, token))
        must(not leaked(orjson.dumps(facts)), "facts hold no part of the token")
    try:
        value = orjson.loads(data)
    except ValueError:
        return
    if isinstance(value, dict):
        read_claims_only(value, value, "")
        read_claims_only(None, value, "sub")


def _read(credential: Credential) -> dict[str, object]:
    facts = read_token(credential).facts
    must(sum(len(name) for name in facts.header_names) < 10_000, "names are bounded")
    return asdict(facts)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seeds() -> Iterable[bytes]:
    """Headers, claims, and credentials in odd wrappings."""
    objects = (
        {"alg": "RS256", "typ": "JWT", "kid": "a"}, {"alg": "none"}, {"alg": "dir", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "ES256", "crit": ["b64"], "b64": False, "jku": "http://x", "x5u": 1, "jwk": {"d": "x"}, "p2c": 2147483647},
        {"iss": "https://idp", "aud": ["a", 1, None], "exp": 1e400, "nbf": "1", "iat": True, "scope": "a b", "cnf": {"jkt": "x"}},
        {"exp": 99999999999999999999, "sub": {"a": [1]}, "aud": {}, "realm_access": {"roles": ["x"]}, "scp": [1]},
    )  # fmt: skip
    for value in objects:
        text = json.dumps(value).replace("Infinity", "1e400")
        yield text.encode()
        yield (_b64(text.encode()) + ".e30.").encode()
    yield PLANTED.encode()
    yield from (
        b"Bearer",
        b"Basic dTpw",
        b"Bearer Bearer x",
        b'"Bearer: x"',
        b"DPoP a.b.c",
        b"Bearer a,b",
        b"Negotiate YII=",
        b"a.b.c.d.e",
    )
    yield b'{"iss":"a","iss":"b"}'
