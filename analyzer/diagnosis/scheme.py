"""How the credential was wrapped: scheme_invalid, and the values that are no token at all (token_malformed)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength

WRONG: Final = {
    "scheme_missing": (Strength.STRONG, "the Authorization header holds a bare token: the word Bearer is missing"),
    "scheme_doubled": (Strength.PROOF, "the word Bearer stands twice"),
    "scheme_colon": (Strength.PROOF, "a colon or equals sign follows the scheme"),
    "scheme_quoted": (Strength.PROOF, "the header's value is in quotes"),
    "scheme_misspelt": (Strength.PROOF, "the scheme is misspelt"),
    "scheme_other": (Strength.STRONG, "another scheme than Bearer"),
    "scheme_glued": (Strength.PROOF, "no space between the scheme and the token"),
    "value_quoted": (Strength.PROOF, "the token is in quotes or angle brackets"),
    "scheme_case": (Strength.HINT, "the scheme's letter case; RFC 9110 ignores it, some verifiers do not"),
}


def rule(case: Case) -> Iterator[Finding]:
    """The Authorization header's form, by the anomalies that the collector saw."""
    token = case.event.token
    for anomaly in token.anomalies:
        if anomaly in WRONG and token.location == "authorization":
            strength, says = WRONG[anomaly]
            shown = f" ({token.scheme})" if token.scheme and anomaly != "scheme_missing" else ""
            yield Finding("scheme_invalid", strength, "request", says + shown, discriminant=anomaly)
    if "value_null" in token.anomalies:
        says = "the credential is a literal null, undefined or the like: the client sent an unset variable"
        yield Finding("token_malformed", Strength.PROOF, "token", says, discriminant="null")
    if "value_template" in token.anomalies:
        says = "the credential is a placeholder that nobody filled in"
        yield Finding("token_malformed", Strength.PROOF, "token", says, discriminant="placeholder")
    if "value_percent" in token.anomalies:
        says = "the token is percent-encoded: its dots or padding arrived as %2E or %3D"
        yield Finding("token_malformed", Strength.PROOF, "token", says, discriminant="percent-encoded")
    if "scheme_other" in token.anomalies:
        yield Finding("token_opaque", Strength.REFUTES, "request", "the scheme says that it is no bearer token")
