"""What to change: specific before general, a setting by its name, and nothing harmful in what is pasted."""

import ast
import json
import re
import tomllib
from collections import defaultdict
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
import yaml

from analyzer.diagnosis.near import difference
from analyzer.knowledge.fix_files import PLACEHOLDERS, Remedy, near_remedies, remedies
from analyzer.knowledge.fixes import FIXES, remedies_for
from analyzer.knowledge.products import relatives
from analyzer.knowledge.signatures import signatures
from analyzer.taxonomy import CODES
from collector.settings import IssuerSettings, Settings
from tests.cases import failing
from tests.tokens import ISSUER, now, token
from why401.explainer import Explainer

GATEWAYS = (
    "envoy", "istio", "kong", "nginx", "apisix", "traefik", "haproxy", "spring", "azure-apim", "aws-api-gateway",
    "apache", "oauth2-proxy", "tyk", "krakend", "caddy",
)  # fmt: skip
LIBRARIES = (
    "PyJWT", "jsonwebtoken", "jose", "nimbus-jose-jwt", "spring-security", "golang-jwt", "go-jose", "go-oidc",
    ".NET IdentityModel", "aspnetcore", "jjwt", "java-jwt", "firebase/php-jwt",
)  # fmt: skip
# A word in the shape of a setting: with _ - . : or digits inside, camelCase, a --flag, a call, letters in capitals.
NAMED = re.compile(r"--[a-z]|\w[._:-]\w|\b[a-z]+[A-Z]|[A-Z][a-z]+[A-Z]|\w\(|\b[A-Z]{3,}[a-z]")
# Nothing can be set there; the remedy says what else to do.
NOTHING_TO_SET = {
    ("clock_skew", "istio"): "jwtRules have no leeway",
    ("token_use_invalid", "lua-resty-jwt"): "the value of typ is compared in the code",
}
KNOWN = dict.fromkeys(PLACEHOLDERS, "https://id.example.com/")


def codes_of(kind: str) -> dict[str, set[str]]:
    """Gateway or library -> every code that one of its signatures has: its own, those beside it, those by a hole."""
    found: dict[str, set[str]] = defaultdict(set)
    for signature in signatures():
        if (kind == "gateway") != bool(signature.gateway):
            continue
        first = {codes[0] for _, _, codes in signature.by}
        found[signature.gateway or signature.library] |= {signature.code, *signature.also} | first
    return found


def own(kind: str, name: str, code: str) -> Remedy | None:
    """The remedy for this code at this gateway or library, or at the next one whose facts hold for it."""
    for near in relatives(kind, name):
        if found := [row for row in remedies() if row.code == code and getattr(row, kind) == near]:
            return found[0]
    return None


@pytest.mark.parametrize(("kind", "names"), [("gateway", GATEWAYS), ("library", LIBRARIES)])
def test_every_code_that_they_can_produce_has_a_setting_of_theirs(kind, names):
    """The matrix of code and gateway (library) is whole: a new signature without a remedy fails here."""
    codes = codes_of(kind)
    cells = [(name, code) for name in names for code in sorted(codes[name])]
    assert all(codes[name] for name in names)
    assert [cell for cell in cells if own(kind, *cell) is None] == []


def test_every_remedy_of_a_gateway_or_library_names_a_setting():
    """Words alone help nobody: a snippet, or a name in the shape of a setting, a function or a parameter."""
    rows = [row for row in remedies() if (row.gateway or row.library) and not row.snippet]
    bare = {(row.code, row.gateway or row.library) for row in rows if not NAMED.search(row.says)}
    assert bare == NOTHING_TO_SET.keys()


def test_no_two_remedies_of_one_code_say_the_same():
    """A text that fits two gateways belongs into the general remedy."""
    said = [(row.code, row.says, row.snippet) for row in remedies()]
    assert len(said) == len(set(said))


def test_one_remedy_for_one_cell():
    """A gateway or library says one thing for one code, so that nothing hides behind it."""
    cells = [(row.code, row.gateway, row.library) for row in remedies()]
    assert [cell for cell in set(cells) if cells.count(cell) > 1] == []


PARSERS = {
    "yaml": yaml.safe_load,
    "json": json.loads,
    "toml": tomllib.loads,
    "python": ast.parse,
    "xml": lambda text: ET.fromstring(f"<policies>{text}</policies>"),
    "properties": lambda text: all("=" in line for line in text.splitlines()) or pytest.fail("a line without ="),
    "nginx": lambda text: (
        all(line.rstrip()[-1] in ";{}" for line in text.splitlines()) or pytest.fail("a line without ;")
    ),
}


