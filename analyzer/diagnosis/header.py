"""The JOSE header against what libraries accept: header_unsupported, alg_not_allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.diagnosis.cuts import Cutter
from analyzer.diagnosis.findings import Case, Finding, Strength, listed
from collector.events import TokenKind
from collector.settings import ALGORITHMS

TYPES: Final = ("", "jwt", "at+jwt", "application/at+jwt", "jws", "jose", "application/jwt")


def rule(case: Case) -> Iterator[Finding]:
    """crit, b64, zip and typ; alg against the configuration and against RFC 7518's registry."""
    token = case.event.token
    is_left = token.kind is TokenKind.REDACTED or case.cut_by is Cutter.LOG
    if token.kind is not TokenKind.JWS and not (is_left and token.alg):
        return
    if token.crit:
        says = f"`crit` lists {listed(token.crit, len(token.crit))}: a validator that does not support it must reject the token (RFC 7515, 4.1.11)"
        yield Finding("header_unsupported", Strength.STRONG, "token", says, discriminant="crit " + ",".join(token.crit))
    if "b64_false" in token.anomalies:
        says = "`b64` is `false` (RFC 7797)"
        yield Finding("header_unsupported", Strength.STRONG, "token", says, discriminant="b64")
    if token.zip:
        says = f"`zip` is `{token.zip}`, which only encrypted tokens may use"
        yield Finding("header_unsupported", Strength.LIKELY, "token", says, discriminant="zip")
    if token.typ.lower() not in TYPES:
        says, frozen = f"`typ` is `{token.typ}`", f"typ {token.typ}"
        yield Finding("header_unsupported", Strength.HINT, "token", says, discriminant=frozen)
    yield from _alg(case)


def _alg(case: Case) -> Iterator[Finding]:
    alg, expected = case.event.token.alg, case.expected
    if not alg:
        return
    if alg not in ALGORITHMS:
        says = f"`alg` is `{alg}`, which is not a registered JWS algorithm"
        yield Finding("alg_not_allowed", Strength.STRONG, "token", says, discriminant=alg)
    elif expected and alg not in expected.algorithms:
        accepted = listed(expected.algorithms, len(expected.algorithms))
        says = f"`alg` is `{alg}`; this API accepts {accepted} from this issuer"
        yield Finding("alg_not_allowed", Strength.STRONG, "configuration", says, discriminant=alg)
    elif expected:
        says = f"`alg` `{alg}` is accepted from this issuer"
        yield Finding("alg_not_allowed", Strength.REFUTES, "configuration", says)
