"""Claims of the wrong type, with an impossible value, or absent: claim_type_invalid, claim_value_invalid, claim_missing, claim_representation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from collector.events import TokenFacts

TEXT: Final = ("string",)
NUMBER: Final = ("integer", "number")
# JSON types that RFC 7519 (section 4.1) allows; aud as a list is legal and yet not read by every library.
TYPES: Final = {
    "iss": TEXT, "sub": TEXT, "jti": TEXT, "aud": ("string", "array"), "exp": NUMBER, "nbf": NUMBER, "iat": NUMBER,
    "azp": TEXT, "client_id": TEXT, "email": TEXT, "preferred_username": TEXT, "nonce": TEXT, "scope": ("string", "array"),
}  # fmt: skip
VALUES: Final = {
    "empty": "is empty",
    "blank": "is blank",
    "negative": "is negative",
    "null": "is null",
    "empty_array": "is an empty list",
    "malformed_email": "is no e-mail address",
    "reversed": "lies before nbf",
    "out_of_range": "lies beyond the year 9999",
}
FORMS: Final = {
    "milliseconds": "counts milliseconds; RFC 7519 counts seconds",
    "fractional": "is a fractional number: legal, and refused by libraries that read integers only",
}


def rule(case: Case) -> Iterator[Finding]:
    """Types first, then values, then legal forms that some libraries do not read, then what is required."""
    if not case.shows_claims:
        return
    token = case.event.token
    yield from _types(token)
    yield from _values(token)
    yield from _forms(token)
    yield from _required(case)


def _types(token: TokenFacts) -> Iterator[Finding]:
    for claim, allowed in TYPES.items():
        kind = token.claim_type(claim)
        if kind and kind not in allowed and kind != "null":
            says = f"{claim} is {_a(kind)}; its specification wants {' or '.join(map(_a, allowed[:1]))}"
            strength = Strength.STRONG if claim != "email" else Strength.LIKELY
            yield Finding("claim_type_invalid", strength, "token", says, discriminant=claim)
    if ("aud", "mixed_array") in token.faults:
        says = "aud is a list with something other than text in it"
        yield Finding("claim_type_invalid", Strength.STRONG, "token", says, discriminant="aud")


def _a(kind: str) -> str:
    return {
        "string": "text",
        "integer": "a number",
        "number": "a number",
        "array": "a list",
        "object": "an object",
    }.get(kind, kind)


def _values(token: TokenFacts) -> Iterator[Finding]:
    for claim, fault in token.faults:
        if fault in VALUES:
            strong = claim in ("sub", "exp", "iss", "aud", "iat", "nbf")
            strength = Strength.STRONG if strong and fault != "reversed" else Strength.LIKELY
            yield Finding("claim_value_invalid", strength, "token", f"{claim} {VALUES[fault]}", discriminant=claim)


def _forms(token: TokenFacts) -> Iterator[Finding]:
    for claim, fault in token.faults:
        if fault in FORMS:
            strength = Strength.STRONG if fault == "milliseconds" and claim != "exp" else Strength.LIKELY
            yield Finding(
                "claim_representation", strength, "token", f"{claim} {FORMS[fault]}", discriminant=f"{claim} {fault}"
            )
    if token.claim_type("aud") == "array":
        yield Finding("claim_representation", Strength.HINT, "token", "aud is a list", discriminant="aud list")
    for name in ("scope", "scp"):
        if token.claim_type(name) == "array":
            yield Finding(
                "claim_representation", Strength.HINT, "token", f"{name} is a list", discriminant=f"{name} list"
            )


def _required(case: Case) -> Iterator[Finding]:
    token, expected = case.event.token, case.expected
    required = expected.required_claims if expected else ()
    missing = [claim for claim in required if not token.claim_type(claim) and claim not in ("iss", "aud")]
    for claim in missing:
        yield Finding(
            "claim_missing",
            Strength.STRONG,
            "configuration",
            f"the token lacks {claim}, which is required",
            discriminant=claim,
        )
    if "exp" not in missing and not token.claim_type("exp"):
        yield Finding("claim_missing", Strength.HINT, "token", "the token has no exp", discriminant="exp")
