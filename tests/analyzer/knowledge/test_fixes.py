"""What to change: specific before general, a setting by its name, and nothing harmful in what is pasted."""

import ast
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from analyzer.diagnosis.claims import TYPES
from analyzer.diagnosis.form import BROKEN
from analyzer.diagnosis.near import difference
from analyzer.diagnosis.scheme import WRONG
from analyzer.diagnosis.use import WRONG_USES
from analyzer.knowledge.fix_files import PLACEHOLDERS, FixEntry, fix_entries, near_fix_entries, pieces
from analyzer.knowledge.fixes import FIXES, entries_for, fixes_for, is_for, is_harmless
from analyzer.knowledge.products import relatives
from analyzer.knowledge.signatures import signatures
from analyzer.taxonomy import CODES
from analyzer.verdicts import Verdict
from collector.settings import ALGORITHMS, IssuerSettings, Settings
from tests.cases import failing
from tests.tokens import ISSUER, now, token
from why401.explainer import Explainer

GATEWAYS = (
    "envoy", "istio", "kong", "nginx", "apisix", "traefik", "haproxy", "spring", "azure-apim", "aws-api-gateway",
    "apache", "oauth2-proxy", "tyk", "krakend", "caddy",
    "apinto",
)  # fmt: skip
LIBRARIES = (
    "PyJWT", "jsonwebtoken", "jose", "nimbus-jose-jwt", "spring-security", "golang-jwt", "go-jose", "go-oidc",
    ".NET IdentityModel", "aspnetcore", "jjwt", "java-jwt", "firebase/php-jwt",
)  # fmt: skip
# A word in the shape of a setting: with _ - . : or digits inside, camelCase, a --flag, a call, letters in capitals.
NAMED = re.compile(r"--[a-z]|\w[._:-]\w|\b[a-z]+[A-Z]|[A-Z][a-z]+[A-Z]|\w\(|\b[A-Z]{3,}[a-z]")
# Nothing can be set there; the fix says what else to do.
NOTHING_TO_SET = {
    ("clock_skew", "istio"): "jwtRules have no leeway",
    ("token_use_invalid", "lua-resty-jwt"): "the value of typ is compared in the code",
}
KNOWN = dict.fromkeys(PLACEHOLDERS, "https://id.example.com/")


def filled(text: str, values: dict[str, str]) -> str:
    """A snippet as it is shown."""
    return "".join(
        literal + (name and (values.get(name) or words or f"YOUR_{name.upper()}"))
        for literal, name, words in pieces(text)
    )


def codes_of(kind: str) -> dict[str, set[str]]:
    """Gateway or library -> every code that one of its signatures has: its own, those beside it, those by a hole."""
    found: dict[str, set[str]] = defaultdict(set)
    for signature in signatures():
        if (kind == "gateway") != bool(signature.gateway):
            continue
        first = {codes[0] for _, _, codes in signature.by}
        found[signature.gateway or signature.library] |= {signature.code, *signature.also} | first
    return found


def own(kind: str, name: str, code: str) -> FixEntry | None:
    """The entry for this code at this gateway or library, or at the next one whose facts hold for it."""
    for near in relatives(kind, name):
        if found := [row for row in fix_entries() if row.code == code and getattr(row, kind) == near]:
            return found[0]
    return None


@pytest.mark.parametrize(("kind", "names"), [("gateway", GATEWAYS), ("library", LIBRARIES)])
def test_every_code_that_they_can_produce_has_a_setting_of_theirs(kind, names):
    """The matrix of code and gateway (library) is whole: a new signature without a fix fails here."""
    codes = codes_of(kind)
    cells = [(name, code) for name in names for code in sorted(codes[name])]
    assert all(codes[name] for name in names)
    assert [cell for cell in cells if own(kind, *cell) is None] == []


def test_every_fix_of_a_gateway_or_library_names_a_setting():
    """Words alone help nobody: a snippet, or a name in the shape of a setting, a function or a parameter."""
    rows = [row for row in fix_entries() if (row.gateway or row.library) and not row.snippet]
    bare = {(row.code, row.gateway or row.library) for row in rows if not NAMED.search(row.says)}
    assert bare == NOTHING_TO_SET.keys()


