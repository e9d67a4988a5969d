"""Apache httpd 2.4 with mod_auth_openidc."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.live import apache
from tests.live.checks import check


@pytest.mark.live
def test_apache_with_mod_auth_openidc(tmp_path: Path) -> None:
    """Error and access log, joined by the request's log id, tell every cause."""
    check(apache.GATEWAY, tmp_path)
