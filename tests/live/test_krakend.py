"""KrakenD's router, validator and logger."""

from __future__ import annotations

from typing import Final

import pytest

from benchmarks.live import krakend
from tests.live.checks import check
from tests.live.conftest import Drives

_ONE_TEXT: Final = "one text for this and the cause that is answered; only the token tells them apart"
_NOT_LOOKED_AT: Final = "KrakenD takes whatever stands in the header for a token and tells what is wrong with that"
UNTOLD: Final = {
    "iss-staging": "the key is looked for before the issuer is read, and is not there",
    "iss-missing": _ONE_TEXT,
    "aud-missing": _ONE_TEXT,
    "token-empty": _NOT_LOOKED_AT,
    "scheme-basic": _NOT_LOOKED_AT,
    "scheme-doubled": _NOT_LOOKED_AT,
    "scheme-token": _NOT_LOOKED_AT,
    "scheme-colon": _NOT_LOOKED_AT,
    "scheme-quotes": _NOT_LOOKED_AT,
    "token-cut-signature": _ONE_TEXT,
    "token-cut-claims": _ONE_TEXT,
    "token-opaque": _ONE_TEXT,
    "token-id": _ONE_TEXT,
    "token-refresh": _ONE_TEXT,
    "exp-negative": _ONE_TEXT,
    "alg-none": _ONE_TEXT,
    "token-jwe": _ONE_TEXT,
    "nbf-milliseconds": _ONE_TEXT,
}


@pytest.mark.live(krakend.GATEWAY)
def test_krakend_with_operation_debug(drives: Drives) -> None:
    """Without the token its words alone are read, as far as they reach."""
    check(krakend.GATEWAY, drives, UNTOLD)
