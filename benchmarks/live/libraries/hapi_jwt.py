"""@hapi/jwt of npm."""

from __future__ import annotations

from typing import Final

from benchmarks.live.libraries.contract import Says
from benchmarks.live.libraries.node import NodeLibrary

SAYS: Says = (
    ("Invalid token signature part", ("token_malformed",)),
    ("Invalid token signature", ("signature_invalid",)),
    ("Unsupported algorithm", ("alg_not_allowed",)),
    ("Token audience is not allowed", ("audience_mismatch",)),
    ("Invalid token structure", ("token_malformed",)),
    ("Invalid payload exp value", ("claim_value_invalid",)),
    ("Token not yet active", ("clock_skew",)),
    ("Token expired", ("token_expired",)),
)
HAPI_JWT: Final = NodeLibrary("@hapi/jwt", ("@hapi/jwt@3.2.4",), SAYS, listed=False)
