"""`why401 lint`: each rule finds its fault, is silent about what is right, and the output is text or SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from why401.cli import lint as lint_command
from why401.cli import main
from why401.expectations import issuer_facts
from why401.expectations.inputs import Found, read_text
from why401.expectations.lint import RULES, IssuerFacts, lint

RIGHT = """
spring.security.oauth2.resourceserver.jwt.issuer-uri=https://idp.example
spring.security.oauth2.resourceserver.jwt.audiences=orders
"""


def envoy(**provider: Any) -> str:
    one = {
        "issuer": "https://idp.example",
        "audiences": ["orders"],
        "remote_jwks": {"http_uri": {"uri": "https://idp.example/keys"}},
    }
    kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    return json.dumps({"@type": kind, "static_resources": {}, "providers": {"p": one | provider}})


def oathkeeper(scope: str) -> str:
    config = {"trusted_issuers": ["https://idp.example"], "target_audience": ["orders"], "required_scope": [scope]}
    handlers = [{"handler": "jwt", "config": config}]
    return json.dumps([{"id": "r", "match": {"url": "https://api.example/<.*>"}, "authenticators": handlers}])


REALM = json.dumps({
    "realm": "r", "clients": [{"clientId": "c", "protocolMappers": [
        {"protocolMapper": "oidc-audience-mapper", "config": {"included.custom.audience": "stock"}}]}],
    "attributes": {"frontendUrl": "https://idp.example"},
})  # fmt: skip
KRAKEND = json.dumps({"version": 3, "endpoints": [
    {"endpoint": "/a", "extra_config": {"auth/validator": {"alg": "RS265", "issuer": "https://idp.example", "audience": ["orders"]}}},
    {"endpoint": "/b"},
]})  # fmt: skip
RSA = IssuerFacts(issuer="https://idp.example", keys=({"kty": "RSA", "kid": "1", "alg": "RS256"},))


def rules(*texts: str, facts: IssuerFacts | None = None) -> dict[str, str]:
    """Rule → what it says, of the faults in these files."""
    documents = [one for number, text in enumerate(texts) for one in read_text(text, f"file{number}")]
    asked = {"https://idp.example": facts} if facts else None
    return {fault.rule: f"{fault.place.file}: {fault.says}" for fault in lint(Found(documents=tuple(documents)), asked)}


def test_nothing_is_said_of_what_is_right() -> None:
    """Two gateways that agree, with an issuer that answers."""
    assert {} == rules(RIGHT, envoy(), facts=RSA)


@pytest.mark.parametrize(
    ("rule", "texts", "facts", "says"),
    [
        (
            "issuer-spelling",
            (RIGHT, envoy(issuer="https://idp.example/")),
            None,
            "file1: issuer 'https://idp.example/' is",
        ),
        ("issuer-spelling", (RIGHT, envoy(issuer="HTTPS://IDP.example")), None, "byte by byte"),
        (
            "issuer-metadata",
            (RIGHT,),
            IssuerFacts(issuer="https://idp.example/", keys=RSA.keys),
            "metadata says 'https://idp.example/'",
        ),
        ("key-set", (RIGHT,), IssuerFacts(error="timed out"), "the key set does not answer: timed out"),
        ("key-set", (RIGHT,), IssuerFacts(keys=({"kty": "RSA", "use": "enc"},)), "no key for signatures"),
        ("algorithm", (KRAKEND,), None, "'RS265' is no signature algorithm"),
        ("algorithm", (KRAKEND.replace("RS265", "ES256"),), RSA, "ES256 is accepted, but the keys serve RS256"),
        (
            "key-set-cache",
            (envoy(remote_jwks={"http_uri": {"uri": "https://idp.example/k"}, "cache_duration": "172800s"}),),
            None,
            "kept for 172800 s",
        ),
        ("open-route", (KRAKEND,), None, "/b: no auth/validator"),
        (
            "scope-spelling",
            (oathkeeper("orders:read"), oathkeeper("orders.read")),
            None,
            "file1: scope 'orders.read' is 'orders:read'",
        ),
        ("no-clock-skew", (envoy(clock_skew_seconds=0),), None, "clock skew is set to 0"),
        ("any-audience", (envoy(audiences=[]),), None, "any audience is accepted"),
        ("audience-not-issued", (RIGHT, REALM.replace("https://idp.example", "https://idp.example/")), None, "silent"),
        ("key-set-http", (envoy(remote_jwks={"http_uri": {"uri": "http://idp.example/k"}}),), None, "plain http"),
    ],
)
def test_a_fault_is_found(rule: str, texts: tuple[str, ...], facts: IssuerFacts | None, says: str) -> None:
    """One of each kind, with the file in which it stands."""
    found = rules(*texts, facts=facts)

    if says == "silent":  # another issuer: .../realms/r
        assert rule not in found
    else:
        assert says in found[rule]


def test_an_audience_that_no_client_gets_is_found() -> None:
    """The realm's mappers put `stock` into tokens, the service expects `orders`."""
    service = RIGHT.replace("https://idp.example", "https://idp.example/realms/r")

    assert "audience 'orders' is in no token: r issues stock" in rules(service, REALM)["audience-not-issued"]
    assert "audience-not-issued" not in rules(service.replace("orders", "stock"), REALM)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["lint", *args])


