"""A strong fact that brings about what the verifier named, or what would have been answered, is the answer."""

from __future__ import annotations

import pytest

from analyzer.diagnosis.findings import Finding, Strength
from analyzer.diagnosis.weigh import ORDER, decide, weights
from analyzer.knowledge import read_words
from analyzer.taxonomy import CODES


def found(*codes: str) -> list[Finding]:
    return [Finding(code, Strength.STRONG, "token", code) for code in codes]


def test_without_words_a_root_cause_goes_before_an_earlier_check() -> None:
    """An ID token's audience is the client: that it is an ID token explains it."""
    decision = decide((), weights(found("audience_mismatch", "token_use_invalid")))

    assert decision.code == "token_use_invalid"
    assert "audience_mismatch" in dict(decision.lost)


@pytest.mark.parametrize(
    ("words", "facts", "code"),
    [
        ("jwt_verify(0)", ("issuer_not_trusted",), "issuer_not_trusted"),
        ("jwt_verify(0)", ("key_type_mismatch", "alg_not_allowed"), "alg_not_allowed"),
        ("jwt_verify(0)", ("alg_not_allowed", "token_use_invalid"), "token_use_invalid"),
        ("jwt_verify(-1)", ("jwe_unsupported",), "jwe_unsupported"),
        ("jwt_verify(0)", ("audience_mismatch",), "signature_invalid"),
    ],
)
def test_the_words_name_a_symptom(words: str, facts: tuple[str, ...], code: str) -> None:
    """Also over two steps; a fact that explains nothing of the words leaves them alone."""
    decision = decide(tuple(read_words(words, "haproxy")), weights(found(*facts)))

    assert decision.code == code


def test_two_that_explain_each_other_keep_the_order_of_checks() -> None:
    """Several credentials and an odd scheme: which is which cannot be told, the earlier check is named."""
    assert decide((), weights(found("scheme_invalid", "credential_ambiguous"))).code == "credential_ambiguous"


def test_every_code_has_its_place_in_the_order() -> None:
    """A code that ORDER does not have would lose to every other one."""
    assert set(ORDER) == set(CODES) - {"unclassified"}
