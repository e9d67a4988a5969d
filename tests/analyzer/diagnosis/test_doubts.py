"""Words about a missing credential are said of more than missing ones."""

from __future__ import annotations

import json

import jwt
import pytest

from analyzer.verdicts import Diagnosis
from collector.settings import Settings
from why401.explainer import Explainer

NOW = 1_930_000_000  # of every record: nothing here depends on the clock
TOKEN = jwt.encode({"sub": "9913", "exp": NOW + 600}, "a secret of thirty-two characters", algorithm="HS256")
SAYINGS = (
    "No auth token",
    "No Authorization was found in request.headers",
    "Missing Authorization header",
    "no token provided",
)


def explain(message: str, **fields: object) -> Diagnosis:
    record = {"time": "2031-02-03T04:05:06Z", "level": "error", "status": 401, "message": message} | fields
    found = Explainer(Settings()).explain(json.dumps(record)).diagnosis
    assert found is not None
    return found


def with_header(message: str, authorization: str) -> Diagnosis:
    return explain(message, method="GET", path="/berths", authorization=authorization)


@pytest.mark.parametrize("message", SAYINGS)
def test_without_the_header_the_rivals_are_named(message: str) -> None:
    """Never at 0.95 by words alone."""
    found = explain(message)

    assert (found.code, found.confidence <= 0.8) == ("token_missing", True)
    assert {"scheme_invalid", "credential_ambiguous"} <= {rival.code for rival in found.rivals}


def test_an_opinion_is_not_surer_than_its_reader() -> None:
    """Words that no signature knows, and no token beside them."""
    explainer = Explainer(Settings())
    for message in (
        "berth claim is of the wrong type",
        "the harbour's token has a wrong audience",
        "encrypted berth token is not supported",
    ):
        verdict = explainer.explain(
            json.dumps({"time": "2031-02-03T04:05:06Z", "level": "error", "status": 401, "message": message})
        )
        assert verdict.diagnosis is not None
        reading = explainer.analyzer.diagnoser.case(verdict.event).readings[0]
        assert verdict.diagnosis.confidence <= round(reading.certainty, 2)


def test_a_code_for_everything_decides_nothing() -> None:
    """RFC 6750 has one error code for every token that is not accepted; what it may mean is named."""
    found = explain('Bearer realm="berths", error="invalid_token"')

    assert found.code == "unclassified"
    assert ["possible, 25% sure: too little to decide"] == [rival.why_not for rival in found.rivals[:1]]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('2026-03-03 10:00:00,123 - berths.auth - ERROR - {"message":"Unauthorized"}', "unclassified"),
        (
            '{"time":"2026-03-03T10:00:00Z","level":"error","message":"reply: enforced denied, berth 7"}',
            "access_denied",
        ),
    ],
)
def test_a_vague_phrase_of_another_product_decides_nothing(line: str, code: str) -> None:
    """What Kong says to a request without a token says nothing of a program's; what leaves no doubt is read wherever it stands."""
    assert code == explain(line).code


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Critical error while the berths were listed: Unauthorized", "unclassified"),
        ("cannot reach the harbour service: 401 Unauthorized", "unclassified"),
        ("download of the tariff failed: Forbidden", "unclassified"),
        ("cannot fetch the JWKS of the issuer: 403 Forbidden", "jwks_unreachable"),
    ],
)
def test_another_service_that_refuses_names_no_cause(message: str, code: str) -> None:
    """It is a fault of the key set only where the sentence speaks of keys or of who issues them."""
    assert code == explain(f"2026-03-03 10:00:00,123 - berths.auth - ERROR - {message}").code


@pytest.mark.parametrize("message", SAYINGS)
def test_an_empty_header_proves_it(message: str) -> None:
    """The log shows the place, and nothing is there."""
    assert with_header(message, "").confidence >= 0.9


@pytest.mark.parametrize("message", SAYINGS)
@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Basic Z3Vlc3Q6Z3Vlc3Q=", "scheme_invalid"),
        (f"Token {TOKEN}", "scheme_invalid"),
        (f"DPoP {TOKEN}", "scheme_invalid"),
        (f"bearer {TOKEN}", "scheme_invalid"),
        (TOKEN, "scheme_invalid"),
        (f"Bearer {TOKEN},Bearer {TOKEN}", "credential_ambiguous"),
    ],
)
def test_what_the_header_shows_is_what_was_overlooked(message: str, authorization: str, code: str) -> None:
    """Something came, in a form that this validator does not look for."""
    found = with_header(message, authorization)

    assert (found.code, found.confidence >= 0.8) == (code, True)
