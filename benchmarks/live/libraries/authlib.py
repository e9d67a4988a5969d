"""Authlib: authlib.jose, which its users have until version 2."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks.live.libraries.contract import REQUIRED, Case, Complaint, Says, Trust, complain

SAYS: Says = (
    ("Invalid claim 'sub'", ("claim_not_allowed",)),
    ("bad_signature", ("signature_invalid",)),
    ("Key not found", ("key_not_found",)),
    ("unsupported_algorithm", ("alg_not_allowed",)),
    ("Invalid claim 'aud'", ("audience_mismatch",)),
    ("Invalid claim 'exp'", ("claim_value_invalid",)),
    ("Invalid input segments length", ("token_malformed",)),
    ("not valid yet", ("clock_skew",)),
    ("expired_token", ("token_expired",)),
)


class Authlib:
    """JsonWebToken.decode and the claims' validate()."""

    name = "Authlib"
    listed = True
    language = "python"
    says = SAYS

    def missing(self) -> str:
        """The package."""
        return "" if find_spec("authlib") else "Authlib is not installed"

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Decode, then validate the claims."""
        with warnings.catch_warnings(record=True):  # it is deprecated, and says so whatever filter is set
            from authlib.jose import JsonWebKey, JsonWebToken

            keys = JsonWebKey.import_key_set(trust.jwks)
            options = {
                "iss": {"essential": True, "value": trust.issuer.url},
                "aud": {"essential": True, "value": trust.issuer.audience},
                **{name: {"essential": True} for name in REQUIRED},
            }
            verifier = JsonWebToken([trust.alg])
            return tuple(complain(cases, lambda token: verifier.decode(token, keys, claims_options=options).validate()))
