"""Debian's nginx with auth_request, and with its Lua module and lua-resty-openidc."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.live import nginx, openresty
from tests.live.checks import check


@pytest.mark.live
def test_nginx_with_lua_resty_openidc(tmp_path: Path) -> None:
    """The library's words from the error log and the token from the access log, joined."""
    check(openresty.GATEWAY, tmp_path)


@pytest.mark.live
def test_nginx_with_auth_request(tmp_path: Path) -> None:
    """The access log, with the service's challenge in it."""
    check(nginx.GATEWAY, tmp_path)
