"""`why401 alerts` and what `why401 check` says of channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analyzer.alerts.alerter import Alerter
from collector.settings import AlertSettings, Settings
from collector.settings.private import os_user
from collector.telemetry import Telemetry
from tests.dashboard import outage
from why401.cli import main

SECRET = "hunter2-hunter2"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command in a folder with channels, whose URLs hold a secret."""
    monkeypatch.setenv(
        "WHY401_ALERTS_URLS",
        f"chat json://u:{SECRET}@127.0.0.1:1\npager[critical] webhook+http://u:{SECRET}@127.0.0.1:1",
    )
    monkeypatch.setenv("WHY401_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def alerted(folder: Path) -> None:
    """A store with one alert."""
    outage.build(folder, outage.Outage(10), days=(7, 14), hours=5, rate=6)
    settings = replace(Settings(), data_dir=str(folder), alerts=replace(AlertSettings(), urls="chat json://h"))
    Alerter(settings, Telemetry(), deliver=lambda parcels: [""] * len(parcels), clock=lambda: outage.NOW).round()


def test_alerts_are_listed_and_silenced(tmp_path: Path, run: Run) -> None:
    """With who was told; a silence is listed with its end, its author and why, and can be ended."""
    alerted(tmp_path)
    listed = run("alerts", "list").output
    alert_id = listed.split()[0]

    assert "firing    critical  02 Mar 10:40  New: The gateway does not know the key `r3`  [sent to chat]" in listed
    assert 0 == run("alerts", "silence", alert_id, "--until", "30m", "--note", "deploy").exit_code
    assert f"UTC: {alert_id}, by {os_user()}: deploy" in run("alerts").output
    assert f"{alert_id}: alerts are sent again\n" == run("alerts", "silence", alert_id, "--end").output
    assert "silent until" not in run("alerts").output


@pytest.mark.parametrize("what", ["nosuch", "v1-00"])
def test_only_what_there_is_can_be_silenced(what: str, tmp_path: Path, run: Run) -> None:
    """A rule, an alert, or everything: the error lists them."""
    alerted(tmp_path)
    done = run("alerts", "silence", what)

    assert (1, True) == (done.exit_code, "expected all, an alert's ID, or a rule: new, escalating" in done.output)


def test_check_names_channels_and_quotes_no_url(run: Run) -> None:
    """Names, kinds and rules."""
    done = run("check", "--offline")

    assert "  alerts     chat: apprise\n  alerts     pager: webhook, critical alerts only\n" in done.output
    assert SECRET not in done.output


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("URLS", f"chat nosuch://{SECRET}", "a URL that apprise knows"), ("URLS", SECRET, "line 1"),
        ("RULES", "new,nwe", "some of new, escalating"), ("OBJECTIVE_PERCENT", "50", "from 94 to 99.999"), ("LINK", "why401", "an http or https URL"),
    ],
)  # fmt: skip
def test_check_refuses_what_cannot_work(name: str, value: str, says: str, run: Run, monkeypatch: Any) -> None:
    """With what is expected, and without the secret."""
    monkeypatch.setenv(f"WHY401_ALERTS_{name}", value)
    done = run("check", "--offline")

    assert (2, True, False) == (done.exit_code, says in done.output, SECRET in done.output)


def test_a_test_without_channels_says_what_is_expected(run: Run, monkeypatch: Any) -> None:
    """And one for a channel that is none."""
    assert 2 == run("alerts", "test", "nosuch").exit_code
    monkeypatch.delenv("WHY401_ALERTS_URLS")
    assert 2 == run("alerts", "test").exit_code


def test_a_failed_test_says_which_and_why(run: Run) -> None:
    """Both channels lead nowhere."""
    done = run("alerts", "test")

    assert (1, "chat: the service did not take it\npager: ConnectionRefusedError\n") == (done.exit_code, done.output)
