"""Did a credential come at all, and did it arrive? token_missing, preflight_blocked, credential_ambiguous, credential_stripped."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength
from collector.events import Responder, TokenKind


def rule(case: Case) -> Iterator[Finding]:
    """Absence is proof only where the record shows the place in which the credential would stand."""
    token, method = case.event.token, case.event.request.method
    if token.kind is TokenKind.ABSENT:
        yield from _absent(case)
    elif token.kind is TokenKind.UNKNOWN and method == "OPTIONS":
        yield Finding(
            "preflight_blocked", Strength.STRONG, "request", "an OPTIONS request: CORS preflights carry no credential"
        )
    elif token.kind is TokenKind.UNKNOWN and is_bare_challenge(case.event.words.challenge):
        says = "the challenge names no error, as it does to a request without a credential (RFC 6750, 3.1)"
        yield Finding("token_missing", Strength.LIKELY, "message", says, discriminant="absent")
    elif case.shows_token:
        yield from _present(case)
    if "several" in token.anomalies or "joined" in token.anomalies:
        what = (
            "two tokens joined by a comma" if "joined" in token.anomalies else f"{token.credentials} credentials came"
        )
        yield Finding("credential_ambiguous", Strength.STRONG, "request", what, discriminant="several")


def _present(case: Case) -> Iterator[Finding]:
    """A credential in a header of its own name is missing to a verifier that looks in Authorization."""
    says = f"a credential came in {case.event.token.location}"
    yield Finding("preflight_blocked", Strength.REFUTES, "request", says)
    is_said = any(reading.code == "token_missing" for reading in case.readings[:1])
    if is_said and case.event.token.location.startswith("header:"):
        says += ", where the verifier does not look"
        yield Finding("token_missing", Strength.STRONG, "request", says, discriminant=case.event.token.location)
        return
    yield Finding("token_missing", Strength.REFUTES, "request", says)
    if case.event.responder is Responder.UPSTREAM and is_bare_challenge(case.event.words.challenge):
        says += (
            "; the upstream's challenge names no error, as one does to a request without a credential (RFC 6750, 3.1)"
        )
        yield Finding("credential_stripped", Strength.STRONG, "request", says)


def is_bare_challenge(challenge: str) -> bool:
    """`Bearer realm="…"` without an `error`: the verifier saw no credential, or does not say (RFC 6750, section 3.1)."""
    low = challenge.lower()
    return low.startswith("bearer") and "error" not in low


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
    if token.scheme:
        yield Finding("token_malformed", Strength.REFUTES, "request", "nothing came that could be malformed")