def test_no_two_fixes_of_one_code_say_the_same():
    """A text that fits two gateways belongs into the general fix."""
    said = [(row.code, row.says, row.snippet) for row in fix_entries()]
    assert len(said) == len(set(said))


def test_one_fix_for_one_cell():
    """A gateway or library has one fix for one code and discriminant, so that none hides behind another."""
    rows = fix_entries()
    cells = [(row.code, row.gateway, row.library, when) for row in rows for when in row.when or ("any",)]
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
    rows = [row for row in fix_entries() if row.format == language]
    assert rows
    for row in rows:
        text = filled(row.snippet, values)
        assert PARSERS[language](text) is not False, row


def test_no_snippet_is_left_without_its_brackets():
    """Brackets are balanced in every language, also in those that Python cannot parse."""
    for row in fix_entries():
        text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', filled(row.snippet, KNOWN))
        assert [text.count(mark) for mark in "([{"] == [text.count(mark) for mark in ")]}"], row


def test_the_gateways_own_setting_comes_first():
    """Envoy's fix names Envoy's setting, and the general one follows."""
    fixes = fixes_for("clock_skew", "envoy")
    assert "clock_skew_seconds" in fixes[0].says
    assert fixes[-1] == fixes_for("clock_skew")[0]


def test_gateway_then_library_then_general():
    """In this order at every code, whatever the order of the files, but for a general one that comes first."""
    assert failing(((code, code) for code in CODES), _check_order, at_least=49) == {}


def _check_order(code):
    (general,) = fixes_for(code)
    nginx, pyjwt = ([fix for fix in fixes_for(code, *owner) if fix != general] for owner in (("nginx",), ("", "PyJWT")))
    first = [general] * entries_for(code)[0].first
    assert list(fixes_for(code, "nginx", "PyJWT")) == [*first, *nginx, *pyjwt, *[general] * (not first)]


@pytest.mark.parametrize("name", ["envoy", "kong", "spring", "nginx"])
def test_nobody_is_told_first_to_accept_another_audience(name):
    """A token for another API is repaired where it is requested; the gateway's setting follows, for another name of this API."""
    fixes = fixes_for("audience_mismatch", name, "", {"audience": "orders-api-v2", "expected_audience": "orders-api"})
    assert fixes[0].says.startswith("Request the token for orders-api ")
    assert len(fixes) > 1


def test_the_nearest_relative_speaks_alone():
    """Istio's own fix is not followed by Envoy's: the library and the general one have the places."""
    fixes = fixes_for("issuer_not_trusted", "istio", "PyJWT", {"issuer": ISSUER})
    assert ["RequestAuthentication", "jwt.decode"] == [
        next(word for word in ("RequestAuthentication", "JwtProvider", "jwt.decode") if word in fix.says)
        for fix in fixes[:2]
    ]
    assert len(fixes) == FIXES


def test_a_gateway_without_fixes_falls_back_to_its_parent():
    """Envoy Gateway has Envoy's fixes where it has none of its own."""
    assert fixes_for("header_too_large", "contour")[0] == fixes_for("header_too_large", "envoy")[0]


def test_the_librarys_own_setting_is_named():
    """PyJWT's leeway is PyJWT's to set."""
    assert any("leeway" in fix.says for fix in fixes_for("clock_skew", "", "PyJWT"))


def test_fixes_are_one_to_three_everywhere():
    """Every code has something to do at every gateway."""
    counts = {(code, name): len(fixes_for(code, name, "PyJWT")) for code in CODES for name in GATEWAYS}
    assert {cell: count for cell, count in counts.items() if not 1 <= count <= FIXES} == {}
    assert len(counts) >= 735


def test_known_values_are_filled_in():
    """A fix speaks of this issuer, not of issuers."""
    fixes = fixes_for("issuer_not_trusted", "envoy", "", {"issuer": "https://id.example.com/"})
    assert "https://id.example.com/" in fixes[0].says
    assert "the token's issuer" not in fixes[0].says


