"""What joining knows of a gateway is its registration: the engine names none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import collector.joining
from collector.gateways import PARSERS, family_of, has_shared_format, names

MODULES = sorted(Path(collector.joining.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_engine_names_no_gateway(path: Path) -> None:
    """A gateway that shares another's log format says so in its entry of PARSERS, not here."""
    literals = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}

    assert set() == literals & set(names())


def test_lines_like_another_gateways_lead_to_one_family() -> None:
    """A family is the name of a registered gateway that is like no other itself."""
    like = {known.name: known.lines_like for known in PARSERS if known.lines_like}

    assert {"openresty": "nginx", "kong": "nginx", "apisix": "nginx", "apache": "nginx", "generic": "nginx"} == like
    assert {"nginx"} == {family_of(name) for name in like} == {family_of(family_of(name)) for name in like}
    assert "acme" == family_of("acme")


def test_a_format_that_many_products_share_says_so() -> None:
    """nginx's combined line and the guess; a configured format is its operator's own."""
    assert ["nginx", "generic"] == [name for name in (*names(), "acme") if has_shared_format(name)]
