"""What would settle it, as a setting of the gateway that wrote the record."""

from __future__ import annotations

import json

import pytest

from analyzer.diagnosis.missing import log_settings
from collector.gateways import names
from collector.settings import Settings
from why401.explainer import Explainer

# No log of a gateway's own, or nothing to add.
SPEECHLESS = ("generic", "application", "product", "grpc", "keycloak", "wso2")


def test_every_gateway_has_its_settings() -> None:
    """Each parser's gateway says where its reason is kept, what shows the token, and where that is documented."""
    assert set(names()) - set(SPEECHLESS) == set(log_settings())
    assert all(settings.reason and settings.token and settings.source for settings in log_settings().values())


@pytest.mark.parametrize(
    ("record", "gateway", "setting"),
    [
        ('192.0.2.7 - - [03/Mar/2026:10:00:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8.1"', "nginx", "error log"),
        (json.dumps({"RequestMethod": "GET", "RequestPath": "/a", "DownstreamStatus": 401, "OriginStatus": 0, "ClientHost": "192.0.2.1", "time": "2026-03-03T10:00:00Z", "RouterName": "r@file"}), "", "forwardAuth"),
    ],
    ids=["nginx", "traefik"],
)  # fmt: skip
def test_an_unsure_answer_names_the_setting_of_its_gateway(record: str, gateway: str, setting: str) -> None:
    """A 401 without words is not sure, and says what to log there. The combined format is named by the operator."""
    diagnosis = Explainer(Settings(), gateway).explain(record).diagnosis

    assert diagnosis
    assert setting in " ".join(diagnosis.missing)


@pytest.mark.parametrize("request_id", ["b8837414", ""])
def test_where_another_program_decided_its_log_is_named(request_id: str) -> None:
    """Envoy's ext_authz: the authorizer's log, and the identifier by which the request is found there."""
    record = {
        "start_time": "2026-05-04T10:00:00Z", "method": "GET", "path": "/a", "response_code": 403, "response_flags": "UAEX",
        "response_code_details": "ext_authz_denied", "x_request_id": request_id,
    }  # fmt: skip

    found = Explainer(Settings()).explain(json.dumps(record)).diagnosis

    assert found
    assert found.missing[0].startswith("Read the log of the authorization service")
    assert found.missing[0].endswith(f": look for {request_id}." if request_id else "reason.")


def test_what_is_missing_is_an_instruction() -> None:
    """A sentence that begins with a verb; a token that would be logged is said to be discarded, claims are not."""
    verdict = Explainer(Settings()).explain(
        json.dumps({"request": {"method": "GET", "uri": "/a"}, "response": {"status": 401}, "service": {"name": "s"}})
    )
    assert verdict.diagnosis
    assert [text.partition(" ")[0] for text in verdict.diagnosis.missing] == ["Log", "Log", "Configure", "Log"]
    assert [text[-1] for text in verdict.diagnosis.missing] == ["."] * 4

    settings = log_settings()
    assert settings["kong"].logs_token
    assert not settings["kubernetes"].logs_token