@pytest.mark.parametrize(
    "value",
    ["", "x" * 201, "a b", 'a"b', "a;rm", "a\nb", "<script>", "a`b`", "$(id)", "{issuer}", "https://id/?token=1", "é"],
)
def test_other_values_are_not_pasted(value):
    """A value that could break a configuration or a page is left out, in near misses too."""
    for near_miss in ("", "trailing slash too many"):
        fixes = fixes_for("issuer_not_trusted", "envoy", "", {"issuer": value}, near_miss)
        assert "the token's issuer" in fixes[0].says
        assert not value or value not in fixes[0].says


def test_an_unknown_gateway_gets_the_general_fix():
    """Names that nobody knows are no reason for silence."""
    assert fixes_for("token_expired", "acme-gateway", "acme-jwt") == fixes_for("token_expired")


IDP = "https://idp.example.com/"
NEAR = [
    (IDP, IDP[:-1], "Change the gateway"),
    (IDP[:-1], IDP, "Change the gateway"),
    (IDP.upper(), IDP, "Change the gateway"),
    (IDP + " ", IDP, "Change the gateway"),
    ("https://idp.example.cøm/", IDP, "Change nothing yet"),
    (IDP.replace("https", "http"), IDP, "Change the issuer"),
    (IDP, IDP.replace("https", "http"), "Change the gateway"),
    ("idp.example.com", IDP, "Change the issuer"),
    ("https://idp.example.com:8443/", IDP, "Change the issuer"),
    ("https://kc.example.com/realms/staging", "https://kc.example.com/realms/prod", "Change the client"),
    ("https://idp.dev.example.com/", "https://idp.prod.example.com/", "Change the client"),
    ("https://kc.example.com/auth/realms/a", "https://kc.example.com/realms/a", "Change the gateway"),
    ("https://sts.windows.net/t/", "https://login.microsoftonline.com/t/v2.0", "Change the application"),
    ("https://login.microsoftonline.com/t", "https://login.microsoftonline.com/t/v2.0", "Change the application"),
    ("https://kc.internal/a", "https://kc.example.com/a", "Change the issuer"),
    ("https://a.example.com/x/one", "https://a.example.com/x/two", "Compare"),
    ("https://a.example.com/", "https://b.example.com/", "Compare"),
]


@pytest.mark.parametrize(("received", "expected", "side"), NEAR)
def test_a_near_issuer_says_which_side_to_change(received, expected, side):
    """Gateway, issuer or client: the fix names the side, and both values unless they are unsafe to paste."""
    near = difference(received, expected)
    assert near
    values = {"issuer": received, "expected_issuer": expected}
    first = fixes_for("issuer_not_trusted", "envoy", "", values, near.key)[0]
    assert first.says.startswith(side)
    assert expected in first.says


@pytest.mark.parametrize("code", ["issuer_not_trusted", "audience_mismatch"])
def test_every_near_miss_has_its_fix(code):
    """Every difference that near.py reports has an entry that names the side to change."""
    known = [near for row in near_fix_entries() if row.entry.code == code for near in row.near]
    for received, expected, _ in NEAR:
        near = difference(received, expected)
        assert near
        assert near.key.startswith(tuple(known))


def test_the_setting_is_named_as_the_gateway_calls_it():
    """Envoy's provider, Istio's rule, and "the gateway's issuer setting" where the gateway is not known."""
    values = {"issuer": IDP, "expected_issuer": IDP[:-1]}
    for gateway, setting in (
        ("istio", "jwtRules"),
        ("contour", "providers.NAME.issuer"),
        ("acme", "the gateway's issuer setting"),
    ):
        fixes = fixes_for("issuer_not_trusted", gateway, "", values, "trailing slash too many")
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
        f"Change the gateway: set providers.NAME.issuer of jwt_authn to {ISSUER}, with the trailing slash"
    )
    assert f"instead of {ISSUER.rstrip('/')}" in fixes[0]


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


