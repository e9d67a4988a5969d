"""What to change at a gateway that logs complete credentials: data with sources, shown where an operator looks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from analyzer.knowledge import credential_logging
from analyzer.lake import connect_reader, run_query
from analyzer.store import open_memory_store
from collector.events import TokenKind
from collector.gateways import names
from collector.redaction import redact
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import TOKEN, failing
from why401.credential_warnings import Warner


@pytest.mark.parametrize(
    "setting", credential_logging.settings(), ids=lambda setting: f"{setting.gateway}-{setting.place}"
)
def test_a_setting_is_of_a_known_gateway_and_place_and_has_a_source(setting: credential_logging.Setting) -> None:
    """And says what to do in words that redaction leaves alone, since the log shows them."""
    assert setting.gateway in ("", *names(()))
    assert setting.place in credential_logging.PLACES
    assert len(setting.says) > 20
    assert len(setting.source) > 10
    assert redact(f"{setting.says} ({setting.source})").found == ()


def test_no_two_settings_are_for_the_same() -> None:
    """One answer for a gateway and a place; each gateway has one for any place."""
    pairs = [(setting.gateway, setting.place) for setting in credential_logging.settings()]

    assert len(pairs) == len(set(pairs))
    assert {gateway for gateway, _ in pairs} == {gateway for gateway, place in pairs if not place}


@pytest.mark.parametrize(
    ("gateway", "place", "word"),
    [
        ("traefik", "authorization", "accessLog.fields.headers.names.Authorization: redact"),
        ("istio", "authorization", "%REQ(AUTHORIZATION)%"),
        ("openresty", "query", "$uri"),
        ("caddy", "authorization", "log_credentials"),
        ("unheard-of", "cookie", "why401 redact"),
    ],
)
def test_the_most_specific_setting_is_chosen(gateway: str, place: str, word: str) -> None:
    """Of the gateway, of one that shares its log format, or of any."""
    assert word in credential_logging.setting_for(gateway, place).says


def test_the_view_names_gateway_place_and_setting() -> None:
    """Whole tokens only: cut ones, absent ones and what a gateway masked are none."""
    whole, cut = TOKEN, replace(TOKEN, signature_bytes=0)
    query = replace(TOKEN, location="query:access_token", kind=TokenKind.OPAQUE, signature_bytes=-1)
    masked = replace(TOKEN, kind=TokenKind.REDACTED, signature_bytes=-1)
    store = open_memory_store()
    store.append([failing(n, token=token) for n, token in enumerate((whole, whole, cut, query, masked))], [], {})
    con = connect_reader(store.settings, memory_mib=256)
    rows = run_query(con, "SELECT gateway, place, records, setting FROM raw_credentials ORDER BY place").rows
    store.close()

    assert [("envoy", "authorization", 2), ("envoy", "query", 1)] == [row[:3] for row in rows]
    assert [credential_logging.setting_for("envoy", place).says for place in ("authorization", "query")] == [
        row[3] for row in rows
    ]


def test_a_running_collector_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    """Per gateway and place, with the setting."""
    telemetry = Telemetry()
    warner = Warner(telemetry)
    warner.look()
    assert caplog.records == []
    for _ in range(3):
        telemetry.count("why401.raw_credentials.seen", 5, gateway="traefik", where="authorization")
        warner.look()
    telemetry.count("why401.raw_credentials.seen", 1, gateway="traefik", where="query")
    warner.look()

    assert 2 == len(caplog.records)
    assert "traefik logs complete credentials (authorization)" in caplog.messages[0]
    assert "Authorization: redact" in caplog.messages[0]
    assert "queryParameters.defaultMode: drop" in json.dumps(caplog.messages[1])
