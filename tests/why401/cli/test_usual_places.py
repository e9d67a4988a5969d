"""`why401 doctor` finds the gateways of this machine in the usual places, and proposes commands that run."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from collector.gateways import names
from why401.cli import main, usual_places
from why401.cli.usual_places import Here, found, places

ENVOY = {
    "static_resources": {},
    "providers": {
        "p": {"issuer": "https://idp.example", "remote_jwks": {"http_uri": {"uri": "https://idp.example/k"}}}
    },
    "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
}
LINE = '{"response_code": 401, "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}", "method": "GET"}\n'
Put = Callable[[str, str], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file below the root of a machine."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_a_gateway_is_found_with_what_it_expects_and_its_logs(put: Put, tmp_path: Path) -> None:
    """The commands are those of its own files: read what is expected, explain, stream; then its recipe."""
    config, log = put("etc/envoy/envoy.json", json.dumps(ENVOY)), put("var/log/envoy/access.log", LINE)
    put("var/log/envoy/empty.log", "")
    (here,) = found(tmp_path)

    assert Here(gateway="envoy", configs=(config,), logs=(log,), expected=1) == here
    assert [
        f"why401 init --from {config}", f"why401 explain --failed {log}", f"why401 up --file {log}", "why401 recipe envoy",
    ] == list(here.commands())  # fmt: skip
    assert f"{config}, 1 issuer expected, 1 log" == here.says()


def test_proposed_commands_are_commands(put: Put, tmp_path: Path) -> None:
    """Each is parsed by the command that it names, and `explain` explains."""
    put("etc/envoy/envoy.json", json.dumps(ENVOY))
    put("var/log/envoy/it's.log", LINE)
    (here,) = found(tmp_path)
    for _, name, *words in map(shlex.split, here.commands()):
        command = main.get_command(click.Context(main), name)
        assert command is not None
        command.make_parser(click.Context(command)).parse_args(words)
    explain = next(line for line in here.commands() if " explain " in line)

    assert "token_expired" in CliRunner().invoke(main, shlex.split(explain)[1:]).stdout


def test_a_unit_that_logs_to_the_journal(put: Put, tmp_path: Path) -> None:
    """No file, but a service."""
    put("lib/systemd/system/krakend.service", "[Service]\n")
    (here,) = found(tmp_path)

    assert "journalctl --unit krakend --output cat --lines 10000 | why401 explain --failed -" == next(here.commands())


def test_the_folder_is_read_where_the_configuration_names_others(put: Put, tmp_path: Path) -> None:
    """nginx's and Apache's own file holds `include` and little else."""
    put("etc/nginx/nginx.conf", "http { include conf.d/*.conf; }")
    jwt = "server { location / { oauth2_jwt on; auth_jwt realm; auth_jwt_key_request /keys; auth_jwt_require $ok; } }"
    put("etc/nginx/conf.d/api.conf", jwt)
    (here,) = found(tmp_path)

    assert (tmp_path / "etc" / "nginx",) == here.configs
    assert ["why401 recipe nginx"] == list(here.commands())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_what_may_not_be_read_is_said(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of root's, and a folder that is closed."""
    log = put("var/log/haproxy.log", "x")
    put("etc/apache2/apache2.conf", "ServerName x")
    put("var/log/apache2/error.log", "x")
    closed = {log, tmp_path / "var" / "log" / "apache2"}
    monkeypatch.setattr(usual_places.os, "access", lambda path, _mode: not {path, *Path(path).parents} & closed)
    apache, haproxy = found(tmp_path)

    assert (log,) == haproxy.closed
    assert "cannot be read by this user" in haproxy.says()
    assert tmp_path / "var" / "log" / "apache2" in apache.closed
    assert not any("--file" in line for line in (*apache.commands(), *haproxy.commands()))


def test_the_places_are_of_gateways_that_are_read() -> None:
    """Each has its source, absolute paths, and a name that the collector knows."""
    known = set(names(()))

    assert set(places()) <= known
    assert len(places()) >= 13
    assert [] == [
        (name, path)
        for name, usual in places().items()
        for path in (*usual["configs"], *usual["logs"])
        if not path.startswith("/")
    ]
    assert all(usual["source"] for usual in places().values())


def test_doctor_prints_them(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind its checks, and without a change of its exit status."""
    put("var/log/envoy/access.log", LINE)
    monkeypatch.setattr(usual_places.found, "__defaults__", (tmp_path,))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["doctor"])

    assert 0 == result.exit_code
    assert "why401 explain --failed " in result.stdout
