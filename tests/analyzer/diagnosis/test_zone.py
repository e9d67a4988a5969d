"""Times without a zone: what a clock outside UTC would explain is no certain evidence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzer.verdicts import Diagnosis
from collector.settings import Settings
from tests.tokens import token
from why401.explainer import Explainer

AT = 1772532000  # 2026-03-03T10:00:00Z
HOUR = 3600
SURE = 0.8


def refused(time: str, message: str = "", **claims: Any) -> Diagnosis:
    """What a refusal with this token means whose record has this time."""
    record = {"time": time, "status": 401, "method": "GET", "path": "/a", "authorization": f"Bearer {token(**claims)}"}
    return _told(json.dumps(record | ({"message": message} if message else {})))


def _told(*lines: str) -> Diagnosis:
    diagnosis = Explainer(Settings()).explain_all(lines)[-1].diagnosis
    assert diagnosis is not None
    return diagnosis


@pytest.mark.parametrize(
    ("iat", "exp"), [(-8 * HOUR - 300, -7 * HOUR - 300), (-5.5 * HOUR - 60, -5.5 * HOUR + 240), (-2 * HOUR, -HOUR)]
)
def test_expired_by_what_a_zone_explains_is_not_sure(iat: float, exp: float) -> None:
    """A fresh token looks expired for eight hours to a clock in Shanghai that is read as UTC."""
    claims = {"iat": AT + int(iat), "exp": AT + int(exp)}

    assert refused("2026-03-03 10:00:00", **claims).confidence < SURE
    assert refused("2026-03-03T10:00:00Z", **claims).code == "token_expired"
    assert refused("2026-03-03T10:00:00Z", **claims).confidence >= SURE


def test_expired_by_more_than_a_zone_is_sure() -> None:
    """No zone is twenty hours away, and none makes a token of five minutes valid that expired forty minutes ago."""
    long_ago = refused("2026-03-03 10:00:00", iat=AT - 30 * HOUR, exp=AT - 20 * HOUR)
    short = refused("2026-03-03 10:00:00", iat=AT - 45 * 60, exp=AT - 40 * 60)

    assert [("token_expired", True)] * 2 == [(d.code, d.confidence >= SURE) for d in (long_ago, short)]


def test_not_yet_valid_by_what_a_zone_explains_is_not_sure() -> None:
    """A clock in New York is five hours behind UTC."""
    claims = {"iat": AT + 5 * HOUR - 60, "nbf": AT + 5 * HOUR - 60, "exp": AT + 6 * HOUR}

    assert refused("2026-03-03 10:00:00", **claims).confidence < SURE
    assert refused("2026-03-03T10:00:00Z", **claims).confidence >= SURE


def test_the_gateways_words_make_it_sure() -> None:
    """Who says that the token has expired knows its own clock."""
    claims = {"iat": AT - 8 * HOUR - 300, "exp": AT - 7 * HOUR - 300}
    said = refused("2026-03-03 10:00:00", "JWT validation failed: token is expired", **claims)

    assert ("token_expired", True) == (said.code, said.confidence >= SURE)


def test_words_are_not_ruled_out_by_a_clock_without_a_zone() -> None:
    """`exp` is ahead of a clock in New York, and has passed all the same."""
    said = refused("2026-03-03 10:00:00", "JWT validation failed: token is expired", iat=AT, exp=AT + 4 * HOUR)

    assert said.code == "token_expired"


def test_accepted_tokens_show_the_zone() -> None:
    """Where a token of the same issuer was accepted in its time, the clock is right."""
    passed = {
        "time": "2026-03-03 09:59:00",
        "status": 200,
        "method": "GET",
        "path": "/a",
        "authorization": f"Bearer {token(iat=AT - 600, exp=AT + 3000)}",
    }
    broken = {
        "time": "2026-03-03 10:00:00",
        "status": 401,
        "method": "GET",
        "path": "/a",
        "authorization": f"Bearer {token(iat=AT - 3 * HOUR, exp=AT - 2 * HOUR)}",
    }
    told = _told(json.dumps(passed), json.dumps(broken))

    assert ("token_expired", True) == (told.code, told.confidence >= SURE)


def test_a_passing_request_is_not_called_refused_for_a_zone() -> None:
    """A 400 with a token that is expired only by a clock without a zone is no refusal."""
    record = {
        "status": 400,
        "method": "GET",
        "path": "/a",
        "authorization": f"Bearer {token(iat=AT - 8 * HOUR, exp=AT - 7 * HOUR)}",
    }
    codes = [
        _told(json.dumps({"time": time} | record)).code for time in ("2026-03-03 10:00:00", "2026-03-03T10:00:00Z")
    ]

    assert ["ok", "token_expired"] == codes