def test_exit_status_says_whether_something_is_wrong(tmp_path: Path) -> None:
    """0, 1 from the level on, 2 for what cannot be read."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(RIGHT)
    bad.write_text(KRAKEND)

    assert 0 == run(str(good)).exit_code
    assert 1 == run(str(bad)).exit_code
    assert 1 == run("--fail-on", "note", str(bad)).exit_code
    assert 2 == run(str(tmp_path / "missing")).exit_code


def test_sarif_has_rule_level_and_place(tmp_path: Path) -> None:
    """What code scanning needs to show a fault at its line."""
    file = tmp_path / "envoy.yaml"
    file.write_text(envoy(clock_skew_seconds=0).replace(', "providers"', ',\n "providers"').replace("{", "{ ", 1))

    log = json.loads(run("--format", "sarif", str(file)).stdout)

    result = log["runs"][0]["results"][0]
    assert "2.1.0" == log["version"]
    assert ("no-clock-skew", "warning") == (result["ruleId"], result["level"])
    assert str(file) == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert set(RULES) == {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    assert {one["ruleId"] for one in log["runs"][0]["results"]} <= set(RULES)


def test_annotations_have_level_and_place(tmp_path: Path) -> None:
    """Where the place is a path in the document, the message has it; every line is one command, whatever a value holds."""
    file = tmp_path / "a,b.yaml"
    file.write_text(envoy(clock_skew_seconds=0, issuer="https://idp.example/\n::stop-commands::x"))

    lines = run("--format", "github", "--fail-on", "note", str(file)).stdout.splitlines()

    assert any(line.startswith(f"::warning file={tmp_path}/a%2Cb.yaml,title=no-clock-skew::") for line in lines)
    assert [] == [line for line in lines if not line.startswith(("::error ", "::warning ", "::notice "))]


def test_issuers_are_asked_only_when_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--fetch asks for the metadata and the key set that the files name, and for nothing else."""
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        if url.endswith("openid-configuration"):
            return b'{"issuer": "https://idp.example", "jwks_uri": "https://idp.example/other"}'
        return b'{"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256"}]}'

    monkeypatch.setattr(issuer_facts.ask, "__defaults__", (fetch,))
    file = tmp_path / "file"
    file.write_text(envoy())

    assert 0 == run(str(file)).exit_code
    assert [] == asked
    assert 0 == run("--fetch", str(file)).exit_code
    assert ["https://idp.example/.well-known/openid-configuration", "https://idp.example/keys"] == asked


def test_a_secret_in_a_file_is_not_printed(tmp_path: Path) -> None:
    """A password in the issuer's URL."""
    file = tmp_path / "file"
    file.write_text(envoy(issuer="https://me:hunter2-secret@idp.example") + "")

    output = run(str(file), "--fail-on", "note").output + json.dumps(
        lint_command.sarif(lint(Found(documents=tuple(read_text(file.read_text(), "f")))))
    )

    assert "hunter2" not in output
