"""Claims of the wrong type, with an invalid value, or absent: claim_type_invalid, claim_value_invalid, claim_missing, claim_representation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from collector.events import TokenFacts

TEXT: Final = ("string",)
NUMBER: Final = ("integer", "number")
# JSON types that RFC 7519 (section 4.1) allows; aud as an array is legal, but not every library supports it.
TYPES: Final = {
    "iss": TEXT, "sub": TEXT, "jti": TEXT, "aud": ("string", "array"), "exp": NUMBER, "nbf": NUMBER, "iat": NUMBER,
    "azp": TEXT, "client_id": TEXT, "email": TEXT, "preferred_username": TEXT, "nonce": TEXT, "scope": ("string", "array"),
}  # fmt: skip
VALUES: Final = {
    "empty": "is empty",
    "blank": "is blank",
    "negative": "is negative",
    "null": "is null",
    "empty_array": "is an empty array",
    "malformed_email": "is not an e-mail address",
    "reversed": "is before `nbf`",
    "out_of_range": "is beyond the year 9999",
}
FORMS: Final = {
    "milliseconds": "is in milliseconds; RFC 7519 requires seconds",
    "fractional": "is a fractional number: valid, but rejected by libraries that expect an integer",
}
_ALWAYS_CHECKED: Final = ("sub", "exp", "iss", "aud", "iat", "nbf")


def rule(case: Case) -> Iterator[Finding]:
    """Types first, then values, then valid forms that some libraries do not support, then what is required."""
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
            says = f"`{claim}` is {a_type(kind)}; expected {a_type(allowed[0])}"
            strength = Strength.STRONG if claim in _ALWAYS_CHECKED else Strength.LIKELY
            yield Finding("claim_type_invalid", strength, "token", says, discriminant=claim)
    if ("aud", "mixed_array") in token.faults:
        says = "`aud` is an array with elements that are not strings"
        yield Finding("claim_type_invalid", Strength.STRONG, "token", says, discriminant="aud")


def a_type(kind: str) -> str:
    """A JSON type with its article."""
    return {
        "string": "a string",
        "integer": "a number",
        "number": "a number",
        "array": "an array",
        "object": "an object",
        "boolean": "a boolean",
    }.get(kind, kind)


def _values(token: TokenFacts) -> Iterator[Finding]:
    for claim, fault in token.faults:
        if fault in VALUES:
            is_strong = claim in _ALWAYS_CHECKED and fault != "reversed"
            strength = Strength.STRONG if is_strong else Strength.LIKELY
            yield Finding("claim_value_invalid", strength, "token", f"`{claim}` {VALUES[fault]}", discriminant=claim)


def _forms(token: TokenFacts) -> Iterator[Finding]:
    for claim, fault in token.faults:
        if fault in FORMS:
            strength = Strength.STRONG if fault == "milliseconds" and claim != "exp" else Strength.LIKELY
            says, frozen = f"`{claim}` {FORMS[fault]}", f"{claim} {fault}"
            yield Finding("claim_representation", strength, "token", says, discriminant=frozen)
    for name in ("aud", "scope", "scp"):
        if token.claim_type(name) == "array":
            says, frozen = f"`{name}` is an array", f"{name} list"
            yield Finding("claim_representation", Strength.HINT, "token", says, discriminant=frozen)


def _required(case: Case) -> Iterator[Finding]:
    token, required = case.event.token, case.expected.required_claims if case.expected else ()
    missing = [claim for claim in required if not token.claim_type(claim) and claim not in ("iss", "aud")]
    for claim in missing:
        says = f"the token has no `{claim}` claim, which this API requires"
        yield Finding("claim_missing", Strength.STRONG, "configuration", says, discriminant=claim)
    if "exp" not in missing and not token.claim_type("exp"):
        says = "the token has no `exp` claim"
        yield Finding("claim_missing", Strength.HINT, "token", says, discriminant="exp")
