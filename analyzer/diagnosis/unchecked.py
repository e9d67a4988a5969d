"""Facts that the validator does not check do not win: what passes on the same route shows what it does not mind.

Three things tell. Accepted tokens of the same issuer that have the same fault; words of the gateway about a later check
(RBAC, scopes, a policy), which is reached only with a token that was accepted; and what is known of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.diagnosis.route_history import Passing
from analyzer.knowledge.accepts import accepts
from analyzer.knowledge.products import relatives

# What is told by these was not told by the token alone.
_ELSEWHERE: Final = ("time", "message", "request", "status", "traffic")
# Checks of an accepted token, the last ones in the order.
LATER: Final = ("access_denied", "scope_insufficient", "claim_not_allowed", "source_denied")
# Faults of a form that most validators let pass.
SOFT: Final = ("header_unsupported", "claim_type_invalid", "claim_value_invalid", "claim_missing", "user_claim_missing")
_OF_THE_HOP: Final = ("credential_stripped", "upstream_rejected", "access_denied", "gateway_error")
_HEARD: Final = 0.3  # certainty of words of the gateway's own
_MATCHES: Final = "accepted tokens on this route have the same"


def weighed_down(case: Case, findings: Iterable[Finding]) -> list[Finding]:
    """The findings, weaker where the validator is known not to check them; what its words name stays as it is."""
    named = {code for reading in case.readings[:1] for code in (reading.code, *reading.also)}
    is_later = _reports_later_check(case)
    return _without_guess([f if f.code in named else _weighed(case, f, is_later=is_later) for f in findings])


def _weighed(case: Case, finding: Finding, *, is_later: bool) -> Finding:
    if finding.strength <= Strength.HINT:
        return finding
    if (finding.code, finding.discriminant) in accepts(case.event.gateway.kind).unchecked:
        return replace(finding, strength=Strength.HINT)
    passing = case.passed.of(case.event.token.iss) if case.passed.issuers else None
    if passing is not None and _passes(case, finding, passing):
        return _matched(finding)
    if is_later and finding.code in SOFT and finding.source not in _ELSEWHERE:
        return replace(finding, strength=Strength.HINT)
    return finding


def _matched(finding: Finding) -> Finding:
    is_stated = finding.source == "configuration" and finding.strength >= Strength.STRONG
    strength = Strength.LIKELY if is_stated else Strength.HINT
    return replace(finding, strength=strength, says=f"{finding.says} ({_MATCHES})")


def _without_guess(findings: list[Finding]) -> list[Finding]:
    """A fault of the credential itself goes before the guess that it was lost on its way, and a likely one before silence."""
    if not any(_is_fault(f) for f in findings):
        return findings
    most = {"credential_stripped": Strength.HINT, "upstream_rejected": Strength.LIKELY}
    return [replace(f, strength=most[f.code]) if f.code in most and f.strength > most[f.code] else f for f in findings]


def _is_fault(finding: Finding) -> bool:
    """Of the credential: strong, or likely by the configuration or by arithmetic."""
    least = Strength.LIKELY if finding.source in ("configuration", "time") else Strength.STRONG
    return finding.strength >= least and finding.code not in _OF_THE_HOP


def _reports_later_check(case: Case) -> bool:
    """The gateway's own words are about a check behind authentication."""
    own = relatives("gateway", case.event.gateway.kind)
    return any(
        reading.code in LATER and reading.gateway in own and reading.gateway and reading.certainty >= _HEARD
        for reading in case.readings[:1]
    )


def _passes(case: Case, finding: Finding, passing: Passing) -> bool:
    """Tokens that were accepted have what the finding is about."""
    check = _CHECKS.get(finding.code)
    return check is not None and check(case, finding, passing)


def _has_trait(_case: Case, finding: Finding, passing: Passing) -> bool:
    return finding.discriminant in passing.traits


def _has_type(case: Case, finding: Finding, passing: Passing) -> bool:
    claim = finding.discriminant
    return (claim, case.event.token.claim_type(claim)) in passing.claims or f"{claim} mixed_array" in passing.traits


def _has_value(case: Case, finding: Finding, passing: Passing) -> bool:
    claim = finding.discriminant
    return any(f"{name} {fault}" in passing.traits for name, fault in case.event.token.faults if name == claim)


def _is_lacking(_case: Case, finding: Finding, passing: Passing) -> bool:
    return all(name != finding.discriminant for name, _ in passing.claims)


def _lacks_audience(_case: Case, _finding: Finding, passing: Passing) -> bool:
    return all(name != "aud" for name, _ in passing.claims)


def _has_audience(case: Case, finding: Finding, passing: Passing) -> bool:
    return finding.source != "traffic" and not set(case.event.token.aud).isdisjoint(passing.audiences)


def _is_from_same_issuer(_case: Case, finding: Finding, _passing: Passing) -> bool:
    return finding.source != "traffic"


def _has_alg(case: Case, _finding: Finding, passing: Passing) -> bool:
    return f"alg {case.event.token.alg}" in passing.traits


def _fails_verification(case: Case, finding: Finding, passing: Passing) -> bool:
    return finding.source == "key set" and f"verification {case.event.token.verification}" in passing.traits


def _expired_longer(case: Case, _finding: Finding, passing: Passing) -> bool:
    return case.times.exp_s is not None and passing.expired_s > -case.times.exp_s


def _has_use(case: Case, _finding: Finding, passing: Passing) -> bool:
    return f"use {case.event.token.token_use}" in passing.traits


_CHECKS: Final[Mapping[str, Callable[[Case, Finding, Passing], bool]]] = {
    "header_unsupported": _has_trait,
    "token_malformed": _has_trait,
    "scheme_invalid": _has_trait,
    "claim_representation": _has_trait,
    "claim_type_invalid": _has_type,
    "claim_value_invalid": _has_value,
    "claim_missing": _is_lacking,
    "user_claim_missing": _is_lacking,
    "audience_missing": _lacks_audience,
    "audience_mismatch": _has_audience,
    "issuer_not_trusted": _is_from_same_issuer,
    "issuer_missing": _is_from_same_issuer,
    "alg_not_allowed": _has_alg,
    "signature_invalid": _fails_verification,
    "key_not_found": _fails_verification,
    "key_type_mismatch": _fails_verification,
    "token_expired": _expired_longer,
    "token_use_invalid": _has_use,
}
