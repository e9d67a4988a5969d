"""fast-jwt of npm."""

from __future__ import annotations

from typing import Final

from benchmarks.live.libraries.contract import Says
from benchmarks.live.libraries.node import NodeLibrary

SAYS: Says = (
    ("The token signature is invalid", ("signature_invalid",)),
    ("The token algorithm is invalid", ("alg_not_allowed",)),
    ("The aud claim value is not allowed", ("audience_mismatch",)),
    ("The token is malformed", ("token_malformed",)),
    ("not a valid base64url serialized JSON", ("token_malformed",)),
    ("The token will be active at", ("clock_skew",)),
    ("The token has expired", ("token_expired",)),
    (
        "The token signature is missing",
        (
            "token_malformed",
            "token_truncated",
        ),
    ),
)
FAST_JWT: Final = NodeLibrary("fast-jwt", ("fast-jwt@6.3.6",), SAYS)
