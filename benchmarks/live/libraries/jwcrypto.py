"""jwcrypto."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks.live.libraries.contract import REQUIRED, USER, Case, Complaint, Says, Trust, complain

SAYS: Says = (
    ("Missing Key", ("key_not_found",)),
    ("Token format unrecognized", ("token_malformed",)),
    ("Invalid 'aud' value", ("audience_mismatch",)),
    ("Expired at", ("token_expired",)),
    (
        "not supported between instances",
        (
            "gateway_error",
            "unclassified",
        ),
    ),
)


class Jwcrypto:
    """jwcrypto.jwt.JWT with check_claims."""

    name = "jwcrypto"
    listed = True
    language = "python"
    says = SAYS

    def missing(self) -> str:
        """The package."""
        return "" if find_spec("jwcrypto") else "jwcrypto is not installed"

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Deserialize and check in one call, as its documentation shows."""
        from jwcrypto.jwk import JWKSet
        from jwcrypto.jwt import JWT

        keys = JWKSet.from_json(json.dumps(trust.jwks))
        claims = {"iss": trust.issuer.url, "aud": trust.issuer.audience, **dict.fromkeys(REQUIRED)}
        assert USER in claims

        def check(token: str) -> None:
            JWT(jwt=token, key=keys, algs=[trust.alg], check_claims=claims, expected_type="JWS")

        return tuple(complain(cases, check))
