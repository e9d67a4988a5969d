"""Configurations of live gateways that few machines can build: what they are started with is read all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.live import caddy, nginx, openresty
from why401.expectations.inputs import read_text
from why401.expectations.told import Expectation

VALUES = {
    "issuer": "https://idp.example",
    "audience": "orders",
    "jwks_url": "http://127.0.0.1:9/keys",
    "upstream": "127.0.0.1:9",
}


def only(text: str) -> Expectation:
    (document,) = read_text(text, "config")
    (expectation,) = document.expectations
    return expectation


@pytest.mark.parametrize("name", ["openresty", "caddy"])
def test_issuer_audience_and_key_set_are_told(name: str, tmp_path: Path) -> None:
    """What the operator of the live test knows."""
    if name == "openresty":
        http = openresty._CONFIG.format(port=8080, library=tmp_path, **VALUES)
        text = nginx._MAIN.format(folder=tmp_path, modules="", log="", http=http)
    else:
        auth = caddy._JWT.format(**VALUES)
        lines = {name: caddy.RECIPE.block(block, tmp_path) for name, block in caddy._BLOCKS.items()}
        text = caddy._CADDYFILE.format(port=8080, auth=auth, upstream=VALUES["upstream"], **lines)

    found = only(text)

    assert found.issuer
    assert found.jwks
    assert ("https://idp.example", ["orders"], "http://127.0.0.1:9/keys") == (
        found.issuer.text, [one.text for one in found.audiences], found.jwks.text,
    )  # fmt: skip


def test_the_leeway_and_algorithm_of_lua_are_told(tmp_path: Path) -> None:
    """set_system_leeway(60), RS256, and exp is validated."""
    http = openresty._CONFIG.format(port=8080, library=tmp_path, **VALUES)
    found = only(nginx._MAIN.format(folder=tmp_path, modules="", log="", http=http))

    assert found.skew_seconds
    assert ("60", ["RS256"], ["exp"]) == (
        found.skew_seconds.text, [one.text for one in found.algorithms], [one.text for one in found.required_claims],
    )  # fmt: skip
