"""njwt of npm."""

from __future__ import annotations

from typing import Final

from benchmarks.live.libraries.contract import Says
from benchmarks.live.libraries.node import NodeLibrary

SAYS: Says = (
    ("Signature verification failed", ("signature_invalid",)),
    ("signature algorithm", ("alg_not_allowed",)),
    ("signing algorithm", ("alg_not_allowed",)),
    ("Jwt cannot be parsed", ("token_malformed",)),
    ("Jwt not active", ("clock_skew",)),
    ("Jwt is expired", ("token_expired",)),
    (
        "Cannot read properties of undefined",
        (
            "gateway_error",
            "unclassified",
        ),
    ),
)
NJWT: Final = NodeLibrary("njwt", ("njwt@2.0.1",), SAYS, listed=False)
