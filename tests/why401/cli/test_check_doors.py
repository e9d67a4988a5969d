"""`why401 check` says what is protected how, and what would not start."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.collector.sources.access_rig import GOOD, Pki, token_file
from why401.cli import main

LOGIN = """
[dashboard.login]
issuer = "https://idp.example.com"
client_id = "page"
client_secret = "s3cr3t-of-the-page"
redirect_uri = "https://why401.example.com/oauth2callback"
viewers = ["sre"]
operators = ["platform"]
"""


def check(folder: Path, text: str) -> Result:
    file = folder / "why401.toml"
    file.write_text(text)
    return CliRunner().invoke(main, ["check", "--offline", "--config", str(file)])


def test_loopback_needs_nothing(tmp_path: Path) -> None:
    """And it is said that it has nothing."""
    result = check(tmp_path, "")

    assert 0 == result.exit_code
    assert "otlp.grpc  127.0.0.1:4317, loopback: no TLS, no authentication" in result.output
    assert "dashboard  127.0.0.1:8501, loopback: no login" in result.output


def test_what_is_protected_how(tmp_path: Path) -> None:
    """TLS until when, whose tokens, which login; paths are meant from the file's folder, and no secret is shown."""
    Pki.make(tmp_path)
    token_file(tmp_path, f"edge-eu {GOOD}\nedge-us {GOOD}x")
    result = check(
        tmp_path,
        '[otlp]\ngrpc = "0.0.0.0:4317"\ntls_cert = "server.pem"\ntls_key = "server.key"\ntoken_file = "tokens"\n'
        f'tls_client_ca = "ca.pem"\n[dashboard]\naddress = "0.0.0.0:8501"\n{LOGIN}',
    )

    assert 0 == result.exit_code, result.output
    assert "otlp.grpc  0.0.0.0:4317: TLS (certificate valid until " in result.output
    assert "client certificates required, bearer tokens of edge-eu, edge-us" in result.output
    assert "login at https://idp.example.com, viewers: sre, operators: platform" in result.output
    assert [] == [secret for secret in (GOOD, "s3cr3t-of-the-page") if secret in result.output]


def test_syslog_is_protected_by_what(tmp_path: Path) -> None:
    """Each address with its own: networks, or certificates."""
    Pki.make(tmp_path)
    tls = 'tls = "0.0.0.0:6514"\ntls_cert = "server.pem"\ntls_key = "server.key"\ntls_client_ca = "ca.pem"\n'
    result = check(tmp_path, f'[syslog]\nudp = "0.0.0.0:5514"\ntcp = "127.0.0.1:5514"\nallow = ["10.1.0.0/16"]\n{tls}')

    assert 0 == result.exit_code, result.output
    assert "syslog.udp 0.0.0.0:5514: no TLS, from 10.1.0.0/16" in result.output
    assert "syslog.tcp 127.0.0.1:5514, loopback: no TLS, from 10.1.0.0/16" in result.output
    assert "syslog.tls 0.0.0.0:6514: TLS (certificate valid until " in result.output
    assert "client certificates required" in result.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[otlp]\nhttp = "0.0.0.0:4318"\n', "otlp.http = '0.0.0.0:4318': raw logs hold credentials"),
        ('[syslog]\nudp = "0.0.0.0:5514"\n', "syslog.udp = '0.0.0.0:5514': anybody who reaches it could write"),
        ('[syslog]\ntls = "127.0.0.1:6514"\n', "syslog.tls_cert = '': is required with syslog.tls"),
        ('[syslog]\nallow = ["10.1"]\n', "expected networks"),
        ('[dashboard]\naddress = "[::]:8501"\n', "dashboard.address = '[::]:8501': anyone who can reach the page"),
        ('[otlp.oidc]\nissuer = "https://idp"\n', "otlp.oidc.audience = '': is required"),
        ('[otlp]\ntoken_file = "nowhere"\n', "otlp.token_file"),
        ('[kafka]\nbootstrap = ["b:1"]\nsasl_mechanism = "PLAIN"\n', "kafka.security_protocol = 'PLAINTEXT'"),
    ],
)
def test_what_would_not_start(tmp_path: Path, text: str, says: str) -> None:
    """Exit status 2, the setting and what would be right."""
    result = check(tmp_path, text)

    assert (2, True) == (result.exit_code, says in result.stderr), result.output


def test_insecure_is_said_and_allowed(tmp_path: Path) -> None:
    """Who says so gets it, and sees it."""
    result = check(tmp_path, 'insecure = true\n[otlp]\ngrpc = "0.0.0.0:4317"\n')

    assert 0 == result.exit_code
    assert "otlp.grpc  0.0.0.0:4317: no TLS, no authentication" in result.output
