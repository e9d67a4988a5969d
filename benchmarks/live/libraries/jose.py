"""jose of npm."""

from __future__ import annotations

from typing import Final

from benchmarks.live.libraries.contract import Says
from benchmarks.live.libraries.node import NodeLibrary

SAYS: Says = (
    ("signature verification failed", ("signature_invalid",)),
    ("no applicable key found", ("key_not_found",)),
    ("Header Parameter value not allowed", ("alg_not_allowed",)),
    ('unexpected "aud" claim value', ("audience_mismatch",)),
    ("Invalid Compact JWS", ("token_malformed",)),
    ('"nbf" claim timestamp check failed', ("clock_skew",)),
    ('"exp" claim timestamp check failed', ("token_expired",)),
)
JOSE: Final = NodeLibrary("jose", ("jose@6.2.18",), SAYS)
