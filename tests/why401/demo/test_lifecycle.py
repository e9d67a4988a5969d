"""The demo's parts around Envoy: configuration, summary, children, and the whole of it."""

from __future__ import annotations

import io
import socket

import pytest

from collector.settings import load
from why401.demo.children import Child, HeldPort, is_listening
from why401.demo.lifecycle import run_demo
from why401.demo.mint import Mint
from why401.demo.settings_file import write_config
from why401.demo.summary import Found, table


def test_config_is_what_settings_accept(tmp_path):
    """The generated why401.toml loads, names every issuer, and its HS256 key set is the owner's alone."""
    mint = Mint()
    settings = load(write_config(tmp_path, mint, services=8001, otlp=4401, dashboard=8601), environ={})

    assert [issuer.issuer for issuer in settings.issuers] == [issuer.url for issuer in mint.issuers.values()]
    assert settings.otlp.grpc == "127.0.0.1:4401"
    assert (tmp_path / "legacy.jwks.json").stat().st_mode & 0o077 == 0


def test_summary_puts_made_beside_found():
    """Codes come by frequency; what only one side has shows 0 on the other."""
    lines = table(
        {"iss-http": 3, "iss-case": 2, "quota": 1},
        [Found("issuer_not_trusted", "iss is of another issuer", 5, 0.97), Found("unclassified", "no reason", 1, 0.0)],
    )

    assert [line.split()[:5] for line in lines[1:]] == [
        ["issuer_not_trusted", "issuer", "5", "5", "0.97"],
        ["caller_blocked", "policy", "1", "0", "0.00"],
        ["unclassified", "unknown", "0", "1", "0.00"],
    ]


@pytest.mark.envoy
def test_demo_ends_by_itself_with_the_summary_last(tmp_path):
    """`--all-faults --seconds 10 --no-dashboard`: status 0, one rotation, dozens of kinds of faults, all five causes found."""
    out = io.StringIO()
    status = run_demo(seconds=10, dashboard=False, all_faults=True, rate=60, out=out, folder=tmp_path)
    assert status == 0, out.getvalue()

    lines = out.getvalue().splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("code "))
    rows = [line.split() for line in lines[head + 1 :]]
    kinds = int(lines[head - 1].partition(" refused with ")[2].split()[0])

    assert kinds >= 30
    assert " 0 unanswered, 1 key rotations" in lines[head - 1]
    assert {row[1] for row in rows if int(row[3]) > 0} >= {"issuer", "format", "library", "gateway", "policy"}


def test_child_that_cannot_start_ends_the_demo_with_its_words(tmp_path):
    """An OTLP port in use: status 1, the child's own log as evidence, and nothing is left running."""
    out = io.StringIO()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        status = run_demo(
            seconds=1, dashboard=False, all_faults=True, out=out, folder=tmp_path, otlp_port=taken.getsockname()[1]
        )

    assert status == 1
    assert "why401 demo: up exited with status" in out.getvalue()
    assert not (tmp_path / "envoy.log").exists()


def test_stop_ends_what_the_child_started_too(tmp_path):
    """`why401 dashboard` starts Streamlit as a process of its own; after `stop()` its port is closed."""
    port = HeldPort().number
    config = write_config(tmp_path, Mint(), services=9, otlp=9, dashboard=port)
    page = Child(tmp_path, "dashboard", "dashboard", "--config", str(config))
    try:
        page.wait_listening(port, 60, lambda: None)
    finally:
        page.stop()
    page.stop()

    assert not page.is_running
    assert not is_listening(port)
