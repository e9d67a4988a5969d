"""Messages arrive: by apprise at a real SMTP server and a web server, at a real Alertmanager, and in time or not at all."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analyzer.alerts import courier
from analyzer.alerts.alerter import Alerter, parcel
from analyzer.alerts.channels import Target, targets
from analyzer.alerts.courier import LATE, Parcel, deliver
from analyzer.alerts.ledger import Alert
from collector.settings import AlertSettings, Settings
from collector.telemetry import Telemetry
from tests.analyzer.alerts import sinks
from tests.dashboard import outage, sample_lake
from tests.waiting import eventually

NOW = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
needs_alertmanager = pytest.mark.skipif(sinks.ALERTMANAGER is None, reason="prometheus-alertmanager is not installed")


def alert(**changes: Any) -> Alert:
    """One that fires."""
    about: dict[str, Any] = {
        "alert_id": "a1", "rule": "new", "subject": "v1-1", "severity": "critical", "since": NOW, "opened_at": NOW, "told_at": NOW,
        "phase_at": NOW, "title": "New: The key `r3`", "says": "Since 14:03 UTC & <now>: it fails.\nFix: turn it on.",
        "link": "http://h/group", "groups": {"v1-1"}, "is_held": False,
    }  # fmt: skip
    return Alert(**{**about, **changes})


def channel(line: str) -> Target:
    (found,) = targets(replace(Settings(), alerts=replace(AlertSettings(), urls=line)))
    return found


def test_mail_by_apprise() -> None:
    """The subject is the title, the text is the text, and ends with the link."""
    with sinks.mail() as server:
        line = f"ops mailto://127.0.0.1:{server.port}?from=why401@example.com&to=ops@example.com&mode=insecure"
        assert [""] == deliver([parcel(alert(), channel(line))])
        ((subject, text),) = server.letters

    assert "New: The key `r3`" == subject
    assert "Since 14:03 UTC &amp; &lt;now&gt;: it fails." in text or "Since 14:03 UTC & <now>: it fails." in text
    assert "http://h/group" in text


def test_a_webhook_by_apprise_and_one_of_alertmanagers_form() -> None:
    """Side by side; the second is what Alertmanager would have sent, with the operator's user and password."""
    with sinks.web() as one, sinks.web() as two:
        lines = f"json://127.0.0.1:{one.port}/x", f"webhook+http://u:p%40ss@127.0.0.1:{two.port}/y?z=1"
        resolved = alert(phase="resolved", resolved_at=NOW + timedelta(minutes=5))
        parcels = [
            parcel(alert(), channel(lines[0])),
            parcel(alert(), channel(lines[1])),
            parcel(resolved, channel(lines[1])),
        ]
        assert ["", "", ""] == deliver(parcels)
        ((_, _, by_apprise),) = one.requests
        path, headers, body = next(each for each in two.requests if each[2]["status"] == "firing")
        ended = next(each for each in two.requests if each[2]["status"] == "resolved")

    assert ("New: The key `r3`", "failure") == (by_apprise["title"], by_apprise["type"])
    assert ("/y?z=1", "Basic dTpwQHNz", "4") == (path, headers["Authorization"], body["version"])
    assert {"alertname": "Why401New", "severity": "critical"}.items() <= body["alerts"][0]["labels"].items()
    assert body["alerts"][0]["fingerprint"] == ended[2]["alerts"][0]["fingerprint"]


@pytest.mark.parametrize(("status", "why"), [(500, "HTTP 500"), (302, "HTTP 302"), (0, LATE)])
def test_what_does_not_arrive_says_why(status: int, why: str) -> None:
    """A refusal, a redirect, and a server that takes the message and never answers, beside one that does."""
    with sinks.web(status) as broken, sinks.web() as fine:
        parcels = [
            Parcel(kind="webhook", url=f"http://127.0.0.1:{port}/", title="", body="{}")
            for port in (broken.port, fine.port)
        ]
        begun = time.monotonic()

        assert [why, ""] == deliver(parcels, limit_s=3)
        assert time.monotonic() - begun < sinks.HANG_S / 2


