"""What the gateway's own validator requires beyond the standards: header_unsupported, alg_not_allowed, issuer_missing, claim_missing."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import MISSING, Case, Finding, Strength
from analyzer.knowledge.accepts import NOTHING, Accepts, accepts
from collector.events import TokenKind


def rule(case: Case) -> Iterator[Finding]:
    """Likely and no more: a gateway has several ways to validate a token, and the record does not say which one ran."""
    known = accepts(case.event.gateway.kind)
    if known is NOTHING or case.event.token.kind is not TokenKind.JWS:
        return
    yield from _header(case, known)
    if case.shows_claims:
        yield from _claims(case, known)


def _header(case: Case, known: Accepts) -> Iterator[Finding]:
    token = case.event.token
    if known.types and token.typ.lower() not in known.types:
        says = f"{known.says['typ']}; this one has " + (f"`{token.typ}`" if token.typ else "none")
        yield Finding("header_unsupported", Strength.LIKELY, "token", says, discriminant=f"typ {token.typ}".rstrip())
    if known.algorithms and token.alg and token.alg not in known.algorithms:
        says = f"{known.says['alg']}; this token has `{token.alg}`"
        yield Finding("alg_not_allowed", Strength.LIKELY, "token", says, discriminant=token.alg)


def _claims(case: Case, known: Accepts) -> Iterator[Finding]:
    for name in known.claims:
        if not case.event.token.claim_type(name):
            code = MISSING.get(name, "claim_missing")
            yield Finding(code, Strength.LIKELY, "token", known.says[name], discriminant=name)
