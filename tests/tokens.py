"""Throwaway keys and tokens for tests: good ones, and the pieces to break them with."""

from __future__ import annotations

import base64
import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://idp.example.com/"


def now() -> int:
    """The present second. Never kept at import: a token that is not yet valid then is valid when the suite is slow."""
    return int(time.time())


@cache
def rsa_key(name: str = "k1") -> rsa.RSAPrivateKey:
    """One key per name and test run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key(name: str = "e1") -> ec.EllipticCurvePrivateKey:
    """One P-256 key per name and test run."""
    return ec.generate_private_key(ec.SECP256R1())


def token(*, key: str = "k1", headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token of ISSUER for orders-api, valid for twelve hours from now; a claim set to None is left out."""
    at = now()
    payload = {"iss": ISSUER, "aud": "orders-api", "sub": "user-1", "iat": at - 10, "exp": at + 43_200} | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, rsa_key(key), algorithm="RS256", headers={"kid": key, **(headers or {})})


def raw(header: object, payload: object, signature: bytes = b"\x9c" * 256) -> str:
    """A compact JWS of anything, signed by nobody."""
    return ".".join(part(item) for item in (header, payload)) + "." + b64(signature)


def part(item: object) -> str:
    """One part: JSON of an object, base64url of text."""
    return b64(item.encode() if isinstance(item, str) else json.dumps(item).encode())


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwks(*names: str) -> dict[str, Any]:
    """The published key set of those keys."""
    keys = []
    for name in names:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
        keys.append(public | {"kid": name, "use": "sig"})
    return {"keys": keys}
