"""jwt-simple of npm."""

from __future__ import annotations

from typing import Final

from benchmarks.live.libraries.contract import Says
from benchmarks.live.libraries.node import NodeLibrary

SAYS: Says = (
    ("Signature verification failed", ("signature_invalid",)),
    ("Not enough or too many segments", ("token_malformed",)),
    ("Token not yet active", ("clock_skew",)),
    ("Token expired", ("token_expired",)),
)
JWT_SIMPLE: Final = NodeLibrary("jwt-simple", ("jwt-simple@0.5.6",), SAYS, listed=False)