def test_a_url_is_never_told() -> None:
    """Neither a host that refuses nor one that is none, nor a scheme that apprise does not know, quotes the URL."""
    secret = "hunter2-hunter2"
    lines = (
        f"webhook+http://u:{secret}@127.0.0.1:1/{secret}", f"json://u:{secret}@127.0.0.1:1/{secret}", f"webhook+http://{secret}.invalid/",
        f"nosuch://{secret}",
    )  # fmt: skip
    why = deliver([parcel(alert(), channel(line)) for line in lines])

    assert 4 == len(list(filter(None, why)))
    assert secret not in "".join(why)


def test_a_courier_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a library does: the process is gone, and the message counts as not delivered."""
    monkeypatch.setattr(
        courier.sys, "executable", "/bin/cat"
    )  # waits for the end of its input, and says nothing of ours
    monkeypatch.setattr(courier, "GRACE_S", 0.2)

    assert [LATE] == deliver([parcel(alert(), channel("json://h"))], limit_s=0.1)


@needs_alertmanager
def test_a_real_alertmanager_takes_it_and_sends_it_on(tmp_path: Path) -> None:
    """From the store: the alert is there with its sentence once, however often it is posted; its end arrives, too."""
    with sinks.alertmanager(tmp_path) as manager:
        clock = [outage.NOW]
        outage.build(tmp_path / "data", outage.Outage(10), days=(7, 14), hours=5, rate=6)
        url = f"am alertmanager+http://127.0.0.1:{manager.port}"
        settings = replace(
            Settings(), data_dir=str(tmp_path / "data"), alerts=replace(AlertSettings(), urls=url, settle_minutes=0)
        )

        def shifted(parcels: list[Parcel]) -> list[str]:
            """The store's time is another one than Alertmanager's."""
            by = datetime.now(UTC) - clock[0]
            return deliver([replace(one, body=moved(one.body, by)) for one in parcels])

        process = Alerter(settings, Telemetry(), deliver=shifted, clock=lambda: clock[0])  # type: ignore[arg-type]
        for _ in range(3):
            process.round()
            clock[0] += timedelta(seconds=61)
        (one,) = manager.alerts()
        eventually(lambda: manager.received.requests, "Alertmanager sends it on")

        assert "New: The gateway does not know the key `r3`" == one["annotations"]["summary"]
        assert one["annotations"]["description"].startswith("Since 10:30 UTC (10 min), 95 % sure, at ")
        assert "critical" == one["labels"]["severity"]
        assert ["firing"] == [body["status"] for _, _, body in manager.received.requests]

        calm(tmp_path / "data", clock)
        process.round()
        eventually(
            lambda: "resolved" in [body["status"] for _, _, body in manager.received.requests], "the end arrives"
        )


def calm(folder: Path, clock: list[datetime]) -> None:
    """24 minutes without the outage."""
    rng = random.Random(1)
    at = [clock[0] + timedelta(seconds=10 * n) for n in range(24 * 6)]
    with sample_lake.opened(folder) as store:
        store.append([outage.verdict(rng, one, outage.noise(rng, one), n) for n, one in enumerate(at)], [], {})
    clock[0] += timedelta(minutes=24)


def moved(body: str, by: timedelta) -> str:
    """JSON whose times are later."""
    found = json.loads(body)
    for one in found:
        for name in ("startsAt", "endsAt"):
            one[name] = (datetime.fromisoformat(one[name]) + by).isoformat()
    return json.dumps(found)


@needs_alertmanager
def test_a_test_message_reaches_a_real_alertmanager(tmp_path: Path, run: Callable[..., Any]) -> None:
    """`why401 alerts test`, to each channel; one that fails is said, with exit status 1."""
    with sinks.alertmanager(tmp_path) as manager:
        fine = run(f"am alertmanager+http://127.0.0.1:{manager.port}", "test")
        (one,) = manager.alerts()
    broken = run(f"am alertmanager+http://127.0.0.1:{manager.port}", "test")

    assert (0, "am: sent\n") == (fine.exit_code, fine.output)
    assert "Test: why401 can reach this channel" == one["annotations"]["summary"]
    assert (1, "am: ConnectionRefusedError\n") == (broken.exit_code, broken.output)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """`why401 alerts` with these channels."""
    from click.testing import CliRunner

    from why401.cli import main

    def call(urls: str, *arguments: str) -> Any:
        monkeypatch.setenv("WHY401_ALERTS_URLS", urls)
        monkeypatch.chdir(tmp_path)
        return CliRunner().invoke(main, ["alerts", *arguments])

    return call
