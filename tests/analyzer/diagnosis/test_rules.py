"""One case per fault: a record with a real token in, the code and its evidence out. With the gateway's words and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest

from analyzer.diagnosis.comparison import MAX_TEXT
from analyzer.verdicts import Diagnosis
from collector.settings import IssuerSettings, Settings
from tests.tokens import ISSUER, b64, jwks, part, raw, token
from why401.explainer import Explainer

AT = 1772532000  # 2026-03-03T10:00:00Z, the records' time
RS = {"alg": "RS256", "typ": "JWT", "kid": "k1"}


def good(**claims: Any) -> dict[str, Any]:
    return {"iat": AT - 10, "exp": AT + 600} | claims


def payload(**claims: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": "orders-api", "sub": "u"} | good(**claims)


@dataclass(frozen=True)
class Fault:
    """One broken request."""

    code: str
    says: str
    authorization: Callable[[], str]
    words: str = ""  # what the gateway says of it
    record: dict[str, Any] = field(default_factory=dict)


def bearer(**claims: Any) -> Callable[[], str]:
    return lambda: "Bearer " + token(**good(**claims))


FAULTS = {
    "expired": Fault("token_expired", "expired 15 min before the request (leeway 60 s)", bearer(exp=AT - 900), "Jwt_is_expired"),
    "expired within the leeway, and the gateway grants none": Fault("token_expired", "expired 30 s before", bearer(exp=AT - 30), "Jwt_is_expired"),
    "not yet valid": Fault("clock_skew", "`nbf` is 10 min after the request (leeway 60 s)", bearer(nbf=AT + 601), "Jwt_not_yet_valid"),
    "issuer without its slash": Fault("issuer_not_trusted", "the trailing slash is missing", bearer(iss=ISSUER[:-1]), "Jwt_issuer_is_not_configured"),
    "issuer over http": Fault("issuer_not_trusted", "`http` instead of `https`", bearer(iss=ISSUER.replace("https", "http"))),
    "unknown issuer": Fault("issuer_not_trusted", "trusted issuers: `", bearer(iss="https://evil.example.net/"), "Jwt_issuer_is_not_configured"),
    "no issuer": Fault("issuer_missing", "no `iss` claim", bearer(iss=None), "Jwt_issuer_is_not_configured"),
    "wrong audience": Fault("audience_mismatch", "`aud` is `billing-api`; this API accepts `orders-api`", bearer(aud="billing-api"), "Audiences_in_Jwt_are_not_allowed"),
    "no audience": Fault("audience_missing", "no `aud` claim", bearer(aud=None), "Audiences_in_Jwt_are_not_allowed"),
    "unknown key": Fault("key_not_found", "no key with kid `stranger` in the key set of https://", bearer(key="stranger"), "Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt"),
    "signed by another key": Fault(
        "signature_invalid", "does not verify", lambda: "Bearer " + token(key="stranger", headers={"kid": "k1"}, **good()), "Jwt_verification_fails"
    ),
    "signature cut": Fault("token_truncated", "fewer than RS256 produces", lambda: bearer()()[:-40], "Jwt_verification_fails"),
    "cut inside the payload": Fault("token_truncated", "ends inside", lambda: bearer()()[:160]),
    "no credential": Fault("token_missing", "it is empty", lambda: "-", "Jwt_is_missing"),
    "only the scheme": Fault("token_missing", "without a token", lambda: "Bearer", "Jwt_is_missing"),
    "preflight": Fault("preflight_blocked", "preflight", lambda: "-", "Jwt_is_missing", {"method": "OPTIONS"}),
    "doubled scheme": Fault("scheme_invalid", "repeated", lambda: "Bearer " + bearer()(), "Jwt_is_not_in_the_form_of_Header.Payload.Signature_with_two_dots_and_3_sections"),
    "no scheme": Fault("scheme_invalid", "`Bearer` scheme is missing", lambda: token(**good()), "Jwt_is_missing"),
    "basic": Fault("scheme_invalid", "not `Bearer`: `Basic`", lambda: "Basic dXNlcjpwYXNzd29yZA==", "Jwt_is_missing"),
    "quoted": Fault("scheme_invalid", "quotes", lambda: f'"{bearer()()}"', "Jwt_is_missing"),
    "two tokens": Fault("credential_ambiguous", "carries 2 credentials", bearer(), "Found_multiple_Jwt_tokens", {"path": f"/a?access_token={token()}"}),
    "null": Fault("token_malformed", "`null`", lambda: "Bearer null", "Jwt_is_not_in_the_form_of_Header.Payload.Signature_with_two_dots_and_3_sections"),
    "opaque": Fault("token_opaque", "reference token", lambda: "Bearer 2YotnFZFEjr1zCsicMWpAA0123456789", "Jwt_is_not_in_the_form_of_Header.Payload.Signature_with_two_dots_and_3_sections"),
    "encrypted": Fault(
        "jwe_unsupported", "five parts", lambda: "Bearer " + ".".join([part({"alg": "RSA-OAEP", "enc": "A256GCM"}), "a", "b", "c", "d"]),
        "Jwt_is_not_in_the_form_of_Header.Payload.Signature_with_two_dots_and_3_sections",
    ),
    "payload no JSON": Fault("token_malformed", "payload is not JSON", lambda: "Bearer " + raw(RS, "nonsense")),
    "unsigned": Fault("alg_none", "not signed", lambda: f"Bearer {part({'alg': 'none'})}.{part(payload())}.", "Jwt_header_[alg]_is_not_supported"),
    "symmetric": Fault("alg_not_allowed", "accepts `RS256`", lambda: "Bearer " + jwt.encode(payload(), "s" * 32), "Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt"),
    "crit": Fault("header_unsupported", "`crit` lists `exp`", lambda: "Bearer " + token(headers={"crit": ["exp"], "exp": 1}, **good())),
    "exp as text": Fault("claim_type_invalid", "`exp` is a string; expected a number", bearer(exp=str(AT + 600)), "Jwt_payload_[exp]_field_is_not_an_integer"),
    "sub as a number": Fault("claim_type_invalid", "`sub` is a number; expected a string", lambda: "Bearer " + raw(RS, payload(sub=17))),
    "empty sub": Fault("claim_value_invalid", "`sub` is empty", bearer(sub="")),
    "iat in milliseconds": Fault("claim_representation", "milliseconds", bearer(iat=(AT - 10) * 1000)),
    "no sub": Fault("user_claim_missing", "no user claim (expected `sub`); `email` is present instead", bearer(sub=None, email="x@example.com")),
    "no exp": Fault("claim_missing", "no `exp` claim, which this API requires", bearer(exp=None)),
    "refresh token, whose key only its issuer has": Fault(
        "token_use_invalid", "refresh token", bearer(key="stranger", token_use="refresh"), "Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt"
    ),
    "refresh token": Fault("token_use_invalid", "refresh token", bearer(token_use="refresh")),
    "headers too large": Fault("header_too_large", "431", lambda: "-", record={"response_code": 431, "response_code_details": "request_headers_too_large"}),
    "rate limited": Fault("caller_blocked", "429", bearer(), record={"response_code": 429}),
    "upstream says no": Fault("upstream_rejected", "the upstream answered 403", bearer(), record={"response_code": 403, "response_code_details": "via_upstream", "upstream_host": "10.0.0.9:80"}),
    "RBAC": Fault("access_denied", "", bearer(), record={"response_code": 403, "response_code_details": "rbac_access_denied_matched_policy[none]"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def explainer(tmp_path_factory: pytest.TempPathFactory) -> Explainer:
    """Configured as the operator of one issuer would."""
    file: Path = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_text(json.dumps(jwks("k1")))
    issuer = IssuerSettings(issuer=ISSUER, audiences=("orders-api",), jwks=str(file))
    return Explainer(Settings(issuers=(issuer,)))


def explained(explainer: Explainer, fault: Fault, *, with_words: bool) -> Diagnosis:
    record = {
        "start_time": "2026-03-03T10:00:00.000Z",
        "method": "GET",
        "path": "/orders",
        "response_code": 401,
        "response_code_details": f"jwt_authn_access_denied{{{fault.words}}}" if with_words else "-",
        "response_flags": "-",
        "authorization": fault.authorization(),
        "upstream_host": "-",
    } | fault.record
    diagnosis = explainer.explain(json.dumps(record)).diagnosis
    assert diagnosis is not None
    return diagnosis


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.words or fault.record])
def test_with_the_gateways_words(explainer: Explainer, name: str) -> None:
    """The words help where they are right and do not harm where they are vague."""
    fault = FAULTS[name]
    diagnosis = explained(explainer, fault, with_words=True)

    assert (fault.code, True) == (diagnosis.code, fault.says in " ".join(e.says for e in diagnosis.evidence))


@pytest.mark.parametrize(
    "name", [name for name, fault in FAULTS.items() if "leeway" not in name and "RBAC" not in name]
)
def test_without_the_gateways_words(explainer: Explainer, name: str) -> None:
    """The token, its time and the configuration say it alone."""
    fault = FAULTS[name]
    diagnosis = explained(explainer, fault, with_words=False)

    assert fault.code == diagnosis.code


def test_a_good_token_is_not_blamed(explainer: Explainer) -> None:
    """A 401 that nothing explains is unclassified, with what would settle it."""
    diagnosis = explained(explainer, Fault("", "", bearer()), with_words=False)

    assert ("unclassified", True) == (diagnosis.code, "RESPONSE_CODE_DETAILS" in " ".join(diagnosis.missing))


def test_what_would_fail_next_is_named(explainer: Explainer) -> None:
    """A token with three faults: the first check's code, and the others in order."""
    fault = Fault("", "", bearer(iss=ISSUER[:-1], exp=AT - 900, sub=None))
    diagnosis = explained(explainer, fault, with_words=False)

    assert ("issuer_not_trusted", "token_expired") == (diagnosis.code, diagnosis.also[0])