@pytest.mark.parametrize("values", [{}, KNOWN], ids=["unknown values", "known values"])
@pytest.mark.parametrize("language", PARSERS)
def test_snippets_parse(language, values):
    """What is called YAML, JSON, TOML, XML or Python can be pasted as such, whether or not the values are known."""
    rows = [row for row in remedies() if row.format == language]
    assert rows
    for row in rows:
        text = row.snippet.format(**{name: values.get(name, "_") for name in PLACEHOLDERS})
        assert PARSERS[language](text) is not False, row


def test_no_snippet_is_left_without_its_brackets():
    """Brackets are balanced in every language, also in those that Python cannot parse."""
    for row in remedies():
        text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', row.snippet.format(**KNOWN))
        assert [text.count(mark) for mark in "([{"] == [text.count(mark) for mark in ")]}"], row


def test_the_gateways_own_setting_comes_first():
    """Envoy's fix names Envoy's setting, and the general one follows."""
    fixes = remedies_for("clock_skew", "envoy")
    assert "clock_skew_seconds" in fixes[0].says
    assert fixes[-1] == remedies_for("clock_skew")[0]


def test_gateway_then_library_then_general():
    """In this order at every code, whatever the order of the files."""
    assert failing(((code, code) for code in CODES), _check_order, at_least=49) == {}


def _check_order(code):
    general = remedies_for(code)[-1]
    nginx, pyjwt = remedies_for(code, "nginx")[:-1], remedies_for(code, "", "PyJWT")[:-1]
    assert remedies_for(code, "nginx", "PyJWT") == (*nginx, *pyjwt, general)


def test_the_nearest_relative_speaks_alone():
    """Istio's own fix is not followed by Envoy's: the library and the general one have the places."""
    fixes = remedies_for("issuer_not_trusted", "istio", "PyJWT", {"issuer": ISSUER})
    assert ["RequestAuthentication", "jwt.decode"] == [
        next(word for word in ("RequestAuthentication", "JwtProvider", "jwt.decode") if word in fix.says)
        for fix in fixes[:2]
    ]
    assert len(fixes) == FIXES


def test_a_gateway_without_remedies_falls_back_to_its_parent():
    """Envoy Gateway has Envoy's fixes where it has none of its own."""
    assert remedies_for("header_too_large", "contour")[0] == remedies_for("header_too_large", "envoy")[0]


def test_the_librarys_own_setting_is_named():
    """PyJWT's leeway is PyJWT's to set."""
    assert any("leeway" in fix.says for fix in remedies_for("clock_skew", "", "PyJWT"))


def test_fixes_are_one_to_three_everywhere():
    """Every code has something to do at every gateway."""
    counts = {(code, name): len(remedies_for(code, name, "PyJWT")) for code in CODES for name in GATEWAYS}
    assert {cell: count for cell, count in counts.items() if not 1 <= count <= FIXES} == {}
    assert len(counts) >= 735


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
    """A value that could break a configuration or a page stays a named gap, in near misses too."""
    for near_miss in ("", "trailing slash too many"):
        fixes = remedies_for("issuer_not_trusted", "envoy", "", {"issuer": value}, near_miss)
        assert "<issuer>" in fixes[0].says
        assert not value or value not in fixes[0].says


def test_an_unknown_gateway_gets_the_general_fix():
    """Names that nobody knows are no reason for silence."""
    assert remedies_for("token_expired", "acme-gateway", "acme-jwt") == remedies_for("token_expired")


