"""Apache httpd 2.4 with mod_auth_openidc."""

from __future__ import annotations

import pytest

from benchmarks.live import apache
from tests.live.checks import check
from tests.live.conftest import Drives


@pytest.mark.live(apache.GATEWAY)
def test_apache_with_mod_auth_openidc(drives: Drives) -> None:
    """Error and access log, joined by the request's log id, tell every cause."""
    check(apache.GATEWAY, drives)
