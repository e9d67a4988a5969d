"""What to change: specific before general, and nothing harmful in what is pasted."""

import pytest

from analyzer.knowledge.remedies import FIXES, remedies_for
from analyzer.taxonomy import CODES


def test_the_gateways_own_setting_comes_first():
    """Envoy's fix names Envoy's setting, and the general one follows."""
    fixes = remedies_for("clock_skew", "envoy")
    assert "clock_skew_seconds" in fixes[0].says
    assert fixes[-1] == remedies_for("clock_skew")[0]


def test_a_gateway_without_remedies_falls_back_to_its_parent():
    """Envoy Gateway has Envoy's fixes where it has none of its own."""
    assert remedies_for("header_too_large", "contour")[0] == remedies_for("header_too_large", "envoy")[0]


def test_the_librarys_own_setting_is_named():
    """PyJWT's leeway is PyJWT's to set."""
    assert any("leeway" in fix.says for fix in remedies_for("clock_skew", "", "PyJWT"))


@pytest.mark.parametrize("gateway", ["envoy", "istio", "haproxy", "nginx", "apache"])
@pytest.mark.parametrize("code", CODES)
def test_fixes_are_one_to_three_everywhere(code, gateway):
    """Every code has something to do at every gateway."""
    assert 1 <= len(remedies_for(code, gateway, "PyJWT")) <= FIXES


def test_known_values_are_filled_in():
    """A fix speaks of this issuer, not of issuers."""
    fixes = remedies_for("issuer_not_trusted", "envoy", "", {"issuer": "https://id.example.com/"})
    assert "https://id.example.com/" in fixes[0].says
    assert "<issuer>" not in fixes[0].says


@pytest.mark.parametrize(
    "value",
    ["", "x" * 201, "a b", 'a"b', "a;rm", "a\nb", "<script>", "a`b`", "$(id)", "{issuer}", "https://id/?token=1", "é"],
)
def test_other_values_are_not_pasted(value):
    """A value that could break a configuration or a page stays a named gap."""
    fixes = remedies_for("issuer_not_trusted", "envoy", "", {"issuer": value})
    assert "<issuer>" in fixes[0].says
    assert not value or value not in fixes[0].says


def test_an_unknown_gateway_gets_the_general_fix():
    """Names that nobody knows are no reason for silence."""
    assert remedies_for("token_expired", "acme-gateway", "acme-jwt") == remedies_for("token_expired")