def test_words_that_the_token_refutes_lose(explainer: Explainer) -> None:
    """The gateway says expired; exp lies ahead and the audience is wrong."""
    fault = Fault("", "", bearer(aud="billing"), "Jwt_is_expired")
    diagnosis = explained(explainer, fault, with_words=True)

    assert "audience_mismatch" == diagnosis.code
    assert "token_expired" in [rival.code for rival in diagnosis.rivals]


@pytest.mark.parametrize(
    ("claims", "words", "title"),
    [
        ({"sub": None}, "", "The token has no user claim (expected `sub`)."),
        ({"email": None}, "user claim email not found in token", "The token has no user claim (expected `email`)."),
    ],
)
def test_a_missing_user_claim_is_named(explainer: Explainer, claims: dict[str, None], words: str, title: str) -> None:
    """As configured, or as the gateway's message names it."""
    fault = Fault("user_claim_missing", "", bearer(**claims), record={"response_code_details": words or "-"})
    diagnosis = explained(explainer, fault, with_words=False)

    assert ("user_claim_missing", title) == (diagnosis.code, diagnosis.title)


def test_every_answer_has_a_title_a_fix_and_evidence(explainer: Explainer) -> None:
    """No empty panel on the page."""
    for fault in FAULTS.values():
        diagnosis = explained(explainer, fault, with_words=bool(fault.words))

        assert all((diagnosis.title, diagnosis.fix, diagnosis.evidence)), diagnosis.code


