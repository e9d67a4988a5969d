"""Debian's nginx with auth_request, and with its Lua module and lua-resty-openidc."""

from __future__ import annotations

import pytest

from benchmarks.live import nginx, openresty
from tests.live.checks import check
from tests.live.conftest import Drives


@pytest.mark.live(openresty.GATEWAY)
def test_nginx_with_lua_resty_openidc(drives: Drives) -> None:
    """The library's words from the error log and the token from the access log, joined."""
    check(openresty.GATEWAY, drives)


@pytest.mark.live(nginx.GATEWAY)
def test_nginx_with_auth_request(drives: Drives) -> None:
    """The access log, with the service's challenge in it."""
    check(nginx.GATEWAY, drives)
