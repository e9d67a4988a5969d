"""joserfc: decode with a key set, then a registry of claims."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks.live.libraries.contract import REQUIRED, Case, Complaint, Says, Trust, complain

SAYS: Says = (
    ("Invalid claim: 'sub'", ("claim_not_allowed",)),
    ("bad_signature", ("signature_invalid",)),
    ("No key for kid", ("key_not_found",)),
    ("unsupported_algorithm", ("alg_not_allowed",)),
    ("Invalid claim: 'aud'", ("audience_mismatch",)),
    ("decode_error", ("token_malformed",)),
    ("not yet valid", ("clock_skew",)),
    ("expired_token", ("token_expired",)),
)


class Joserfc:
    """joserfc.jwt.decode and JWTClaimsRegistry."""

    name = "joserfc"
    listed = False
    language = "python"
    says = SAYS

    def missing(self) -> str:
        """The package."""
        return "" if find_spec("joserfc") else "joserfc is not installed"

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Decode, then validate the claims."""
        from joserfc import jwt
        from joserfc.jwk import KeySet

        keys = KeySet.import_key_set({"keys": list(trust.jwks["keys"])})
        options: dict[str, Any] = {
            "iss": {"essential": True, "value": trust.issuer.url},
            "aud": {"essential": True, "value": trust.issuer.audience},
            **{name: {"essential": True} for name in REQUIRED},
        }
        registry = jwt.JWTClaimsRegistry(**options)

        def decode(token: str) -> None:
            registry.validate(jwt.decode(token, keys, algorithms=[trust.alg]).claims)

        return tuple(complain(cases, decode))
