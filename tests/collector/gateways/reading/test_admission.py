"""What is admitted as a refusal: the knowledge base's sentences are, the log lines of programs about something else are not."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from analyzer.knowledge.products import facts
from collector.gateways.reading import admission
from collector.gateways.reading.admission import AT_INFO, AT_WARN, is_admitted, probability

LINES = (Path(__file__).parents[3] / "fixtures" / "harmless.txt").read_text(encoding="utf-8").splitlines()
HARMLESS = [line for line in LINES if line and not line.startswith("#")]


OF_THE_OPERATOR = {"auth_not_configured", "gateway_error", "caller_blocked", "login_flow_failed"}
SURE = 0.7


def examples(*, all_codes: bool = False) -> list[str]:
    """Sentences that a signature reads; up to three words are a gateway's own fragment, which its parser reads."""
    contents = [content for kind in ("gateway", "library") for _, content in facts(kind, "words")]
    signatures = [signature for content in contents for signature in content["signature"]]
    sure = [each for each in signatures if each["certainty"] >= (0.5 if all_codes else SURE)]
    kept = [each for each in sure if all_codes or each["code"] not in OF_THE_OPERATOR]
    return [text for each in kept for text in each.get("examples", ()) if len(text.split()) > 3]


def left_out(texts: list[str]) -> list[str]:
    return [text for text in texts if not is_admitted(text)]


def test_what_the_knowledge_base_reads_is_admitted() -> None:
    """What is wrong with the credential or its caller: 99.5 % at WARN when the table was trained (3,629 sentences).

    Entries that are written later may bring it down to 99 %; `python -m benchmarks.admission --write` then learns them.
    """
    known = examples()

    assert len(known) > 1_800
    assert len(left_out(known)) <= len(known) * 0.01, left_out(known)


def test_what_is_wrong_with_the_verifier_is_admitted() -> None:
    """With what is the operator's doing, whose words are about many things: 98.3 % of 5,024 when the table was trained."""
    known = examples(all_codes=True)

    assert len(left_out(known)) <= len(known) * 0.03, left_out(known)


def test_harmless_lines_stay_out() -> None:
    """At most 1 % of some three hundred lines of public products, even at ERROR; these lines train nothing."""
    admitted = [line for line in HARMLESS if is_admitted(line)]

    assert len(HARMLESS) > 300
    assert len(admitted) <= len(HARMLESS) * 0.01, admitted


def test_progress_at_info_stays_out() -> None:
    """At INFO the bar is higher: hardly any of them passes."""
    assert len([line for line in HARMLESS if is_admitted(line, is_calm=True)]) <= len(HARMLESS) * 0.005


@pytest.mark.parametrize(
    "text",
    [
        "the caller's pass was refused: token made by an unknown signer",
        "JWT is meant for another audience",
        "Not enough scope for this operation",
        "Caller may not do this: permission denied",
        "upstream says 401 for the bearer token",
        "kid of the token is not in the key set",
        "could not reach the issuer's JWKS endpoint",
        "Token lifetime exceeded",
        "the session's credential was revoked",
    ],
)
def test_a_sentence_of_nobody_is_admitted(text: str) -> None:
    """The vocabulary carries over to sentences that no product has written."""
    assert probability(text) >= AT_WARN


@pytest.mark.parametrize(
    "text", ["The jti was already used", "nbf lies in the future", "no jwk for this kid", "jwks: wrong content type"]
)
def test_what_only_tokens_have_is_about_tokens(text: str) -> None:
    """At WARN; a registered name and a word of something wrong are enough, whatever else the sentence says."""
    assert admission.is_admitted(text)


@pytest.mark.parametrize(
    "text",
    [
        "Token expires at: Tue Mar 3 11:00:00 UTC 2026",
        "session expiry: 30m",
        "token for svc-a expires in 3600 s",
        "expiration time: 1772532000",
    ],
)
def test_when_something_expires_is_no_fault(text: str) -> None:
    """A term is announced with every token that is issued."""
    assert not admission.is_admitted(text, is_calm=True)
    assert not admission.is_negative(text)
    assert admission.is_negative("token expired at: Tue Mar 3 11:00:00 UTC 2026")


@pytest.mark.parametrize(
    "text",
    [
        "HTTP Request to /auth/login failed, error id: 7: java.lang.NullPointerException",
        "POST /oauth/token failed: org.hibernate.exception.JDBCConnectionException: Unable to acquire JDBC Connection",
        "Reconciler error: InternalFailure: status code: 500, request id: 617ba366",
    ],
)
def test_a_fault_at_the_logins_address_is_no_refusal(text: str) -> None:
    """The path's names are no words, and a 5xx of any service is none of ours."""
    assert not admission.is_admitted(text)
    assert admission.is_admitted("HTTP Request to /auth/login failed: the token has expired")


def test_of_several_lines_the_likeliest_counts() -> None:
    """An exception below a sentence that says nothing."""
    assert probability("request failed\ncom.example.Refused: JWT signature is not valid") >= AT_INFO


@pytest.mark.parametrize("text", ["", " ", "\n\n", "…", "=" * 100_000, "aB" * 100_000, "token " * 100_000])
def test_any_text_has_a_probability(text: str) -> None:
    """Bounded in what it reads, and between 0 and 1."""
    assert 0 <= probability(text) <= 1


def test_the_probability_does_not_depend_on_the_order_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set has another order in each process; a sentence on the bar was admitted by some of them."""
    monkeypatch.setattr(admission, "_table", lambda: ({"a": 1e16, "b": 1.0, "c": -1e16}, 0.0))
    found = set()
    for ordered in permutations("abc"):
        monkeypatch.setattr(admission, "features", lambda _line, ordered=ordered: ordered)
        found.add(admission._of_line.__wrapped__("any"))

    assert 1 == len(found)


@pytest.mark.parametrize(
    "text",
    [
        "storage claim denied: the pool is exhausted",
        "claim 70021 rejected: the policy has expired",
        "target audience missing for spot 12",
        "function signature mismatch in plugin 7",
        "card issuer rejected the payment",
        "document signature expired, reminder sent",
    ],
)
def test_words_in_another_sense_refuse_nobody(text: str) -> None:
    """Claims of the insured, audiences of spots, signatures on paper; beside a token they mean what they mean here."""
    assert not admission.is_admitted(text)
    assert admission.is_admitted(f"{text}: invalid bearer token")


@pytest.mark.parametrize(
    "thing", ["delivery van", "harvest", "lottery ticket", "boiler", "exam", "parcel label", "invoice"]
)
@pytest.mark.parametrize(
    "fault", ["{} expired", "{} rejected", "invalid {}", "{} is missing", "{} verification failed"]
)
def test_faults_of_everyday_things_refuse_nobody(thing: str, fault: str) -> None:
    """What expires, is rejected or is missing every day is no credential."""
    assert not admission.is_admitted(fault.format(thing))
