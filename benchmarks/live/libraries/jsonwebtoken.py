"""jsonwebtoken of npm."""

from __future__ import annotations

from typing import Final

from benchmarks.live.libraries.contract import Says
from benchmarks.live.libraries.node import NodeLibrary

SAYS: Says = (
    ("invalid signature", ("signature_invalid",)),
    ("Unable to find a signing key that matches", ("key_not_found",)),
    ("invalid algorithm", ("alg_not_allowed",)),
    ("jwt issuer invalid", ("issuer_not_trusted",)),
    ("jwt audience invalid", ("audience_mismatch",)),
    ("jwt malformed", ("token_malformed",)),
    (
        "jwt signature is required",
        (
            "alg_none",
            "token_malformed",
        ),
    ),
    ("invalid exp value", ("claim_value_invalid",)),
    ("jwt not active", ("clock_skew",)),
    ("jwt expired", ("token_expired",)),
)
JSONWEBTOKEN: Final = NodeLibrary(
    "jsonwebtoken",
    (
        "jsonwebtoken@9.0.3",
        "jwks-rsa@4.1.0",
    ),
    SAYS,
)
