"""Records to measure with: made from throwaway keys, so that nothing here is anybody's."""

from __future__ import annotations

import base64
import json
import os
import random
import time
from functools import cache
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.formats import FORMATS, Asked
from collector.events import Origin
from collector.records import RawRecord
from collector.safe import Safe

NOW = int(time.time())
_LEVELS = ("INFO", "WARN", "ERROR")
_SERVICES = ("orders", "checkout", "billing", "profile", "search")
_WRITERS = tuple(FORMATS.values())
REASONS = (
    "Jwt_is_expired",
    "Jwt_issuer_is_not_configured",
    "Audiences_in_Jwt_are_not_allowed",
    "Jwt_verification_fails",
    "Jwt_is_missing",
)


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(number: int) -> str:
    """A token of one of many users; every fifth is expired."""
    claims = {"iss": "https://idp.example.com/", "aud": "orders-api", "sub": f"user-{number}", "iat": NOW - 900}
    return jwt.encode(
        claims | {"exp": NOW + (-60 * number if number % 5 == 0 else 600)},
        _key(),
        algorithm="RS256",
        headers={"kid": "k1"},
    )


def envoy_json(count: int, *, tokens: int, denied: bool = True) -> list[str]:
    """Access log lines of Envoy; `tokens` distinct tokens take turns, every request has its own id and time."""
    pool = [token(number) for number in range(tokens)]
    return [json.dumps(_line(number, pool[number % tokens], denied=denied)) for number in range(count)]


def application_lines(count: int) -> list[str]:
    """Lines of applications' logs: sentences about requests and about anything else, with random identifiers; the same each time."""
    here = Path(__file__).parent
    sentences = [
        line
        for name in ("refusals.txt", "harmless.txt")
        for line in (here / name).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    chosen = random.Random(4711)  # not a secret: the same lines in every run
    return [
        f"2026-03-{number % 28 + 1:02} 10:{number % 60:02}:07,{number % 1000:03} {chosen.choice(_LEVELS)}"
        f" [{chosen.choice(_SERVICES)}-{chosen.getrandbits(40):010x}] {chosen.choice(sentences)}"
        f" req={chosen.getrandbits(64):016x} etag={_text(chosen)} took={number % 400}ms {chosen.choice(sentences)}"
        for number in range(count)
    ]


def _text(chosen: random.Random) -> str:
    return base64.urlsafe_b64encode(chosen.randbytes(chosen.randrange(6, 40))).decode().rstrip("=")


def _line(number: int, credential: str, *, denied: bool) -> dict[str, object]:
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW + number // 1000)) + f".{number % 1000:03}Z"
    reason = REASONS[number % len(REASONS)]
    return {
        "start_time": at,
        "method": "GET",
        "path": f"/orders/{number % 500}",
        "protocol": "HTTP/1.1",
        "response_code": 401 if denied else 200,
        "response_code_details": f"jwt_authn_access_denied{{{reason}}}" if denied else "via_upstream",
        "response_flags": "-",
        "bytes_sent": 22,
        "authorization": f"Bearer {credential}",
        "authority": "api.example.com",
        "user_agent": "okhttp/4.12.0",
        "x_forwarded_for": f"203.0.113.{number % 250}",
        "request_id": f"0f0f0f0f-0000-4000-8000-{number:012d}",
        "upstream_host": "-" if denied else "10.0.0.9:8080",
    }


def records(lines: list[str]) -> list[RawRecord]:
    """Raw records as the Kafka source hands them over."""
    return [
        RawRecord(Origin(kind=Safe("kafka"), source=Safe("raw"), partition=0, offset=offset), NOW * 10**9, text=line)
        for offset, line in enumerate(lines)
    ]


def mixed(mix: str, count: int) -> list[str]:
    """Access log lines. `real`: 2 % refused, each token used 50 times, 200 routes with an id in each path, in ten gateways' formats; `envoy`: the same
    in Envoy's JSON alone; `storm`: Envoy's, all refused, 200 tokens; `distinct`: all refused, every token new. Nobody checks the signatures,
    which are random.
    """
    tokens = {"storm": 200, "distinct": count}.get(mix, count // 50)
    pool = [_unsigned(number) for number in range(tokens)]
    if mix == "real":
        return [_of_ten(number, pool[number % tokens]) for number in range(count)]
    lines = []
    for number in range(count):
        denied = mix != "envoy" or number % 50 == 0
        fields = _line(number // 8, pool[number % tokens], denied=denied)
        fields |= {
            "path": f"/service-{number * 7 % 200}/items/{number}",
            "request_id": f"0f0f0f0f-0000-4000-8000-{number:012d}",
        }
        lines.append(json.dumps(fields))
    return lines


def _of_ten(number: int, credential: str) -> str:
    """A request in one of the formats: each of them has requests of both kinds."""
    asked = Asked(
        at=NOW + number // 8000,
        path=f"/service-{number * 7 % 200}/items/{number}",
        token=credential,
        number=number,
        status=401 if number % 50 == number // 50 % 50 else 200,
    )
    return _WRITERS[number % len(_WRITERS)](asked)


def _unsigned(number: int) -> str:
    """As long as a token with RS256, and valid but for its signature."""
    claims = {"iss": "https://idp.example.com/", "aud": "orders-api", "sub": f"user-{number}", "iat": NOW - 900}
    parts = ({"alg": "RS256", "kid": "k1", "typ": "JWT"}, claims | {"exp": NOW + 86_400})
    encoded = [_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts]
    return ".".join((*encoded, _base64url(os.urandom(256))))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
