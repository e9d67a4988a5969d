"""Was a credential sent, and did it arrive? token_missing, preflight_blocked, credential_ambiguous, credential_stripped."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength
from collector.events import LOGIN_REDIRECT, Responder, TokenFacts, TokenKind


def rule(case: Case) -> Iterator[Finding]:
    """Absence is proof only where the record shows the place in which the credential would be."""
    kind = case.event.token.kind
    if kind is TokenKind.ABSENT:
        yield from _absent(case)
    elif kind is TokenKind.UNKNOWN:
        yield from _unknown(case)
    else:
        yield from _present(case)
    yield from _several(case.event.token)


def _unknown(case: Case) -> Iterator[Finding]:
    if case.event.request.method == "OPTIONS":
        says = "an OPTIONS request: CORS preflights carry no credential"
        yield Finding("preflight_blocked", Strength.STRONG, "request", says)
    elif is_bare_challenge(case.event.words.challenge):
        says = "the challenge has no error code, as sent to a request without a credential (RFC 6750, 3.1)"
        yield Finding("token_missing", Strength.LIKELY, "message", says, discriminant="absent")


def _several(token: TokenFacts) -> Iterator[Finding]:
    if "joined" in token.anomalies:
        says = "two tokens joined by a comma"
    elif "several" in token.anomalies:
        says = f"the request carries {token.credentials} credentials"
    else:
        return
    yield Finding("credential_ambiguous", Strength.STRONG, "request", says, discriminant="several")


def _present(case: Case) -> Iterator[Finding]:
    """A credential in a header of its own name is missing to a validator that looks in Authorization."""
    says = f"a credential was sent in `{case.event.token.location}`"
    yield Finding("preflight_blocked", Strength.REFUTES, "request", says)
    is_reported = any(reading.code == "token_missing" for reading in case.readings[:1])
    if is_reported and case.event.token.location.startswith("header:"):
        says += ", where the gateway does not look for it"
        yield Finding("token_missing", Strength.STRONG, "request", says, discriminant=case.event.token.location)
        return
    if is_reported and case.event.words.reason == LOGIN_REDIRECT:
        says = "the answer is a redirect to the login page: the gateway looks for a session, not for this credential"
        yield Finding("token_missing", Strength.LIKELY, "request", says, discriminant="redirect to login")
        return
    yield Finding("token_missing", Strength.REFUTES, "request", says)
    if case.event.responder is Responder.UPSTREAM and is_bare_challenge(case.event.words.challenge):
        says += (
            "; the upstream's challenge has no error code, as sent to a request without a credential (RFC 6750, 3.1)"
        )
        yield Finding("credential_stripped", Strength.STRONG, "request", says)


def is_bare_challenge(challenge: str) -> bool:
    """`Bearer realm="…"` without an `error`: the validator saw no credential, or gives no reason (RFC 6750, section 3.1)."""
    low = challenge.lower()
    return low.startswith("bearer") and "error" not in low


def _absent(case: Case) -> Iterator[Finding]:
    token = case.event.token
    if case.event.request.method == "OPTIONS":
        says = "an OPTIONS request without a credential: a CORS preflight never carries one"
        yield Finding("preflight_blocked", Strength.PROOF, "request", says)
    elif token.scheme:
        says = f"the `{token.scheme}` scheme was sent without a token"
        yield Finding("token_missing", Strength.PROOF, "request", says, discriminant="empty")
        yield Finding("token_malformed", Strength.REFUTES, "request", "no token was sent")
    else:
        says = f"the log records `{token.location}`, and it is empty"
        yield Finding("token_missing", Strength.PROOF, "request", says, discriminant="absent")
