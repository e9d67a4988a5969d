"""Basic authentication at Debian's nginx, with the lines of docs/gateways/nginx.md."""

from __future__ import annotations

import base64
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from benchmarks.live import newcomer, nginx

_HTTP: Final = """\
  server {{
    listen 127.0.0.1:{port};
    location / {{
      auth_basic "orders";
      auth_basic_user_file {users};
      empty_gif;
    }}
  }}
"""
# Credential -> the answer's status.
ASKED: Final = {"": 401, "kim:right": 200, "kim:wrong": 401, "nobody:right": 401}


def status(port: int, credential: str) -> int:
    """Of one request; "" sends none."""
    headers = {"Authorization": f"Basic {base64.b64encode(credential.encode()).decode()}"} if credential else {}
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/orders", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_wrong_password_is_no_wrong_scheme(tmp_path: Path) -> None:
    """No credential, an unknown user and a wrong password are refusals with their own codes; the right one passes."""
    if lacking := nginx.GATEWAY.missing():
        pytest.skip(lacking)
    (tmp_path / "users").write_text("kim:{PLAIN}right\n")
    with nginx.serve(tmp_path, _HTTP, (), users=tmp_path / "users") as running:
        answers = {credential: status(running.port, credential) for credential in ASKED}

    assert answers == ASKED
    # Each may count twice: lines wait for their other half only once both were seen to come (collector/joining/recent.py).
    assert set(newcomer.found(nginx.RECIPE, tmp_path)) == {"token_missing", "consumer_not_found"}
