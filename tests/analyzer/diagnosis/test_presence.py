"""Whether a credential came at all, where the log does not show the place for one."""

from __future__ import annotations

import json

import pytest

from collector.settings import Settings
from why401.explainer import Explainer


def answer(**fields: object) -> str:
    record = {"DownstreamStatus": 401, "OriginStatus": 0, "RequestMethod": "GET", "RequestPath": "/carts"} | fields
    verdict = Explainer(Settings()).explain(json.dumps(record))
    assert verdict.diagnosis is not None
    return verdict.diagnosis.code


def test_a_challenge_without_an_error_answers_a_request_without_a_credential() -> None:
    """RFC 6750 section 3.1: no error code where no authentication information came."""
    assert answer(**{"downstream_Www-Authenticate": 'Bearer realm="carts"'}) == "token_missing"


@pytest.mark.parametrize("challenge", ['Bearer error="invalid_token"', "Negotiate", ""])
def test_any_other_challenge_does_not(challenge: str) -> None:
    """An error means that something came, and another scheme says nothing of bearer tokens."""
    assert answer(**{"downstream_Www-Authenticate": challenge}) != "token_missing"


def test_the_word_bearer_alone_is_no_malformed_token() -> None:
    """Spring calls it one; nothing came that could be."""
    said = 'Bearer error="invalid_token", error_description="Bearer token is malformed"'

    assert answer(**{"request_Authorization": "Bearer ", "downstream_Www-Authenticate": said}) == "token_missing"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ('Basic realm="carts"', "consumer_not_found"),
        ('Bearer realm="carts", Basic realm="carts"', "consumer_not_found"),
        ('Bearer realm="carts"', "scheme_invalid"),
    ],
)
def test_the_scheme_that_the_challenge_asks_for_is_not_wrong(asked: str, code: str) -> None:
    """Who sends a password where one is asked for sent the wrong one, or is nobody."""
    said = {"request_Authorization": "Basic a2ltOndyb25n", "downstream_Www-Authenticate": asked}

    assert answer(**said) == code
