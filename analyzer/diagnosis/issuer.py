"""`iss` against the configured issuers: issuer_not_trusted, issuer_missing."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength, listed
from analyzer.diagnosis.near import NearMiss, nearest
from collector.events import Verification


def rule(case: Case) -> Iterator[Finding]:
    """Exact comparison, as in RFC 7519 (4.1.1) and every library; the near miss names the one difference."""
    if not case.shows_claims:
        return
    iss = case.event.token.iss
    if not iss:
        yield from _missing(case)
    elif case.expected:
        yield Finding("issuer_not_trusted", Strength.REFUTES, "configuration", f"`iss` is `{iss}`, a configured issuer")
    elif case.issuers:
        yield from _not_trusted(case)


def _not_trusted(case: Case) -> Iterator[Finding]:
    token, trusted = case.event.token, [issuer.issuer for issuer in case.issuers]
    near = nearest(token.iss, trusted)
    yield Finding(
        "issuer_not_trusted",
        Strength.PROOF,
        "configuration",
        _compared(token.iss, trusted, near),
        near_miss=near,
        discriminant=near.key if near else "unknown issuer",
    )
    if token.verification is Verification.VERIFIED:
        yield Finding(
            "issuer_not_trusted",
            Strength.STRONG,
            "key set",
            f"the signature verifies with the keys of `{token.verified_by}`: the same issuer under another name",
            near_miss=near,
            discriminant=near.key if near else "renamed issuer",
        )


def _compared(iss: str, trusted: list[str], near: NearMiss | None) -> str:
    if near:
        return f"`iss` is `{iss}`; the configured issuer is `{near.expected}`: {near.says}"
    return f"`iss` is `{iss}`; trusted issuers: {listed(trusted)}"


def _missing(case: Case) -> Iterator[Finding]:
    kind = case.event.token.claim_type("iss")
    if kind == "":
        strength = Strength.STRONG if case.issuers else Strength.LIKELY
        yield Finding("issuer_missing", strength, "token", "the token has no `iss` claim")
        yield Finding("issuer_not_trusted", Strength.REFUTES, "token", "the token has no `iss` claim to compare")
    elif kind == "string":
        yield Finding("claim_value_invalid", Strength.STRONG, "token", "`iss` is empty", discriminant="iss")
