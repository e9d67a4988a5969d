"""Confidence: what words alone can promise, what the token adds, and what is named beside the answer."""

from __future__ import annotations

import json

import pytest

from analyzer.diagnosis.surety import SURE, SYMPTOM, Fitted, fitted, likely
from analyzer.diagnosis.weigh import CAUSES, EXPLAINS
from analyzer.verdicts import Diagnosis
from collector.settings import Settings
from why401.explainer import Explainer

# Words of no product's, each for a code that other faults are reported as, too.
SYMPTOMS = {
    "the signature of the token could not be verified": "signature_invalid",
    "no key with this kid is in the key set": "key_not_found",
    "the access token could not be parsed": "token_malformed",
    "no bearer token was sent with the request": "token_missing",
}
CAUSES_ALONE = {
    "required claim exp is not in the token": "claim_missing",
    "the token has no iss claim": "issuer_missing",
    "claim nbf must be a number, not a string": "claim_type_invalid",
}


def explain(message: str, **fields: object) -> Diagnosis:
    record = {"time": "2031-02-03T04:05:06Z", "level": "error", "status": 401, "message": message} | fields
    found = Explainer(Settings()).explain(json.dumps(record)).diagnosis
    assert found is not None
    return found


@pytest.mark.parametrize("message", SYMPTOMS)
def test_words_for_a_symptom_are_not_sure_of_its_cause(message: str) -> None:
    """The code is told, under SURE, beside what else is reported so, and with what to log."""
    found = explain(message)

    assert (found.code, found.confidence < SURE) == (SYMPTOMS[message], True)
    assert {rival.code for rival in found.rivals} & set(CAUSES[found.code])
    assert any("Authorization" in text for text in found.missing)


@pytest.mark.parametrize("message", CAUSES_ALONE)
def test_words_for_a_cause_are_sure(message: str) -> None:
    """Nothing else is reported so."""
    found = explain(message)

    assert (found.code, found.confidence >= SURE) == (CAUSES_ALONE[message], True)


def test_the_token_beside_the_words_makes_them_sure() -> None:
    """The same words, and the log shows what they are about."""
    message = "the access token could not be parsed"
    shown = explain(message, method="GET", path="/berths", authorization="Bearer null")

    assert (shown.code, shown.confidence >= SURE) == ("token_malformed", True)
    assert explain(message).confidence < shown.confidence


def test_a_symptom_stays_under_its_limit_whatever_the_words() -> None:
    """The share of refusals whose fault it was decides, not how clear the words are."""
    clear = {"said": 9.0, "unseen": 1.0}
    by = Fitted({"said": 1.0}, {"signature_invalid": 0.5, "token_expired": 0.9})

    assert likely("signature_invalid", clear, by) == SYMPTOM
    assert likely("token_expired", clear, by) > SURE
    assert likely("signature_invalid", {"said": 9.0, "seen": 1.0}, by) > SURE


def test_what_is_not_weighed_counts_nothing() -> None:
    """A feature that a newer version has and an older fit has not."""
    assert likely("token_expired", {"something new": 5.0}, Fitted({}, {})) == 0.5


def test_what_is_shipped_has_a_share_for_every_code_that_others_explain() -> None:
    """Each between none and all of the refusals."""
    explained = {symptom for symptoms in EXPLAINS.values() for symptom in symptoms}

    assert explained <= fitted().roots.keys()
    assert all(0 <= share <= 1 for share in fitted().roots.values())