# Every discriminant that a rule of analyzer/diagnosis gives a finding; where it names a claim, an alg or a value, examples.
DISCRIMINANTS = {
    "token_missing": ("absent", "empty", "header:x-access-token", "redirect to login"),
    "credential_ambiguous": ("several",),
    "scheme_invalid": (*WRONG,),
    "token_malformed": ("null", "placeholder", "percent-encoded", "no signature part", "padding", "standard_base64",
                        "header_duplicate_member", "payload_duplicate_member", *BROKEN),
    "token_truncated": ("cut", "signature"),
    "jwe_unsupported": ("RSA-OAEP/A256GCM",),
    "header_unsupported": ("crit exp", "crit exp,b64", "b64", "zip", "typ at+jwt"),
    "alg_not_allowed": (*ALGORITHMS, "HS999"),
    "key_type_mismatch": ("ES256",),
    "issuer_not_trusted": ("unknown issuer", "renamed issuer", "trailing slash missing", "host name"),
    "audience_mismatch": ("api://orders", "trailing slash missing"),
    "key_not_found": ("stale key set", "stale at some instances", "kid not published", "no kid"),
    "signature_invalid": ("unpadded", "made up", "der", "signature"),
    "jwks_invalid": ("no usable key",),
    "token_expired": ("expired",),
    "clock_skew": ("nbf", "iat"),
    "token_too_old": ("lifetime",),
    "claim_representation": ("milliseconds", "exp milliseconds", "iat milliseconds", "iat fractional", "aud list",
                             "scope list", "scp list", "scope array", "scp array", "scp instead of scope", "roles string", "roles array", "groups array",
                             "nbf milliseconds", "address object"),
    "claim_type_invalid": (*TYPES,),
    "claim_value_invalid": ("sub", "exp", "nbf", "iat", "iss", "aud", "email"),
    "claim_missing": ("exp", "iat", "nbf", "jti", "tenant"),
    "user_claim_missing": ("sub", "email"),
    "token_use_invalid": ("a token for Microsoft Graph", *WRONG_USES.values()),
    "scope_insufficient": ("orders:read", "scope"),
    "access_denied": ("admins-only",),
    "claim_not_allowed": ("tenant-acme",),
    "source_denied": ("office-network",),
    "consumer_not_found": ("key", "password"),
}  # fmt: skip
PAIRS = [(code, found) for code, some in DISCRIMINANTS.items() for found in dict.fromkeys(some)]


@pytest.mark.parametrize(("code", "discriminant"), PAIRS)
def test_no_fix_is_for_another_discriminant(code, discriminant):
    """At every gateway and library what is shown is written for this discriminant, and first, or for any."""
    for gateway in ("", *GATEWAYS):
        for library in ("", *LIBRARIES):
            found = entries_for(code, gateway, library, discriminant)
            assert [entry for entry in found if entry.when and not is_for(entry, discriminant)] == []
            assert sorted(found, key=lambda entry: not entry.when) == list(found)


@pytest.mark.parametrize(("code", "discriminant"), PAIRS)
def test_the_fix_for_a_discriminant_comes_first(code, discriminant):
    """An entry that is written for the discriminant is the first that its gateway or library shows."""
    fitting = [row for row in fix_entries() if row.code == code and is_for(row, discriminant)]
    for row in fitting:
        assert entries_for(code, row.gateway, row.library, discriminant)[0] == row


def test_no_entry_waits_for_a_discriminant_that_no_rule_gives():
    """A misspelt `when` would never be shown."""
    idle = [
        (row.code, pattern)
        for row in fix_entries()
        for pattern in row.when
        if not any(fnmatchcase(found, pattern) for found in ("", *DISCRIMINANTS.get(row.code, ())))
    ]
    assert idle == []


def test_the_table_knows_every_discriminant_of_the_rules():
    """A new `discriminant="…"` in a rule needs its line above, and perhaps a fix of its own."""
    rules = Path(__file__).parents[3] / "analyzer" / "diagnosis"
    literals = {
        found for file in rules.glob("*.py") for found in re.findall(r'discriminant="([^"]+)"', file.read_text("utf-8"))
    }
    known = {text for some in DISCRIMINANTS.values() for text in some}
    assert literals
    assert {text.strip() for text in literals} - known - {"crit"} == set()


BEARER_TWICE = {
    "method": "GET",
    "path": "/orders",
    "response_code": 401,
    "response_code_details": "jwt_authn_access_denied{Jwt_is_missing}",
}


