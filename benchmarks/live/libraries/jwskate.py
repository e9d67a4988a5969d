"""jwskate."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks.live.libraries.contract import Case, Complaint, Says, Trust, complain

SAYS: Says = (
    ("InvalidSignature", ("signature_invalid",)),
    ("No key with Key ID", ("key_not_found",)),
    ("Unexpected issuer", ("issuer_not_trusted",)),
    ("Unexpected audience", ("audience_mismatch",)),
    ("separated by dots", ("token_malformed",)),
    ("ExpiredJwt", ("token_expired",)),
    (
        "AttributeError",
        (
            "gateway_error",
            "unclassified",
        ),
    ),
)


class Jwskate:
    """SignedJwt.validate with the key that the token names."""

    name = "jwskate"
    listed = False
    language = "python"
    says = SAYS

    def missing(self) -> str:
        """The package."""
        return "" if find_spec("jwskate") else "jwskate is not installed"

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Parse, find the key, validate."""
        from jwskate import JwkSet, SignedJwt

        keys = JwkSet(dict(trust.jwks))
        who = trust.issuer

        def check(token: str) -> None:
            jwt = SignedJwt(token)
            jwt.validate(keys.get_jwk_by_kid(jwt.kid), algs=[trust.alg], issuer=who.url, audience=who.audience)

        return tuple(complain(cases, check))
