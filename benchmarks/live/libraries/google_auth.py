"""google-auth, which reads keys by kid and looks at aud and the dates."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import jwt as pyjwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.live.libraries.contract import Case, Complaint, Says, Trust, complain

SAYS: Says = (
    ("Could not verify token signature", ("signature_invalid",)),
    ("Certificate for key id", ("key_not_found",)),
    ("Unsupported signature algorithm", ("alg_not_allowed",)),
    ("Token has wrong audience", ("audience_mismatch",)),
    ("Wrong number of segments", ("token_malformed",)),
    ("Token used too early", ("clock_skew",)),
    ("Token expired", ("token_expired",)),
    (
        "can only concatenate",
        (
            "gateway_error",
            "unclassified",
        ),
    ),
)


class GoogleAuth:
    """google.auth.jwt.decode."""

    name = "google-auth"
    listed = False
    language = "python"
    says = SAYS

    def missing(self) -> str:
        """The package."""
        return "" if find_spec("google.auth") else "google-auth is not installed"

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Decode with the keys as PEM by kid."""
        from google.auth import jwt

        decode: Any = jwt.decode
        keys = {key["kid"]: _pem(key) for key in trust.jwks["keys"]}
        return tuple(complain(cases, lambda token: decode(token, certs=keys, audience=trust.issuer.audience)))


def _pem(jwk: dict[str, str]) -> bytes:
    pem: bytes = pyjwt.PyJWK(jwk).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem
