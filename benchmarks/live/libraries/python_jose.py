"""python-jose."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks.live.libraries.contract import REQUIRED, Case, Complaint, Says, Trust, complain

SAYS: Says = (
    ("Signature verification failed", ("signature_invalid",)),
    ("alg value is not allowed", ("alg_not_allowed",)),
    ("Invalid audience", ("audience_mismatch",)),
    ("Not enough segments", ("token_malformed",)),
    ("Invalid payload padding", ("token_malformed",)),
    ("not yet valid", ("clock_skew",)),
    ("Signature has expired", ("token_expired",)),
)


class PythonJose:
    """jose.jwt.decode with a key set."""

    name = "python-jose"
    listed = True
    language = "python"
    says = SAYS

    def missing(self) -> str:
        """The package."""
        return "" if find_spec("jose") else "python-jose is not installed"

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Decode with issuer, audience, algorithm and required claims."""
        from jose import jwt

        who = trust.issuer
        options = {f"require_{name}": True for name in ("iss", "aud", *REQUIRED)}

        def decode(token: str) -> None:
            jwt.decode(token, trust.jwks, [trust.alg], options, audience=who.audience, issuer=who.url)

        return tuple(complain(cases, decode))
