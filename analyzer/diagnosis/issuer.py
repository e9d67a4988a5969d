"""iss against the configured issuers: issuer_not_trusted, issuer_missing."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.diagnosis.near import nearest
from collector.events import Verification


def rule(case: Case) -> Iterator[Finding]:
    """Exact comparison, as RFC 7519 (4.1.1) and every library do it; the near miss says what is one character off."""
    token = case.event.token
    if not case.shows_claims:
        return
    if not token.iss:
        yield from _missing(case)
        return
    if not case.issuers:
        return
    if case.expected:
        yield Finding("issuer_not_trusted", Strength.REFUTES, "configuration", f"iss {token.iss} is configured")
        return
    trusted = [issuer.issuer for issuer in case.issuers]
    expected, near = nearest(token.iss, trusted)
    says = f"iss is {token.iss}; trusted here: {', '.join(trusted[:3])}" + (" …" if len(trusted) > 3 else "")
    if near:
        says = f"iss is {token.iss}, configured is {expected}: {near}"
    yield Finding(
        "issuer_not_trusted", Strength.PROOF, "configuration", says, near, discriminant=near or "unknown issuer"
    )
    if token.verification is Verification.VERIFIED:
        says = f"the signature verifies with the keys of {token.verified_by}: the same issuer under another name"
        yield Finding(
            "issuer_not_trusted", Strength.STRONG, "key set", says, near, discriminant=near or "renamed issuer"
        )


def _missing(case: Case) -> Iterator[Finding]:
    kind = case.event.token.claim_type("iss")
    if kind == "":
        strength = Strength.STRONG if case.issuers else Strength.LIKELY
        yield Finding("issuer_missing", strength, "token", "the token has no iss claim")
        yield Finding("issuer_not_trusted", Strength.REFUTES, "token", "there is no iss that could be wrong")
    elif kind == "string":
        yield Finding("claim_value_invalid", Strength.STRONG, "token", "iss is empty", discriminant="iss")