def test_the_readmes_example_says_to_send_the_scheme_once():
    """`Bearer Bearer eyJ…` at Envoy: the fix for the doubled word comes first, and no snippet for a lower-case one."""
    at = datetime.fromtimestamp(now(), UTC).isoformat()
    record = {**BEARER_TWICE, "start_time": at, "authorization": f"Bearer Bearer {token()}"}
    found = Explainer(Settings()).explain(json.dumps(record)).diagnosis
    assert found is not None
    assert found.code == "scheme_invalid"
    assert found.fix[0].says.startswith("Send the scheme once")
    assert not [fix for fix in found.fix if '"bearer ' in fix.says]


def test_a_lower_case_scheme_at_envoy_has_the_snippet_for_it():
    """The same code with the other discriminant: Envoy's value_prefix for `bearer`."""
    fixes = fixes_for("scheme_invalid", "envoy", discriminant="scheme_case")
    assert 'value_prefix: "bearer "' in fixes[0].says


# The first line of a fix is its sentence. `<token>` is how RFC 6750 writes a header, and no value.
TEMPLATE = re.compile(r"<(?!token>)\w+>|YOUR_|\b(?:ISSUER|AUDIENCE|CLAIM|KID|ALG|SCOPE)\b")


@pytest.mark.parametrize("values", [{}, KNOWN], ids=["unknown values", "known values"])
def test_no_sentence_reads_as_a_template(values):
    """Where a value is not known the sentence uses words: "the token's audience", never `<audience>`."""
    for names in (("", ""), *((name, "") for name in GATEWAYS), *(("", name) for name in LIBRARIES)):
        for code, discriminant in (*((code, "") for code in CODES), *PAIRS):
            for fix in fixes_for(code, *names, values, "", discriminant):
                assert not TEMPLATE.search(fix.says.split("\n")[0]), fix


def test_every_sentence_is_a_sentence():
    """It begins with a capital letter and ends with a full stop (nginx directives end with their semicolon)."""
    wrong = [row.says for row in fix_entries() if not row.says[0].isupper() or row.says[-1] not in ".;)"]
    assert wrong == []


# What a source may be: an RFC, a page with its path, or a file of a repository with its version; then names in it.
SOURCES = (
    re.compile(r"RFC \d{4}(?: sections? \d[\d.]*(?:(?:, | and | to )\d[\d.]*)*)?(?:, \w+)?"),
    re.compile(r"(?:OpenID Connect [^,]+ section \d[\d.]*, )?(?:[a-z0-9-]+\.)+[a-z]{2,}/[^\s,]+(?: [\w$][\w ,.$()-]*)?"),
    re.compile(r"[\w.-]+/[\w.-]+ (?:v[\d.]+/[\w./-]+\.\w+|[\w./-]+\.\w+ (?:@[0-9a-f]{7,40}|v?\d[\d.]*))(?: [\w*][\w ,.()-]*)?"),
)  # fmt: skip


def test_every_source_can_be_looked_up():
    """A source is a place: "RFC 6750 section 2.1", "nginx.org/en/docs/…#auth_jwt", "golang-jwt/jwt parser.go v5.3"."""
    docs = Path(__file__).parents[3] / "docs"
    own = {f"docs/{file.name}" for file in docs.glob("*.md")}
    sources = {
        part
        for row in (*fix_entries(), *(near.entry for near in near_fix_entries()))
        for part in row.source.split("; ")
    }
    assert [part for part in sorted(sources - own) if not any(kind.fullmatch(part) for kind in SOURCES)] == []


CORPUS = Path(__file__).parents[4] / "shared" / "corpus"
# What a reader finds in a message without any signature; the fix must not do worse.
ORACLES = {
    "kid": re.compile(r"\bkid\"?(?:=|: ?)[\"']?([\w-]+)"),
    "audience": re.compile(r"\baud=([\w:/.-]+)"),
    "issuer": re.compile(r"\biss=([\w:/.-]+)"),
}
PAIR = re.compile(r"expected '([\w:/.-]+)', got '([\w:/.-]+)'", re.IGNORECASE)
OF_PAIR = {"issuer_not_trusted": ("expected_issuer", "issuer"), "audience_mismatch": ("expected_audience", "audience")}


