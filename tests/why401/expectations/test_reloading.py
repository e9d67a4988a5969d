"""`issuers_from`: a gateway's configuration that changes while why401 runs, and what is expected before and after."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from analyzer.lake import connect_reader, run_query
from analyzer.store import open_store
from collector.errors import ConfigurationError
from collector.settings import IssuerSettings, Settings, load
from collector.telemetry import Telemetry
from tests.tokens import ISSUER, token
from why401 import run
from why401.expectations.expected import with_issuers_from
from why401.expectations.reloading import Watcher
from why401.explainer import Explainer

THEN: Final = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)


def krakend(*audiences: str) -> str:
    validator = {"issuer": ISSUER, "audience": list(audiences), "alg": "RS256"}
    return json.dumps({"version": 3, "endpoints": [{"endpoint": "/a", "extra_config": {"auth/validator": validator}}]})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "krakend.json"
    path.write_text(krakend("orders-api"))
    return path


def settings(file: Path) -> Settings:
    written = file.with_name("why401.toml")
    written.write_text(f'issuers_from = ["{file.name}"]\n[[issuers]]\nissuer = "https://own.example.com/"\n')
    return with_issuers_from(load(written, {}, {"data_dir": str(file.with_name("lake"))}))


def audiences(issuers: tuple[IssuerSettings, ...]) -> dict[str, tuple[str, ...]]:
    return {one.issuer: one.audiences for one in issuers}


def test_a_change_is_told_with_its_time_once(file: Path) -> None:
    """The configured issuers stay; half a file changes nothing, and the whole one does."""
    told: list[tuple[dict[str, tuple[str, ...]], int]] = []
    marks: list[tuple[str, str]] = []
    watcher = Watcher(
        settings(file), Telemetry(), [lambda issuers, at: told.append((audiences(issuers), at))],
        lambda files, says, _at: marks.append((Path(files).name, says)),
    )  # fmt: skip
    for text in (krakend("orders-api"), krakend("orders-v2")[:40], krakend("orders-v2")):
        file.write_text(text)
        os.utime(file, (THEN.timestamp(), THEN.timestamp() + len(told)))
        watcher.look()
        watcher.look()

    at_ns = int(THEN.timestamp() * 1e9)
    assert told == [({"https://own.example.com/": (), ISSUER: ("orders-v2",)}, at_ns)]
    assert marks == [("krakend.json", f"{ISSUER}: audiences orders-api, now orders-v2")]


def test_a_refusal_is_judged_by_what_was_expected_then() -> None:
    """The same token on both sides of the change, in whichever order the lines come."""
    explainer = Explainer(Settings(issuers=(IssuerSettings(issuer=ISSUER, audiences=("orders-api",)),)))
    now = (IssuerSettings(issuer=ISSUER, audiences=("orders-v2",)),)
    explainer.analyzer.diagnoser.expect(now, int(THEN.timestamp() * 1e9))
    sent = token(aud="orders-v2", iat=None, exp=int(THEN.timestamp()) + 9_000)
    codes = []
    for minutes in (5, -5, 6):
        at = (THEN + timedelta(minutes=minutes)).isoformat()
        record = {
            "start_time": at,
            "response_code": 401,
            "method": "GET",
            "path": "/a",
            "response_code_details": "via_upstream",
        }
        verdict = explainer.explain(json.dumps({**record, "authorization": f"Bearer {sent}"}))
        assert verdict.diagnosis is not None
        codes.append(verdict.diagnosis.code == "audience_mismatch")

    assert codes == [False, True, False]


def test_the_change_is_kept_where_suspects_are_looked_for(file: Path) -> None:
    """As a loaded configuration, at the file's time."""
    mine = settings(file)
    open_store(mine, Telemetry()).close()
    keep = run._keep_expected(mine)
    assert keep is not None
    keep("krakend.json", "audiences orders-api, now orders-v2", int(THEN.timestamp() * 1e9))
    with connect_reader(mine, memory_mib=256) as con:
        rows = run_query(con, "SELECT kind, subject, detail FROM changes", timeout_s=60).rows

    assert rows == [("config_loaded", "krakend.json", "audiences orders-api, now orders-v2")]


def test_a_file_that_cannot_be_read_prevents_the_start(tmp_path: Path) -> None:
    """The error names the setting and the file."""
    with pytest.raises(ConfigurationError, match=r"issuers_from.*gone\.json"):
        settings(tmp_path / "gone.json")
