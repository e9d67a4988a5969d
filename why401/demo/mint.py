"""Throwaway issuers and their tokens: good ones with PyJWT, broken ones byte by byte.

Keys live in memory for one run. A token is a secret even here: nothing in this module logs or prints one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

DROP: Final = object()  # as a claim's new value: take the claim out
LIFETIME_S: Final = 3600
REUSE_S: Final = 300  # clients use a token more than once; so does the demo
MAX_REUSED: Final = 4096
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A signing key. `private` is what PyJWT signs with."""

    kid: str
    alg: str
    private: Any

    def public_jwk(self) -> dict[str, Any]:
        """The key as its issuer publishes it (RFC 7517); for HS256 that is the shared secret itself."""
        jwk = _JWK[self.alg](self.private)
        return {**jwk, "kid": self.kid, "alg": self.alg, "use": "sig"}


_JWK: Final[dict[str, Callable[[Any], dict[str, Any]]]] = {
    "RS256": lambda key: RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
    "ES256": lambda key: ECAlgorithm.to_jwk(key.public_key(), as_dict=True),
    "EdDSA": lambda key: OKPAlgorithm.to_jwk(key.public_key(), as_dict=True),
    "HS256": lambda key: HMACAlgorithm.to_jwk(key, as_dict=True),
}
_GENERATE: Final[dict[str, Callable[[], Any]]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "HS256": lambda: secrets.token_bytes(32),
}


