"""The JOSE header against what libraries accept: header_unsupported, alg_not_allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from collector.events import TokenKind
from collector.settings import ALGORITHMS

TYPES: Final = ("", "jwt", "at+jwt", "application/at+jwt", "jws", "jose", "application/jwt")


def rule(case: Case) -> Iterator[Finding]:
    """crit, b64, zip and typ; alg against the configuration and against RFC 7518's registry."""
    token = case.event.token
    if token.kind is not TokenKind.JWS and not (token.kind is TokenKind.REDACTED and token.alg):
        return
    if token.crit:
        says = f"crit names {', '.join(token.crit)}: a verifier that does not know it must refuse (RFC 7515, 4.1.11)"
        yield Finding("header_unsupported", Strength.STRONG, "token", says, discriminant="crit " + ",".join(token.crit))
    if "b64_false" in token.anomalies:
        yield Finding("header_unsupported", Strength.STRONG, "token", "b64 is false (RFC 7797)", discriminant="b64")
    if token.zip:
        says = f"zip {token.zip} belongs to encrypted tokens only"
        yield Finding("header_unsupported", Strength.LIKELY, "token", says, discriminant="zip")
    if token.typ.lower() not in TYPES:
        yield Finding(
            "header_unsupported", Strength.HINT, "token", f"typ is {token.typ}", discriminant=f"typ {token.typ}"
        )
    yield from _alg(case)


def _alg(case: Case) -> Iterator[Finding]:
    alg, expected = case.event.token.alg, case.expected
    if not alg:
        return
    if alg not in ALGORITHMS:
        says = f"alg {alg} is no algorithm of RFC 7518"
        yield Finding("alg_not_allowed", Strength.STRONG, "token", says, discriminant=alg)
    elif expected and alg not in expected.algorithms:
        says = f"alg {alg}; the verifier accepts {', '.join(expected.algorithms)} for this issuer"
        yield Finding("alg_not_allowed", Strength.STRONG, "configuration", says, discriminant=alg)
    elif expected:
        yield Finding("alg_not_allowed", Strength.REFUTES, "configuration", f"alg {alg} is accepted for this issuer")