def shown_gaps(verdict: Verdict) -> list[str]:
    """Placeholders that a shown fix leaves open although the token or the message holds the value."""
    assert verdict.diagnosis is not None
    facts, words = verdict.event.token, verdict.event.words
    text = f"{words.reason} {words.message}"[:2_000]
    present = {"kid": facts.kid, "issuer": facts.iss, "alg": facts.alg, "audience": next(iter(facts.aud), "")}
    for name, pattern in ORACLES.items():
        if match := pattern.search(text):
            present[name] = match[1]
    if match := PAIR.search(text):
        present |= dict(zip(OF_PAIR.get(verdict.diagnosis.code, ()), match.groups(), strict=False))
    names = [name for name, value in present.items() if is_harmless(value) and value.lower() not in ("null", "none")]
    shown = "\n".join(fix.says for fix in verdict.diagnosis.fix)
    return [
        name for name in names if f"<{name}>" in shown or f"YOUR_{name.upper()}" in shown or PLACEHOLDERS[name] in shown
    ]


@pytest.mark.parametrize("name", ["public", "gateways", "libraries"])
def test_no_value_that_is_there_is_left_out_of_a_fix(name):
    """Over the corpora: what the token or the message holds stands in the fix that speaks of it."""
    file = CORPUS / f"{name}.jsonl"
    if not file.exists():
        pytest.skip(f"no {name} corpus on this machine")
    assert_no_gaps(record for line in file.open(encoding="utf-8") for record in raw_of(json.loads(line)["raw"]))


def test_no_value_of_the_gateways_fixtures_is_left_out_of_a_fix():
    """The same over the records that the parsers are tested with."""
    files = (Path(__file__).parents[2] / "fixtures" / "gateways").glob("*/*.json")
    records = [json.loads(file.read_text("utf-8"))["record"] for file in files]
    assert_no_gaps(record["text"] for record in records if record.get("text"))


def raw_of(raw: object) -> list[str]:
    """The records of a corpus case: one, or several lines."""
    return [one if isinstance(one, str) else json.dumps(one) for one in (raw if isinstance(raw, list) else [raw])]


def assert_no_gaps(records: Iterable[str]) -> None:
    """Explain every record and look at what its fixes leave open."""
    explainer = Explainer(Settings())
    seen, left = 0, []
    for record in records:
        verdict = explainer.explain(record)
        if verdict.diagnosis and verdict.diagnosis.fix:
            seen += 1
            left += [(record[:200], name) for name in shown_gaps(verdict)]
    assert seen
    assert left == []


MESSAGES = [
    ("Invalid issuer. Expected https://a.example.com/, received https://b.example.com/", "https://b.example.com/"),
    ('oidc: expected audience "orders" got ["billing"]', "billing"),
    ("audience mismatch: expected 'api://orders', got 'api://billing'", "api://billing"),
    ('failed to find key with key ID "k-17" in key set', "k-17"),
    ("IDX10501: Signature validation failed. Unable to match key:\\nkid: 'k-18'.", "k-18"),
    ("json: cannot unmarshal number into Go struct field idToken.sub of type string", "sub"),
    ('Token is missing the "tenant" claim', "tenant"),
]


@pytest.mark.parametrize(("message", "value"), MESSAGES, ids=[value for _, value in MESSAGES])
def test_values_of_the_message_are_named(message, value):
    """The value that the gateway reports is in its fix, whether a signature has a hole for it or not."""
    found = Explainer(Settings()).explain(message).diagnosis
    assert found is not None
    assert value in "\n".join(fix.says for fix in found.fix)


def test_the_api_of_several_audiences_is_the_one_to_accept():
    """Keycloak's default audience and the client itself are not what the gateway should accept."""
    _, fixes = explain(
        Settings(issuers=(IssuerSettings(issuer=ISSUER, audiences=("api://orders",)),)),
        aud=["account", "billing", "shop-app"],
        azp="shop-app",
    )
    assert any("billing" in fix for fix in fixes)
    assert not any("account" in fix for fix in fixes)