def new_key(alg: str, kid: str) -> Key:
    """A fresh key."""
    return Key(kid, alg, _GENERATE[alg]())


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs, and for which audience."""

    name: str
    url: str
    audience: str
    algs: tuple[str, ...]


ISSUERS: Final = (
    Issuer("shop", "https://id.example.com/realms/shop", "https://api.example.com", ("RS256",)),
    Issuer("partner", "https://login.partner.example/", "orders-api", ("ES256",)),
    Issuer("devices", "https://devices.example.com", "telemetry", ("EdDSA",)),
    Issuer("legacy", "https://legacy.example.com", "reports", ("HS256",)),
    Issuer("staff", "https://staff.example.com", "backoffice", ("RS256",)),
    Issuer("acquired", "https://sso.acquired.example", "https://api.example.com", ("RS256",)),
    Issuer("merged", "https://login.merged.example", "https://api.example.com", ("RS256",)),
    Issuer("mixed", "https://auth.example.com/tenant-7", "warehouse", ("RS256", "ES256")),
)


class Mint:
    """The issuers of one run, with their keys. Thread-safe."""

    def __init__(self, now: Clock = time.time) -> None:
        self.now = now
        self.issuers: Final = {issuer.name: issuer for issuer in ISSUERS}
        self.rotations = 0
        self.typ = "at+jwt"  # of access tokens (RFC 9068); some validators accept only "JWT"
        self._lock = threading.Lock()
        self._keys = {
            issuer.name: [new_key(alg, f"{issuer.name}-2026-10-{alg.lower()}") for alg in issuer.algs]
            for issuer in ISSUERS
        }
        self._first = dict(self._keys)
        self._reused: dict[tuple[str, str], tuple[float, str]] = {}
        self.stranger: Final = new_key("RS256", "shop-staging-rs256")

    def key(self, issuer: str, alg: str = "") -> Key:
        """The newest key, of one algorithm when an issuer has several."""
        return next(key for key in self._keys[issuer] if alg in ("", key.alg))

    def settled_key(self, issuer: str) -> Key:
        """The key from before any rotation: what clients that renewed their tokens earlier still hold."""
        return self._first[issuer][0]

    def jwks(self, issuer: str) -> dict[str, Any]:
        """The key set as published now."""
        with self._lock:
            return {"keys": [key.public_jwk() for key in self._keys[issuer]]}

    def rotate(self, issuer: str = "shop") -> Key:
        """Publish a new key beside the one before and sign with it from now on. One former key stays published."""
        with self._lock:
            self.rotations += 1
            fresh = new_key(self._keys[issuer][0].alg, f"{issuer}-2026-11-r{self.rotations}")
            self._keys[issuer] = [fresh, self._first[issuer][0]]
            return fresh

    def claims(self, issuer: str, subject: str = "user-0001", **changes: Any) -> dict[str, Any]:
        """Claims of a good access token, then `changes`; DROP takes a claim out."""
        now, who = int(self.now()), self.issuers[issuer]
        claims = {
            "iss": who.url,
            "sub": subject,
            "aud": who.audience,
            "iat": now - 30,
            "exp": now - 30 + LIFETIME_S,
            "jti": secrets.token_hex(8),
            "azp": "web-shop",
            "scope": "orders:read orders:write",
            "roles": ["customer", "admin"],
            "tenant": "acme",
        }
        return {name: value for name, value in {**claims, **changes}.items() if value is not DROP}

    def good(self, issuer: str, subject: str = "user-0001") -> str:
        """A good token, the same one for some minutes, as a client would keep it."""
        kept = self._reused.get((issuer, subject))
        if kept and self.now() - kept[0] < REUSE_S:
            return kept[1]
        token = self.sign(self.claims(issuer, subject), self.settled_key(issuer))
        with self._lock:
            if len(self._reused) >= MAX_REUSED:
                self._reused.clear()
            self._reused[issuer, subject] = (self.now(), token)
        return token

    def token(self, issuer: str, subject: str = "user-0001", **changes: Any) -> str:
        """A token properly signed by the issuer over claims that may be wrong."""
        return self.sign(self.claims(issuer, subject, **changes), self.settled_key(issuer))

    def sign(self, claims: Mapping[str, Any], key: Key, **header: Any) -> str:
        """Sign claims as they are, with extra header parameters; `kid=None` leaves kid out."""
        named = {"typ": self.typ, "kid": key.kid, **header}
        named = {name: value for name, value in named.items() if value is not None}
        alg = jwt.get_algorithm_by_name(key.alg)
        return compact({"alg": key.alg, **named}, claims, lambda data: alg.sign(data, alg.prepare_key(key.private)))


def compact(header: Mapping[str, Any], claims: Mapping[str, Any] | bytes, sign: Callable[[bytes], bytes]) -> str:
    """JWS compact form (RFC 7515 §7.1) of anything: jwt.encode refuses what a broken issuer would write."""
    body = claims if isinstance(claims, bytes) else orjson.dumps(claims)
    signed = base64url_encode(orjson.dumps(header)) + b"." + base64url_encode(body)
    return (signed + b"." + base64url_encode(sign(signed))).decode()


def hs256(secret: bytes) -> Callable[[bytes], bytes]:
    """An HMAC-SHA-256 signer that takes any secret, a public key's PEM too."""
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


def der_es256(key: Key) -> Callable[[bytes], bytes]:
    """An ES256 signer that leaves the signature in ASN.1 DER, as OpenSSL makes it; RFC 7518 §3.4 wants R‖S."""

    def sign(data: bytes) -> bytes:
        signature: bytes = key.private.sign(data, ec.ECDSA(hashes.SHA256()))
        return signature

    return sign


def encrypted(claims: Mapping[str, Any], kid: str) -> str:
    """A JWE (RFC 7516), direct encryption with A256GCM: five parts, the second empty."""
    header = base64url_encode(orjson.dumps({"alg": "dir", "enc": "A256GCM", "kid": kid, "typ": "JWT"}))
    iv = secrets.token_bytes(12)
    sealed = AESGCM(secrets.token_bytes(32)).encrypt(iv, orjson.dumps(claims), header)
    parts = (header, b"", base64url_encode(iv), base64url_encode(sealed[:-16]), base64url_encode(sealed[-16:]))
    return b".".join(parts).decode()
