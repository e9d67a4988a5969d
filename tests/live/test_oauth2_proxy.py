"""oauth2-proxy 7 in front of an API that is called with bearer tokens."""

from __future__ import annotations

from typing import Final

import pytest

from benchmarks.live import oauth2_proxy
from tests.live.checks import check
from tests.live.conftest import Drives

_ONE_TEXT: Final = "one text for this and the cause that is answered; only the token tells them apart"
UNTOLD: Final = {
    "kid-unknown": "go-oidc tries every key and says only that none fits",
    "scheme-token": _ONE_TEXT,
    "scheme-colon": _ONE_TEXT,
    "scheme-quotes": _ONE_TEXT,
    "token-cut-signature": _ONE_TEXT,
    "token-cut-claims": _ONE_TEXT,
    "token-opaque": _ONE_TEXT,
    "token-refresh": "the algorithm is looked at first, and it is another one",
    "alg-none": _ONE_TEXT,
    "token-jwe": _ONE_TEXT,
}


@pytest.mark.live(oauth2_proxy.GATEWAY)
def test_oauth2_proxy_with_bearer_tokens(drives: Drives) -> None:
    """Without the token its words alone are read, as far as they reach."""
    check(oauth2_proxy.GATEWAY, drives, UNTOLD)