def test_a_bare_token_is_explained() -> None:
    """With or without its scheme; a good one is ok."""
    explainer = Explainer(Settings())

    codes = [
        explainer.explain(text).diagnosis.code
        for text in (token(), f"Bearer {token()}", f"Authorization: Bearer {token()}", token(exp=AT - 999))
    ]

    assert ["ok", "ok", "ok", "token_expired"] == codes


def test_no_secret_in_any_answer(explainer: Explainer) -> None:
    """Neither evidence nor event repeats a piece of the token."""
    for fault in FAULTS.values():
        value = fault.authorization()
        shown = repr(explained(explainer, fault, with_words=True))

        assert [] == [piece for piece in value.replace(" ", ".").split(".") if len(piece) > 12 and piece in shown]


def test_b64_is_what_the_faults_are_made_with() -> None:
    """The helper writes base64url without padding."""
    assert "-_8" == b64(b"\xfb\xff")


SCOPED = IssuerSettings(
    issuer=ISSUER,
    audiences=("orders-api", "billing-api"),
    required_scopes=("read", "write", "ship"),
    algorithms=("RS256", "ES256"),
)
SIDES = {
    "issuer without its slash": (ISSUER, ISSUER[:-1], ""),
    "no issuer": (ISSUER, "", ""),
    "wrong audience": ("orders-api", "billing-api", ""),
    "no audience": ("orders-api", "", ""),
    "unknown key": ("", "stranger", ""),
    "symmetric": ("RS256", "HS256", ""),
    "no exp": ("exp", "", ""),
    "no sub": ("sub", "", ""),
    "expired": ("", "", ""),  # about no value
    "sub as a number": ("", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", SIDES)
def test_what_was_expected_and_what_came(explainer: Explainer, name: str) -> None:
    """Both sides of the comparison that the code is about, each "" where it has none."""
    found = explained(explainer, FAULTS[name], with_words=bool(FAULTS[name].words))

    assert SIDES[name] == (found.expected, found.received, found.missing_scope)


@pytest.mark.parametrize(
    ("fault", "sides"),
    [
        (Fault("scope_insufficient", "", bearer(scope="read mail"), "", {"response_code": 403}), ("read write ship", "read mail", "write ship")),
        (Fault("audience_mismatch", "", bearer(scope="read write ship", aud="shop"), "Audiences_in_Jwt_are_not_allowed"), ("orders-api, billing-api", "shop", "")),
        (Fault("audience_mismatch", "", bearer(scope="read write ship", aud="Orders-API"), "Audiences_in_Jwt_are_not_allowed"), ("orders-api", "Orders-API", "")),
    ],
)  # fmt: skip
def test_of_several_that_would_do(fault: Fault, sides: tuple[str, str, str]) -> None:
    """All are listed, unless one of them was nearly matched; every scope that is missing is named."""
    found = explained(Explainer(Settings(issuers=(SCOPED,))), fault, with_words=True)

    assert (fault.code, sides) == (found.code, (found.expected, found.received, found.missing_scope))


def test_a_side_is_bounded(explainer: Explainer) -> None:
    """An audience that goes on and on does not make a row long."""
    found = explained(explainer, Fault("", "", bearer(aud="orders-" + "very-" * 200), ""), with_words=True)

    assert len(found.received) <= MAX_TEXT
