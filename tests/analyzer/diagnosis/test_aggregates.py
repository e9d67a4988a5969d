"""One message that lists several errors, bare status phrases, and wrappers around what nobody knows."""

from __future__ import annotations

import pytest

from analyzer.diagnosis.aggregates import PARTS, parts
from analyzer.diagnosis.messages import is_bare_status
from analyzer.knowledge.match import Knowledge
from analyzer.knowledge.signatures import Signature, signatures_of
from collector.settings import Settings
from why401.explainer import Explainer


def code(message: str) -> str:
    found = Explainer(Settings()).explain(message).diagnosis
    assert found is not None
    return found.code


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("token refused, 2 errors: the audience does not match; the issuer is not trusted", "issuer_not_trusted"),
        (
            "3 errors occurred:\n\t* token is expired\n\t* wrong audience\n\t* the signature is invalid",
            "signature_invalid",
        ),
        ("Validation errors: the token was issued for another audience; the token has no subject", "audience_mismatch"),
        ('verification errors: ["wrong audience in token", "the token has expired"]', "token_expired"),
        ("multiple errors: 1. the audience does not match 2. the token has expired", "token_expired"),
    ],
)
def test_the_first_check_decides(message: str, expected: str) -> None:
    """A validator that goes on after the first fault lists all; the order of the list says nothing."""
    assert code(message) == expected


KLOG = "E0303 10:00:00.000001       1 authentication.go:65] Unable to authenticate the request due to an error: "


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            f"{KLOG}[x509: certificate has expired or is not yet valid, x509: certificate has expired]",
            "sender_constraint_failed",
        ),
        (f"{KLOG}[x509: certificate signed by unknown authority, oidc: the token has expired]", "token_expired"),
        (f'{KLOG}[oidc: get "https://idp.example.org/keys": connection refused, tls: gone away]', "jwks_unreachable"),
    ],
)
def test_what_a_product_writes_of_one_error_holds_in_its_lists(message: str, expected: str) -> None:
    """A certificate in a list of authenticators is the caller's, as it is when the product reports it alone."""
    assert code(message) == expected


def test_a_class_that_names_the_reason_is_no_bare_status() -> None:
    """A thrown error without a message says by its name what was wrong, or nothing."""
    assert (
        code("Acme.Shop.Security.GizmoInvalidAudienceException:\n   at Acme.Shop.Gate.Check()") == "audience_mismatch"
    )
    assert is_bare_status("Acme.Http.RequestException: 401 Unauthorized")


def test_markup_is_no_words() -> None:
    """The names of elements say what a body may hold."""
    assert (
        code("<Fault><Session>7</Session><State/><Message>the token has expired</Message></Fault>") == "token_expired"
    )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Unable to authenticate: [signature of the token is invalid, oidc: the token has expired]", "token_expired"),
        ("Unable to authenticate: [unknown token format, oidc: audience does not match]", "audience_mismatch"),
    ],
)
def test_of_a_chain_the_authenticator_that_got_farthest_decides(message: str, expected: str) -> None:
    """Another one's keys do not fit a token of this one: that is why there are two."""
    assert code(message) == expected


def test_the_other_errors_are_named() -> None:
    """Each is a rival of the one that decides."""
    found = Explainer(Settings()).explain("2 errors: the audience does not match; the token has expired").diagnosis

    assert found is not None
    assert "audience_mismatch" in [rival.code for rival in found.rivals]


@pytest.mark.parametrize(
    "text",
    [
        'expected audience in ["orders", "billing"] got ["account"]', "allowed algorithms: [RS256, ES256]", "error: token expired",
        "errors: none", "[auth] token expired", "claims: a, b, c", "Error: jwt malformed, at verify", "", "[", "errors: [", "a" * 5000,
        "errors: " + "token expired; " * (PARTS + 1),
    ],
)  # fmt: skip
def test_what_is_no_list_is_one_message(text: str) -> None:
    """Values in brackets, a single error, more than a validator would list."""
    assert parts(text)[0] == ()


@pytest.mark.parametrize(
    "text",
    ["Unauthorized", "401 Unauthorized", "HTTP 403: Forbidden", "UnauthorizedException: Unauthorized", "Request failed with status code 401"],
)  # fmt: skip
def test_a_bare_status_says_nothing(text: str) -> None:
    """Of any product: which is why it is nobody's signature. A log of the product whose answer it is knows better."""
    assert is_bare_status(text)
    assert code(f'{{"level": "error", "status": 401, "msg": "{text}"}}') == "unclassified"
    assert code(f'{{"level": "error", "status": 401, "msg": "{text}: the token has expired"}}') == "token_expired"


def test_a_sure_wrapper_goes_before_an_unclear_message_in_it() -> None:
    """What is inside counts when it says something; else the wrapper says what it says itself."""
    rows = [
        {"pattern": "gangway closed: {inner}", "code": "login_flow_failed", "certainty": 0.8},
        {"pattern": "something is wrong", "code": "gateway_error", "certainty": 0.35},
        {"pattern": "ticket of another harbour", "code": "audience_mismatch", "certainty": 0.9},
    ]
    known = Knowledge([one for number, row in enumerate(rows) for one in _signatures(number, row)])

    assert known.read("gangway closed: something is wrong")[0].code == "login_flow_failed"
    assert known.read("gangway closed: ticket of another harbour")[0].code == "audience_mismatch"


def _signatures(number: int, row: dict[str, object]) -> list[Signature]:
    shown = {"id": f"harbour.{number}", "source": "harbour.py", "examples": ["as printed"], "near_misses": ["another"]}
    return list(signatures_of("harbour.toml", {"library": "harbour", "signature": [shown | row]}))
