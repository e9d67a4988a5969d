"""Did a credential come at all? token_missing, preflight_blocked, credential_ambiguous."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength
from collector.events import TokenKind


def rule(case: Case) -> Iterator[Finding]:
    """Absence is proof only where the record shows the place in which the credential would stand."""
    token, method = case.event.token, case.event.request.method
    if token.kind is TokenKind.ABSENT:
        yield from _absent(case)
    elif token.kind is TokenKind.UNKNOWN and method == "OPTIONS":
        yield Finding(
            "preflight_blocked", Strength.STRONG, "request", "an OPTIONS request: CORS preflights carry no credential"
        )
    elif case.shows_token:
        says = f"a credential came in {token.location}"
        yield Finding("token_missing", Strength.REFUTES, "request", says)
        yield Finding("preflight_blocked", Strength.REFUTES, "request", says)
    if "several" in token.anomalies or "joined" in token.anomalies:
        what = (
            "two tokens joined by a comma" if "joined" in token.anomalies else f"{token.credentials} credentials came"
        )
        yield Finding("credential_ambiguous", Strength.STRONG, "request", what, discriminant="several")


def _absent(case: Case) -> Iterator[Finding]:
    token = case.event.token
    if case.event.request.method == "OPTIONS":
        says = "an OPTIONS request without a credential: a CORS preflight never carries one"
        yield Finding("preflight_blocked", Strength.PROOF, "request", says)
        return
    says = (
        f"the word {token.scheme} came without a token"
        if token.scheme
        else f"the log shows {token.location} and it was empty"
    )
    yield Finding("token_missing", Strength.PROOF, "request", says, discriminant="empty" if token.scheme else "absent")
