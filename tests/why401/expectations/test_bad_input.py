"""Whatever is given as a configuration: a sentence with file and place, never a trace, an open socket or an endless wait."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector.settings import load
from why401.cli import main
from why401.expectations import inputs
from why401.expectations.formats import Unreadable
from why401.expectations.inputs import read, read_text

ENVOY = Path(__file__).parent.parent.parent / "fixtures" / "configs" / "envoy" / "bootstrap.yaml"


def init(*args: str, text: str = "") -> Result:
    return CliRunner().invoke(main, ["init", *args], input=text)


def said(text: str) -> str:
    with pytest.raises(Unreadable) as error:
        read_text(text, "given")
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("services:\n  web: {image: nginx}\nvolumes: {}\n", "given: a document with services, volumes is not"),
        ("apiVersion: v9\nkind: Gadget\n", "given: v9 Gadget is not a configuration that why401 reads; it reads"),
        ("spring:\n  security:\n - oauth2: x\n", "given:3: no valid YAML"),
        ("a: {{ .Values.issuer }}\nb: ]\n", "a template: render it first"),
        ('{"version": 3, "endpoints": [', "given:1: no valid JSON"),
        ('[http.routers.a]\nrule = "x', "given: no valid TOML: Unterminated string"),
        ("http {\n  server {\n    listen 80;\n", "no valid nginx configuration"),
        ("<Location /a>\n  AuthType oauth20\n", "given:1: <Location /a> is not closed"),
        ("site.example {\n\tjwtauth {\n}\n", "given:1: a block is not closed"),
        ("just some words about nothing", "given: no configuration"),
        ("a: 1\0b", "given: a binary file"),
        ("", "given: no configuration"),
        ("<policies><inbound></policies>", "given:1: no valid XML"),
        (
            '<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/passwd">]><policies>&e;</policies>',
            "XML with entities or a DTD",
        ),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_what_is_no_configuration_gets_a_sentence(text: str, says: str) -> None:
    """File, place, and what is wrong or read instead."""
    assert says in said(text)


def test_a_bomb_of_aliases_is_read_as_it_stands() -> None:
    """Nothing is expanded: ten levels of ten aliases are a hundred names."""
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))

    assert "is not a configuration" in said(bomb)
    assert 1 == len(read_text(ENVOY.read_text() + bomb, "given"))


def test_a_file_that_is_too_large_is_not_read_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A config_dump of hundreds of megabytes: what to ask for instead."""
    monkeypatch.setattr(inputs, "MAX_BYTES", 1000)
    dump = tmp_path / "dump.json"
    dump.write_text('{"configs": ["' + "x" * 2000 + '"]}')

    with pytest.raises(Unreadable, match=r"/config_dump\?resource="):
        read([str(dump)])


def test_a_folder_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """Files of other programs are named on stderr, the settings are written."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "edge.yaml").write_text(ENVOY.read_text())
    (tmp_path / "in" / "README").write_text("read me")
    (tmp_path / "in" / "logo.png").write_bytes(b"\x89PNG\xff\xfe")
    out = tmp_path / "why401.toml"

    result = init(str(out), "--from", str(tmp_path / "in"))

    assert 0 == result.exit_code, result.output
    assert ["https://id.tickets.example", "https://partner.example/"] == [one.issuer for one in load(out, {}).issuers]
    assert "README: no configuration" in result.stderr
    assert "logo.png: no UTF-8 text" in result.stderr


def test_standard_input_to_standard_output() -> None:
    """`cat envoy.yaml | why401 init - --from -` is a pipe."""
    result = init("-", "--from", "-", text=ENVOY.read_text())

    assert 0 == result.exit_code
    assert 'issuer = "https://id.tickets.example"' in result.stdout
    assert "# stdin:20" in result.stdout


@pytest.mark.parametrize(
    "start",
    [
        '="@(',
        ">@{",
        "<!--",
        "{",
        "- ",
        "map $jwt_claim_iss $v {",
        "http-request ",
        "<Location>\n",
        "[[a]]\n",
        "a:",
        "/*",
        "x jwt_verify(",
    ],
)
def test_no_text_costs_more_than_its_length_allows(start: str) -> None:
    """What begins many times and never ends; a hang limit, no measurement."""
    with pytest.raises(Unreadable):
        read_text("<policies>" + start * 40_000 if start[0] in "=>" else start * 40_000, "given")


def test_a_configuration_inside_a_config_map_is_read() -> None:
    """How gateways on Kubernetes get theirs; a file of another program beside it does not matter."""
    nginx = "server {\n  location / { auth_jwt on; auth_jwt_key_file /keys; }\n}"
    indented = nginx.replace("\n", "\n    ")
    text = f"# a comment\napiVersion: v1\nkind: ConfigMap\ndata:\n  motd: hello\n  nginx.conf: |\n    {indented}\n"

    (document,) = read_text(text, "map.yaml")

    assert ("nginx", "map.yaml data.nginx.conf", 2) == (
        document.gateway,
        document.file,
        document.expectations[0].place.line,
    )


def test_what_tools_wrap_around_a_dump_does_not_matter() -> None:
    """`egctl config envoy-proxy all` names namespace and pod above it; Istio's EnvoyFilter has a message in a patch."""
    provider = {"issuer": "https://idp.example"}
    kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    dump = {
        "default": {"edge/pod": {"configDump": {"configs": [{"x": {"@type": kind, "providers": {"p": provider}}}]}}}
    }

    (document,) = read_text(json.dumps(dump), "all.json")

    assert ["https://idp.example"] == [one.issuer.text for one in document.expectations if one.issuer]


def test_nothing_is_written_when_nothing_is_read(tmp_path: Path) -> None:
    """A named file that cannot be read is an error with exit status 2, and no file appears."""
    out = tmp_path / "why401.toml"

    result = init(str(out), "--from", str(tmp_path / "missing"))

    assert 2 == result.exit_code
    assert "No such file" in result.output
    assert not out.exists()


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key sets and metadata are named, not asked for."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert 0 == init("-", "--from", str(ENVOY)).exit_code


def test_a_secret_in_a_field_that_is_copied_is_left_out() -> None:
    """A password in a URL, a token where an audience belongs, and control characters in a name."""
    text = """{"@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", "static_resources": {},
     "providers": {"a\\u001b[31m\\nissuer = 1": {"issuer": "https://idp.example", "audiences": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"],
     "remote_jwks": {"http_uri": {"uri": "https://user:hunter2-pass@idp.example/keys"}}}}}"""

    result = init("-", "--from", "-", text=text)

    assert 0 == result.exit_code
    assert 'issuer = "https://idp.example"' in result.stdout
    assert [] == [word for word in ("hunter2", "c2lnbmF0dXJl", "\x1b", "\nissuer = 1") if word in result.stdout]


def test_issuers_that_differ_in_a_slash_stay_two() -> None:
    """Two gateways, one with the slash: both are written, each for its gateway."""
    spring = "spring.security.oauth2.resourceserver.jwt.issuer-uri=https://partner.example"
    documents = [*read_text(ENVOY.read_text(), "envoy.yaml"), *read_text(spring, "app.properties")]
    from why401.expectations.joined import entries

    found = {entry.issuer.text: entry.gateways for entry in entries(documents) if entry.issuer}

    assert ("envoy",) == found["https://partner.example/"]
    assert ("spring",) == found["https://partner.example"]
