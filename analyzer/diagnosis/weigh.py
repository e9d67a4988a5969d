"""Findings and words in, one code out. The order of the argument is the order of this file.

1. Words that name a code stand, unless the token refutes them: the verifier was there.
2. Words with several meanings take the one that the token shows; a fault that brings the named one about (EXPLAINS)
   is the root cause, and the named one its symptom.
3. Words that say little (a certainty under VAGUE) give way to a strong fact.
4. Without words the first strong fact wins, in the order in which verifiers check, or the strong fact that EXPLAINS it.
5. Weak facts alone give a weak answer, hints alone none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from analyzer.diagnosis.findings import Finding, Strength
from analyzer.knowledge import Reading

VAGUE: Final = 0.65
# The order in which verifiers stop: transport, form, header, issuer and key, time, claims, user, policy, then whoever is behind.
ORDER: Final = (
    "header_too_large", "source_denied", "caller_blocked", "preflight_blocked", "credential_stripped", "token_missing",
    "credential_ambiguous", "scheme_invalid", "token_opaque", "token_truncated", "token_malformed", "jwe_unsupported",
    "alg_none", "header_unsupported", "claim_type_invalid", "issuer_missing", "issuer_not_trusted", "alg_not_allowed",
    "auth_not_configured", "jwks_unreachable", "jwks_invalid", "key_not_found", "key_type_mismatch", "signature_invalid",
    "token_expired", "claim_representation", "clock_skew", "token_too_old", "audience_missing", "audience_mismatch",
    "claim_value_invalid", "token_use_invalid", "claim_missing", "user_claim_missing", "sender_constraint_failed",
    "token_replayed", "token_revoked", "introspection_failed", "login_flow_failed", "consumer_not_found",
    "claim_not_allowed", "scope_insufficient", "claim_stripped", "claims_not_forwarded", "claim_renamed",
    "upstream_rejected", "access_denied", "gateway_error",
)  # fmt: skip
# Root cause -> symptoms that verifiers report for it.
EXPLAINS: Final = {
    "preflight_blocked": ("token_missing", "access_denied"),
    "token_missing": ("scheme_invalid",),
    "scheme_invalid": ("token_missing", "token_malformed", "token_opaque", "credential_ambiguous"),
    "credential_ambiguous": ("token_malformed", "scheme_invalid"),
    "token_use_invalid": ("audience_mismatch", "alg_not_allowed", "scope_insufficient", "access_denied", "user_claim_missing", "issuer_not_trusted", "signature_invalid"),
    "token_opaque": ("token_malformed",),
    "jwe_unsupported": ("token_malformed", "alg_not_allowed"),
    "alg_none": ("token_malformed", "alg_not_allowed", "signature_invalid", "token_truncated", "key_not_found"),
    "token_truncated": ("signature_invalid", "token_malformed", "token_opaque"),
    "token_malformed": ("signature_invalid",),
    "header_unsupported": ("signature_invalid",),
    "claim_representation": ("clock_skew", "token_expired", "claim_type_invalid", "access_denied", "scope_insufficient"),
    "claim_value_invalid": ("token_expired", "user_claim_missing", "issuer_not_trusted"),
    "key_type_mismatch": ("key_not_found", "signature_invalid"),
    "alg_not_allowed": ("key_not_found", "signature_invalid", "key_type_mismatch"),
    "issuer_not_trusted": ("key_not_found", "signature_invalid"),  # the verifier tried the keys of the one it trusts
    "jwks_invalid": ("jwks_unreachable", "key_not_found"),
    "jwks_unreachable": ("key_not_found", "jwks_invalid"),
    "scope_insufficient": ("access_denied",),
    "user_claim_missing": ("access_denied",),
    "credential_stripped": ("upstream_rejected",),
    "token_expired": ("upstream_rejected",),
    "claim_not_allowed": ("access_denied", "scope_insufficient"),
    "source_denied": ("access_denied", "scope_insufficient"),
}  # fmt: skip
_RANK: Final = {code: rank for rank, code in enumerate(ORDER)}
# Without words: what a finding of this strength is worth. Measured in docs/accuracy.md.
_BY_FACT: Final = {Strength.PROOF: 0.92, Strength.STRONG: 0.85, Strength.LIKELY: 0.6, Strength.HINT: 0.3}


@dataclass(frozen=True, slots=True)
class Decision:
    """The code, how sure, by which reading (None: by facts alone), and why the others lost."""

    code: str
    confidence: float
    reading: Reading | None
    lost: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Weights:
    """Findings by code."""

    best: Mapping[str, Finding]
    refuted: Mapping[str, Finding]

    def strength(self, code: str) -> Strength:
        """The strongest finding for a code; REFUTES when nothing speaks for it."""
        return self.best[code].strength if code in self.best else Strength.REFUTES

    def stands(self, code: str) -> bool:
        """Not refuted, or proven all the same."""
        return code not in self.refuted or self.strength(code) >= Strength.STRONG


def weights(findings: Iterable[Finding]) -> Weights:
    """Sort findings by code, the strongest of each first."""
    by_code: dict[str, list[Finding]] = defaultdict(list)
    refuted: dict[str, Finding] = {}
    for finding in findings:
        if finding.strength is Strength.REFUTES:
            refuted.setdefault(finding.code, finding)
        else:
            by_code[finding.code].append(finding)
    return Weights({code: max(found, key=lambda f: f.strength) for code, found in by_code.items()}, refuted)


def decide(readings: tuple[Reading, ...], facts: Weights, *, is_quoted: bool = False) -> Decision:
    """The argument above. `is_quoted`: the token was only quoted in the message, which may have cut or mangled it."""
    if readings and readings[0].certainty >= VAGUE:
        return _by_words(readings, facts, is_quoted=is_quoted)
    strong = _first(facts, Strength.STRONG)
    if strong:
        return _by_facts(_deepest(strong, facts), facts, readings)
    if readings:
        return _by_words(readings, facts, is_quoted=is_quoted)
    likely = _first(facts, Strength.LIKELY)
    return _by_facts(likely, facts, readings) if likely else Decision("unclassified", 0.2, None, _hinted(facts))


def _by_words(readings: tuple[Reading, ...], facts: Weights, *, is_quoted: bool) -> Decision:
    reading = readings[0]
    meanings = (reading.code, *reading.also)
    root = "" if is_quoted else _root_cause(meanings, facts)
    if root:
        return Decision(root, 0.93, reading, _rivals(root, meanings, facts, "what the verifier saw of it"))
    shown = [code for code in meanings if facts.strength(code) >= Strength.STRONG]
    if shown:
        code = shown[0]
        sure = 0.98 if code == reading.code else 0.94
        return Decision(
            code, sure, reading, _rivals(code, meanings, facts, "the token shows the other meaning of the words")
        )
    strong = _first(facts, Strength.STRONG)
    if strong and not facts.stands(reading.code):
        why = "the token refutes the verifier's words"
        return Decision(strong, 0.85, reading, _rivals(strong, meanings, facts, why))
    standing = [code for code in meanings if facts.stands(code)]
    likely = [code for code in standing if facts.strength(code) is Strength.LIKELY]
    if standing and (standing[0] == reading.code or not likely):
        first = standing[0]
        sure = reading.certainty if first == reading.code else 0.7
        sure = min(0.95, sure + 0.15) if facts.strength(first) is Strength.LIKELY else sure
        return Decision(first, sure, reading, _rivals(first, meanings, facts, "the words fit it less"))
    if likely:
        return Decision(likely[0], 0.75, reading, _rivals(likely[0], meanings, facts, "the token speaks against it"))
    return Decision(reading.code, reading.certainty * 0.5, reading, _rivals(reading.code, meanings, facts, ""))


def _root_cause(meanings: tuple[str, ...], facts: Weights) -> str:
    """A strong fact that none of the words name and that brings about what they do name."""
    roots = [code for code in _strong(facts) if meanings[0] in EXPLAINS.get(code, ())]
    return _deepest(min(roots, key=lambda code: _RANK.get(code, 999)), facts) if roots else ""


def _deepest(code: str, facts: Weights) -> str:
    """The strong fact that brings a code about, or brings about that one, and so on. Those that explain each other stand."""
    seen = {code}
    while roots := [one for one in _strong(facts) if one not in seen and _brings_about(one, code)]:
        code = min(roots, key=lambda one: _RANK.get(one, 999))
        seen.add(code)
    return code


def _brings_about(root: str, symptom: str) -> bool:
    return symptom in EXPLAINS.get(root, ()) and root not in EXPLAINS.get(symptom, ())


def _strong(facts: Weights) -> list[str]:
    return [code for code in facts.best if facts.strength(code) >= Strength.STRONG and facts.stands(code)]


def _by_facts(code: str, facts: Weights, readings: tuple[Reading, ...] = ()) -> Decision:
    """Vague words that mean the same are shown as evidence; they make nothing surer."""
    agreeing = next((reading for reading in readings if reading.code == code), None)
    return Decision(code, _BY_FACT[facts.strength(code)], agreeing, _rivals(code, (), facts, ""))


def _first(facts: Weights, at_least: Strength) -> str:
    """The code of the earliest check among findings of that strength."""
    codes = [code for code, finding in facts.best.items() if finding.strength >= at_least and facts.stands(code)]
    return min(codes, key=lambda code: _RANK.get(code, 999), default="")


def _rivals(winner: str, meanings: tuple[str, ...], facts: Weights, otherwise: str) -> tuple[tuple[str, str], ...]:
    """Codes with evidence or a meaning of the words, each with the reason why it lost."""
    others = [code for code in meanings if code != winner]
    others += [code for code in facts.best if facts.strength(code) >= Strength.LIKELY and code not in (winner, *others)]
    return tuple((code, _why_not(code, winner, facts, otherwise)) for code in others[:4])


def _why_not(code: str, winner: str, facts: Weights, otherwise: str) -> str:
    if code in facts.refuted:
        return facts.refuted[code].says
    if facts.strength(code) >= Strength.LIKELY and _RANK.get(code, 999) > _RANK.get(winner, 0):
        return f"true as well, and checked later: {facts.best[code].says}"
    if facts.strength(code) >= Strength.STRONG:
        return f"true as well, and not what the verifier stopped at: {facts.best[code].says}"
    return otherwise or "less evidence"


def _hinted(facts: Weights) -> tuple[tuple[str, str], ...]:
    hints = [code for code, finding in facts.best.items() if finding.strength is Strength.HINT and facts.stands(code)]
    return tuple((code, f"only a hint: {facts.best[code].says}") for code in hints[:4])


def later_failures(winner: str, facts: Weights) -> tuple[str, ...]:
    """Codes of checks that would fail next, once the winner is mended."""
    also = [
        code for code in facts.best if code != winner and facts.strength(code) >= Strength.STRONG and facts.stands(code)
    ]
    return tuple(sorted(also, key=lambda code: _RANK.get(code, 999)))
