"""aud against the configured audiences: audience_mismatch, audience_missing."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.diagnosis.near import nearest


def rule(case: Case) -> Iterator[Finding]:
    """One common value is enough (RFC 7519, 4.1.3)."""
    token, expected = case.event.token, case.expected
    if not case.shows_claims:
        return
    if not token.claim_type("aud"):
        strength = Strength.STRONG if expected and expected.audiences else Strength.HINT
        yield Finding("audience_missing", strength, "token", "the token has no aud claim")
        yield Finding("audience_mismatch", Strength.REFUTES, "token", "there is no aud that could differ")
        return
    if token.claim_type("aud") not in ("string", "array"):
        says = f"aud is of type {token.claim_type('aud')}: there is no value that could be another's"
        yield Finding("audience_mismatch", Strength.REFUTES, "token", says)
        return
    yield Finding("audience_missing", Strength.REFUTES, "token", f"aud is {_shown(token.aud)}")
    if expected is None or not expected.audiences or not token.aud:
        return
    if set(token.aud) & set(expected.audiences):
        yield Finding("audience_mismatch", Strength.REFUTES, "configuration", f"aud {_shown(token.aud)} is accepted")
        return
    wanted, near = next(((w, n) for w, n in (nearest(aud, expected.audiences) for aud in token.aud) if n), ("", ""))
    if not near and token.client and token.client in token.aud:
        near = "client id where the API's identifier belongs"
    says = f"aud is {_shown(token.aud)}; expected is {wanted or _shown(expected.audiences)}" + (
        f": {near}" if near else ""
    )
    yield Finding(
        "audience_mismatch", Strength.PROOF, "configuration", says, near, discriminant=_shown(expected.audiences)
    )


def _shown(values: tuple[str, ...]) -> str:
    return ", ".join(values[:3]) + (" …" if len(values) > 3 else "")
