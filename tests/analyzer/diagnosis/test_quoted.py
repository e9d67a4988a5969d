"""What two values in one sentence tell: nothing came, another type came, a list came, or nearly the right thing."""

from __future__ import annotations

import json

import pytest

from analyzer.diagnosis.quoted import CONSIDERED, compared
from analyzer.verdicts import Diagnosis
from collector.settings import Settings
from why401.explainer import Explainer


def explain(message: str) -> Diagnosis:
    record = {"level": "error", "method": "GET", "path": "/berths", "status": 401, "message": message}
    found = Explainer(Settings()).explain(json.dumps(record)).diagnosis
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("issuer check failed: expected https://id.quay.example, got None", "issuer_missing"),
        ("invalid audience, expected berths, got <nil>", "audience_missing"),
        ("aud claim: expected 'berths' but got undefined", "audience_missing"),
        ("harbour claim expected 'north', got null", "claim_missing"),
        ('wrong issuer: want "https://id.quay.example", got ""', "issuer_missing"),
    ],
)
def test_nothing_came(message: str, code: str) -> None:
    """A comparison with nothing is no mismatch."""
    assert explain(message).code == code


@pytest.mark.parametrize(
    "message",
    [
        "Unexpected 'sub' claim: expected string, got 7",
        "claim sub: expected a string (got {'id': 7})",
        "subject: expected string but got 42",
        "claim 'jti' must be a string, got 99.5",
        "Expected sub to be a string, found <class 'int'>",
        "claim `azp` expected web but was [web, mobile]",
    ],
)
def test_another_type_came(message: str) -> None:
    """The value shows its JSON type."""
    assert explain(message).code == "claim_type_invalid"


def test_a_list_came_that_holds_the_expected_value() -> None:
    """The validator compares it as a whole."""
    found = explain("aud mismatch: expected berths, got ['berths', 'account']")

    assert found.code == "claim_representation"
    assert "single string" in found.fix[0].says


@pytest.mark.parametrize(
    ("message", "code", "near"),
    [
        ("iss mismatch: expected https://id.quay.example got https://id.quay.example/", "issuer_not_trusted", "slash"),
        ("unexpected issuer, expected: https://id.quay.example/t/1, received: http://id.quay.example/t/1", "issuer_not_trusted", "`http` instead of `https`"),
        ("audience mismatch: expected api://berths, got berths", "audience_mismatch", "`api://` prefix"),
        ('audience "spn:https://quay.example" does not match "https://quay.example"', "audience_mismatch", "`spn:` prefix"),
        ("The 'iss' claim value 'https://id.quay.example' doesn't match expected value 'https://ID.quay.example'", "issuer_not_trusted", "letter case"),
        (
            "Issuer https://sts.windows.net/0f0f/ does not match https://login.microsoftonline.com/0f0f/v2.0",
            "issuer_not_trusted", "Entra ID token version",
        ),
    ],
)  # fmt: skip
def test_nearly_the_right_thing_came(message: str, code: str, near: str) -> None:
    """Without any configuration: the sentence has both values."""
    found = explain(message)

    assert (found.code, near in found.near_miss) == (code, True)


def test_neither_a_place_nor_a_mask_is_a_value() -> None:
    """What cannot be pasted is not proposed: `found in the token` is no audience, and neither is what redaction left."""
    for message in ("no fitting audience found in the token", "audience check: got [[secret]], want another"):
        fixes = " ".join(fix.says for fix in explain(message).fix)

        assert " in is another" not in fixes
        assert "If secret" not in fixes


def test_the_near_miss_decides_the_fix() -> None:
    """The one for a slash, with both values in it."""
    found = explain("iss mismatch: expected https://id.quay.example got https://id.quay.example/")

    assert "https://id.quay.example/" in found.fix[0].says
    assert found.fix != explain("iss mismatch: expected https://id.quay.example got https://crane.example").fix


@pytest.mark.parametrize(
    "message",
    [
        "signature does not match", "token expired, got a new one", "expected three parts, got 2", "no token found",
        "exp: expected a number, got 1700000000", "audience (berths) is not allowed for this client",
    ],
)  # fmt: skip
def test_other_sentences_compare_no_claims(message: str) -> None:
    """No verdict of their own, whatever words they share."""
    sources = {(e.source, "the message reports" in e.says) for e in explain(message).evidence}
    assert ("message", True) not in sources


@pytest.mark.parametrize("word", ["x", "x ", "expected ", "got ", "'", "a claim ", "[ ", "a'", '"a" does not match '])
def test_the_work_is_bounded(word: str) -> None:
    """No text of the length that is considered keeps anybody busy."""
    import time

    started = time.perf_counter()
    compared.__wrapped__("aud " + word * (CONSIDERED // len(word)))

    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("issuer check failed: received [https://id.harbour.example/]", "issuer_not_trusted"),
        ('issuer check failed: received ["https://id.harbour.example/", "x"]', "claim_type_invalid"),
        ("berths probe got 401: invalid audience in token", "audience_mismatch"),
    ],
    ids=["a value in brackets", "an array", "an answer's status"],
)
def test_what_only_looks_like_another_type(message: str, code: str) -> None:
    """Brackets quote one value as well, and a status is no claim."""
    assert code == explain(message).code
