"""What was expected, what came in its place, and which scopes are missing: the values that a fix names, side by side."""

from __future__ import annotations

from typing import Final, NamedTuple

from analyzer.diagnosis.findings import Case
from analyzer.diagnosis.fix_values import Values, accepted

MAX_VALUES: Final = 5  # of a list
MAX_TEXT: Final = 300  # characters of a side
# Code -> the placeholders of a fix that hold what came and what was expected.
SIDES: Final = {
    "issuer_not_trusted": ("issuer", "expected_issuer"),
    "issuer_missing": ("", "expected_issuer"),
    "audience_mismatch": ("audience", "expected_audience"),
    "audience_missing": ("", "expected_audience"),
    "alg_not_allowed": ("alg", "expected_alg"),
    "alg_none": ("alg", "expected_alg"),
    "key_not_found": ("kid", ""),
    "claim_missing": ("", "claim"),
    "user_claim_missing": ("", "claim"),
}
_SCOPE: Final = "scope_insufficient"


class Comparison(NamedTuple):
    """The columns of a failure; "" is not known, or the code is about no value."""

    expected: str = ""
    received: str = ""
    missing_scope: str = ""


def comparison(case: Case, code: str, values: Values) -> Comparison:
    """Of the code decided for."""
    if code == _SCOPE:
        return _scopes(case, values)
    received, expected = SIDES.get(code, ("", ""))
    return Comparison(expected=_expected(case, expected, values), received=_short(values.get(received)))


def _expected(case: Case, name: str, values: Values) -> str:
    """What the message says or what was nearly matched; else whatever would be accepted."""
    found, others = values.get(name), accepted(name, case)
    is_one_of_many = not found or (name == "expected_alg" and found in others)
    return _short(", ".join(others[:MAX_VALUES]) if others and is_one_of_many else found)


def _scopes(case: Case, values: Values) -> Comparison:
    required = case.expected.required_scopes if case.expected else ()
    found, token = values.get("scope"), case.event.token
    lacking = [scope for scope in required if scope not in token.scopes]
    missing = lacking if found in ("", *lacking) else [found]
    return Comparison(
        expected=_short(" ".join(required or missing)),
        received=_short(" ".join(token.scopes)),
        missing_scope=_short(" ".join(missing[:MAX_VALUES])),
    )


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