IDP = "https://idp.example.com/"
NEAR = [
    (IDP, IDP[:-1], "Change the verifier"),
    (IDP[:-1], IDP, "Change the verifier"),
    (IDP.upper(), IDP, "Change the verifier"),
    (IDP + " ", IDP, "Change the verifier"),
    ("https://idp.example.cøm/", IDP, "Change neither side"),
    (IDP.replace("https", "http"), IDP, "Change the issuer"),
    (IDP, IDP.replace("https", "http"), "Change the verifier"),
    ("idp.example.com", IDP, "Change the issuer"),
    ("https://idp.example.com:8443/", IDP, "Change the issuer"),
    ("https://kc.example.com/realms/staging", "https://kc.example.com/realms/prod", "Change the client"),
    ("https://idp.dev.example.com/", "https://idp.prod.example.com/", "Change the client"),
    ("https://kc.example.com/auth/realms/a", "https://kc.example.com/realms/a", "Change the verifier"),
    ("https://sts.windows.net/t/", "https://login.microsoftonline.com/t/v2.0", "Change the application"),
    ("https://login.microsoftonline.com/t", "https://login.microsoftonline.com/t/v2.0", "Change the application"),
    ("https://kc.internal/a", "https://kc.example.com/a", "Change the issuer"),
    ("https://a.example.com/x/one", "https://a.example.com/x/two", "Compare"),
    ("https://a.example.com/", "https://b.example.com/", "Compare"),
]


@pytest.mark.parametrize(("received", "expected", "side"), NEAR)
def test_a_near_issuer_says_which_side_to_change(received, expected, side):
    """Verifier, issuer or client: the fix names the side, and both values unless they are unsafe to paste."""
    near_miss = difference(received, expected)
    first = remedies_for(
        "issuer_not_trusted", "envoy", "", {"issuer": received, "expected_issuer": expected}, near_miss
    )[0]
    assert near_miss
    assert first.says.startswith(side)
    assert expected in first.says


@pytest.mark.parametrize("code", ["issuer_not_trusted", "audience_mismatch"])
def test_every_near_miss_has_its_remedy(code):
    """Whatever near.py calls a difference, somebody said which side to change."""
    told = [near for row in near_remedies() if row.remedy.code == code for near in row.near]
    for received, expected, _ in NEAR:
        assert difference(received, expected).startswith(tuple(told))


def test_the_verifiers_setting_is_named_as_the_gateway_calls_it():
    """Envoy's provider, Tyk's list, and "the verifier's issuer setting" where nobody is known."""
    values = {"issuer": IDP, "expected_issuer": IDP[:-1]}
    for gateway, setting in (("istio", "jwtRules"), ("contour", "providers.NAME.issuer"), ("acme", "the verifier's")):
        fixes = remedies_for("issuer_not_trusted", gateway, "", values, "trailing slash too many")
        assert setting in fixes[0].says
        assert len(fixes) <= FIXES


def explain(settings: Settings, details: str = "-", **claims: object) -> tuple[str, list[str]]:
    """Code and fixes of one Envoy record with a token of these claims."""
    record = {
        "start_time": datetime.fromtimestamp(now(), UTC).isoformat(),
        "method": "GET",
        "path": "/orders",
        "response_code": 403 if "scope" in claims else 401,
        "response_code_details": details,
        "authorization": f"Bearer {token(**claims)}",
    }
    found = Explainer(settings).explain(json.dumps(record)).diagnosis
    assert found is not None
    return found.code, [fix.says for fix in found.fix]


def test_the_issues_example():
    """The token's issuer has a slash that the configuration lacks: add it there, and not at the token."""
    code, fixes = explain(Settings(issuers=(IssuerSettings(issuer=ISSUER.rstrip("/")),)))
    assert code == "issuer_not_trusted"
    assert fixes[0].startswith(
        f"Change the verifier: write {ISSUER}, with the slash at its end, into providers.NAME.issuer of jwt_authn"
    )
    assert f"in place of {ISSUER.rstrip('/')}" in fixes[0]


def test_the_claim_of_the_message_is_the_one_that_is_named():
    """A missing tenant is not a missing user, whatever the configured user claim is."""
    settings = Settings(issuers=(IssuerSettings(issuer=ISSUER, user_claim="email"),))
    code, fixes = explain(settings, 'refused with MissingRequiredClaimError: Token is missing the "tenant" claim')
    assert code == "claim_missing"
    assert any("tenant" in fix for fix in fixes)
    assert not any("email" in fix for fix in fixes)


def test_the_scope_that_lacks_is_named_and_not_one_that_is_there():
    """Asking for what the token has already would send somebody the wrong way."""
    settings = Settings(issuers=(IssuerSettings(issuer=ISSUER, required_scopes=("orders:write",)),))
    code, fixes = explain(settings, "insufficient_scope", scope="orders:read")
    assert code == "scope_insufficient"
    assert any("orders:write" in fix for fix in fixes)
    assert not any("orders:read" in fix for fix in fixes)
