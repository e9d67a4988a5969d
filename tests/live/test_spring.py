"""A Spring Boot 3 resource server."""

from __future__ import annotations

from typing import Final

import pytest

from benchmarks.live import spring
from tests.live.checks import check
from tests.live.conftest import Drives

_NOTHING: Final = "at DEBUG nothing but the request is logged; the reason is at TRACE and in the challenge"
_ONE_TEXT: Final = "one text for this and the cause that is answered; only the token tells them apart"
UNTOLD: Final = {
    "token-absent": _NOTHING,
    "token-empty": _NOTHING,
    "scheme-basic": _NOTHING,
    "scheme-doubled": _NOTHING,
    "scheme-absent": _NOTHING,
    "scheme-token": _NOTHING,
    "scheme-colon": _NOTHING,
    "scheme-quotes": _NOTHING,
    "token-padded": _NOTHING,
    "iss-staging": "the key is looked for before the issuer is read, and is not there",
    "iss-missing": _ONE_TEXT,
    "aud-missing": _ONE_TEXT,
    "token-cut-signature": _ONE_TEXT,
    "token-cut-claims": _ONE_TEXT,
    "token-opaque": _ONE_TEXT,
    "token-id": _ONE_TEXT,
    "token-refresh": _ONE_TEXT,
    "exp-text": _ONE_TEXT,
    "aud-object": _ONE_TEXT,
    "alg-hs256-public-key": _ONE_TEXT,
    "alg-ps256": _ONE_TEXT,
}


@pytest.mark.live(spring.GATEWAY)
def test_spring_security_at_debug(drives: Drives) -> None:
    """Without the token its words alone are read, as far as they reach."""
    check(spring.GATEWAY, drives, UNTOLD)


@pytest.mark.live(spring.WITH_ACCESS_LOG)
def test_the_access_log_of_the_embedded_tomcat(drives: Drives) -> None:
    """With the token and the challenge in the access log every cause is told."""
    check(spring.WITH_ACCESS_LOG, drives)
