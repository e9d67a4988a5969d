"""PyJWT, with the key looked up in the key set as PyJWKClient does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from benchmarks.live.libraries.contract import REQUIRED, Case, Complaint, Says, Trust, complain

SAYS: Says = (
    ("Signature verification failed", ("signature_invalid",)),
    ("Unable to find a signing key that matches", ("key_not_found",)),
    ("alg value is not allowed", ("alg_not_allowed",)),
    ("Audience doesn't match", ("audience_mismatch",)),
    ("Not enough segments", ("token_malformed",)),
    ("Invalid payload padding", ("token_malformed",)),
    ("not yet valid", ("clock_skew",)),
    ("Signature has expired", ("token_expired",)),
)


class PyJwt:
    """jwt.decode behind PyJWKClient."""

    name = "PyJWT"
    listed = True
    language = "python"
    says = SAYS

    def missing(self) -> str:
        """Nothing: why401 itself needs it."""
        return ""

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Decode with issuer, audience, algorithm and required claims."""
        client = _Client(trust.jwks)

        def decode(token: str) -> None:
            key = client.get_signing_key_from_jwt(token).key
            who = trust.issuer
            options: Any = {"require": ["iss", "aud", *REQUIRED]}
            jwt.decode(token, key, algorithms=[trust.alg], audience=who.audience, issuer=who.url, options=options)

        return tuple(complain(cases, decode))


class _Client(jwt.PyJWKClient):
    """A client whose endpoint answers with the key set at hand."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        super().__init__("http://127.0.0.1/jwks.json")
        self._jwks = jwks

    def fetch_data(self) -> Any:
        return self._jwks
