"""`aud` against the configured audiences: audience_mismatch, audience_missing."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength, listed
from analyzer.diagnosis.near import client_id, nearest_of
from analyzer.knowledge.accepts import accepts
from collector.events import TokenFacts


def rule(case: Case) -> Iterator[Finding]:
    """One common value is enough (RFC 7519, 4.1.3)."""
    if not case.shows_claims:
        return
    kind = case.event.token.claim_type("aud")
    if not kind:
        yield from _missing(case)
    elif kind not in ("string", "array"):
        says = f"`aud` has JSON type {kind}, so it cannot name another audience"
        yield Finding("audience_mismatch", Strength.REFUTES, "token", says)
    else:
        yield from _present(case)


def _missing(case: Case) -> Iterator[Finding]:
    is_required = bool(case.expected and case.expected.audiences)
    strength = Strength.STRONG if is_required else Strength.HINT
    yield Finding("audience_missing", strength, "token", "the token has no `aud` claim")
    yield Finding("audience_mismatch", Strength.REFUTES, "token", "the token has no `aud` claim to compare")


def _present(case: Case) -> Iterator[Finding]:
    token = case.event.token
    yield Finding("audience_missing", Strength.REFUTES, "token", f"`aud` is {listed(token.aud)}")
    accepted = case.expected.audiences if case.expected else ()
    if not accepted or not token.aud:
        return
    bare = accepts(case.event.gateway.kind).bare
    if {bare(one) for one in token.aud} & {bare(one) for one in accepted}:
        says = f"`aud` {listed(token.aud)} is accepted"
        yield Finding("audience_mismatch", Strength.REFUTES, "configuration", says)
    else:
        yield _mismatch(token, accepted)


def _mismatch(token: TokenFacts, accepted: tuple[str, ...]) -> Finding:
    near = nearest_of(token.aud, accepted)
    shown = f"`{near.expected}`" if near else listed(accepted)
    if near is None and token.client and token.client in token.aud:
        near = client_id(accepted)
    says = f"`aud` is {listed(token.aud)}; this API accepts {shown}" + (f": {near.says}" if near else "")
    return Finding(
        "audience_mismatch",
        Strength.PROOF,
        "configuration",
        says,
        near_miss=near,
        discriminant=_frozen(accepted),
    )


def _frozen(values: tuple[str, ...]) -> str:
    """Part of group ids: never reworded."""
    return ", ".join(values[:3]) + (" …" if len(values) > 3 else "")
