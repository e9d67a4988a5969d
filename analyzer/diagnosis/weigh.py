"""Findings and the gateway's message in, one code out. The order of the argument is the order of this file.

1. A message that names a code decides, unless the token rules that code out: the gateway ran the check.
2. A message with several meanings takes the one that the token shows; a fault that causes the reported one (EXPLAINS)
   is the root cause, and the reported one its symptom.
3. A vague message (a certainty under VAGUE) yields to a strong fact.
4. Without a message the first strong fact wins, in the order in which validators check, or the strong fact that EXPLAINS it.
5. Weak facts alone give a weak answer, hints alone none; what words mean that are less sure than the threshold is none
   either, be it an opinion or an error code that standards have for everything: the two best guesses are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Final

from msgspec import Struct

from analyzer.diagnosis.findings import Finding, Strength
from analyzer.knowledge import Reading
from analyzer.knowledge.opinion import threshold
from collector.structs import Dataclass

VAGUE: Final = 0.65
_GUESSES: Final = 2
_NONE: Final = "unclassified"
# The order in which validators check: transport, form, header, issuer and key, time, claims, user, policy, then the upstream.
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
# Root cause -> symptoms that validators report for it.
EXPLAINS: Final = {
    "preflight_blocked": ("token_missing", "access_denied"),
    "token_missing": ("scheme_invalid",),
    "scheme_invalid": ("token_missing", "token_malformed", "token_opaque", "credential_ambiguous"),
    "credential_ambiguous": ("token_malformed", "scheme_invalid"),
    "token_use_invalid": ("audience_mismatch", "alg_not_allowed", "scope_insufficient", "access_denied", "user_claim_missing", "issuer_not_trusted", "signature_invalid", "key_not_found"),
    "token_opaque": ("token_malformed",),
    "jwe_unsupported": ("token_malformed", "alg_not_allowed"),
    "alg_none": ("token_malformed", "alg_not_allowed", "signature_invalid", "token_truncated", "key_not_found", "key_type_mismatch"),
    "token_truncated": ("signature_invalid", "token_malformed", "token_opaque"),
    "token_malformed": ("signature_invalid",),
    "header_unsupported": ("signature_invalid",),
    "issuer_missing": ("issuer_not_trusted",),
    "audience_missing": ("audience_mismatch",),
    "claim_type_invalid": ("token_malformed", "audience_mismatch"),
    "claim_representation": ("clock_skew", "token_expired", "claim_type_invalid", "access_denied", "scope_insufficient"),
    "claim_value_invalid": ("token_expired", "user_claim_missing", "issuer_not_trusted"),
    "key_type_mismatch": ("key_not_found", "signature_invalid"),
    "alg_not_allowed": ("key_not_found", "signature_invalid", "key_type_mismatch"),
    "issuer_not_trusted": ("key_not_found", "signature_invalid"),  # the validator tried the keys of the one it trusts
    "jwks_invalid": ("jwks_unreachable", "key_not_found"),
    "jwks_unreachable": ("key_not_found", "jwks_invalid"),
    "scope_insufficient": ("access_denied",),
    "user_claim_missing": ("access_denied",),
    "credential_stripped": ("upstream_rejected",),
    "token_expired": ("upstream_rejected",),
    "claim_not_allowed": ("access_denied", "scope_insufficient"),
    "source_denied": ("access_denied", "scope_insufficient"),
}  # fmt: skip
# Symptom -> root causes, in the order in which validators check.
CAUSES: Final[Mapping[str, tuple[str, ...]]] = {
    symptom: tuple(root for root in ORDER if symptom in EXPLAINS.get(root, ())) for symptom in ORDER
}
_RANK: Final = {code: rank for rank, code in enumerate(ORDER)}


class Found(Enum):
    """The step that reached a decision."""

    ROOT = "root"  # a strong fact that causes what the message reports
    SHOWN = "shown"  # the token shows what the message reports
    AGAINST = "against"  # a strong fact, where the token rules the message out
    REPORTED = "reported"  # the code that the message names
    LEFT = "left"  # another meaning of the message, the first being ruled out
    LIKELY = "likely"  # a meaning that the token makes likely
    CONTRADICTED = "contradicted"  # the code that the message names, which the token rules out
    FACTS = "facts"  # no message, or a vague one
    NOTHING = "nothing"


class Decision(Dataclass, Struct, frozen=True, gc=False):
    """The code, how it was found, by which message (None: by facts alone), and why the others were ruled out.

    How certain it is follows from all of that (analyzer/diagnosis/surety.py).
    """

    code: str
    found: Found
    confidence: float = 0.0
    reading: Reading | None = None
    lost: tuple[tuple[str, str], ...] = ()


class Weights(Dataclass, Struct, frozen=True, gc=False):
    """Findings by code."""

    best: Mapping[str, Finding]
    refuted: Mapping[str, Finding]

    def strength(self, code: str) -> Strength:
        """The strongest finding for a code; REFUTES when there is none."""
        return self.best[code].strength if code in self.best else Strength.REFUTES

    def is_possible(self, code: str) -> bool:
        """Not ruled out, or proven all the same."""
        return code not in self.refuted or self.strength(code) >= Strength.STRONG


def weights(findings: Iterable[Finding]) -> Weights:
    """The strongest finding for each code, the first of equals."""
    best: dict[str, Finding] = {}
    refuted: dict[str, Finding] = {}
    for finding in findings:
        kept = refuted if finding.strength is Strength.REFUTES else best
        held = kept.setdefault(finding.code, finding)
        if finding.strength > held.strength:
            kept[finding.code] = finding
    return Weights(best=best, refuted=refuted)


def decide(readings: tuple[Reading, ...], facts: Weights, *, is_quoted: bool = False) -> Decision:
    """The argument above. `is_quoted`: the token was only quoted in the message, which may have cut or mangled it."""
    guesses: tuple[Reading, ...] = ()
    if readings and readings[0].certainty < threshold():
        guesses, readings = readings, ()
    if readings and readings[0].certainty >= VAGUE:
        return _by_message(Report.of(readings[0], facts, is_quoted=is_quoted))
    strong = _first(facts, Strength.STRONG)
    if strong:
        return _by_facts(_deepest(strong, facts), facts, readings)
    if readings:
        return _by_message(Report.of(readings[0], facts, is_quoted=is_quoted))
    likely = _first(facts, Strength.LIKELY)
    if likely:
        return _by_facts(likely, facts)
    return Decision(code=_NONE, found=Found.NOTHING, lost=(*_guessed(guesses, facts), *_hinted(facts)))


class Report(Dataclass, Struct, frozen=True, gc=False):
    """The gateway's message as it was interpreted, beside the facts."""

    reading: Reading
    meanings: tuple[str, ...]  # the code that the message names, then the others that it is written for
    facts: Weights
    is_quoted: bool

    @classmethod
    def of(cls, reading: Reading, facts: Weights, *, is_quoted: bool) -> Report:
        """A report of one interpretation."""
        return cls(reading=reading, meanings=(reading.code, *reading.also), facts=facts, is_quoted=is_quoted)

    @property
    def possible(self) -> list[str]:
        """Meanings that no fact rules out."""
        return [code for code in self.meanings if self.facts.is_possible(code)]

    def decision(self, code: str, found: Found, otherwise: str) -> Decision:
        """A decision that this message leads to; `otherwise` is why the others lost where no fact says it."""
        lost = _rivals(code, self.meanings, self.facts, otherwise)
        return Decision(code=code, found=found, reading=self.reading, lost=lost)


def _by_message(report: Report) -> Decision:
    """The first step that reaches a decision."""
    return next(decision for step in _STEPS for decision in step(report))


def _root_cause_of_report(report: Report) -> Iterator[Decision]:
    """A strong fact that causes what the message reports."""
    root = "" if report.is_quoted else _root_cause(report.meanings, report.facts)
    if root:
        yield report.decision(root, Found.ROOT, "ruled out: the reported symptom, not the root cause")


def _meaning_shown_by_token(report: Report) -> Iterator[Decision]:
    """A meaning of the message that the token shows as well."""
    for code in report.meanings:
        if report.facts.strength(code) >= Strength.STRONG:
            yield report.decision(code, Found.SHOWN, "ruled out: the token shows another meaning of the message")


def _fact_against_report(report: Report) -> Iterator[Decision]:
    """Another strong fact, where the token rules the message out."""
    strong = _first(report.facts, Strength.STRONG)
    if strong and not report.facts.is_possible(report.reading.code):
        yield report.decision(strong, Found.AGAINST, "ruled out: the token contradicts the gateway's message")


def _as_reported(report: Report) -> Iterator[Decision]:
    """The code that the message names; where the token rules it out, the first other meaning, none being likely."""
    possible = report.possible
    if not possible or (possible[0] != report.reading.code and _likely_meanings(report)):
        return
    found = Found.REPORTED if possible[0] == report.reading.code else Found.LEFT
    yield report.decision(possible[0], found, "ruled out: less consistent with the gateway's message")


def _likely_meaning(report: Report) -> Iterator[Decision]:
    """Another meaning that the token makes likely."""
    for code in _likely_meanings(report):
        yield report.decision(code, Found.LIKELY, "ruled out: less consistent with the token")


def _against_the_token(report: Report) -> Iterator[Decision]:
    """The token rules every meaning out, and nothing else explains the rejection."""
    yield report.decision(report.reading.code, Found.CONTRADICTED, "")


def _likely_meanings(report: Report) -> list[str]:
    return [code for code in report.possible if report.facts.strength(code) is Strength.LIKELY]


_STEPS: Final[tuple[Callable[[Report], Iterator[Decision]], ...]] = (
    _root_cause_of_report,
    _meaning_shown_by_token,
    _fact_against_report,
    _as_reported,
    _likely_meaning,
    _against_the_token,
)


def _root_cause(meanings: tuple[str, ...], facts: Weights) -> str:
    """A strong fact that the message does not name and that causes what it does name."""
    roots = [code for code in _strong(facts) if meanings[0] in EXPLAINS.get(code, ())]
    return _deepest(min(roots, key=lambda code: _RANK.get(code, 999)), facts) if roots else ""


def _deepest(code: str, facts: Weights) -> str:
    """The strong fact that causes a code, or causes that one, and so on. Codes that cause each other are left as they are."""
    seen = {code}
    while roots := [one for one in _strong(facts) if one not in seen and _causes(one, code)]:
        code = min(roots, key=lambda one: _RANK.get(one, 999))
        seen.add(code)
    return code


def _causes(root: str, symptom: str) -> bool:
    return symptom in EXPLAINS.get(root, ()) and root not in EXPLAINS.get(symptom, ())


def _strong(facts: Weights) -> list[str]:
    return [code for code in facts.best if facts.strength(code) >= Strength.STRONG and facts.is_possible(code)]


def _by_facts(code: str, facts: Weights, readings: tuple[Reading, ...] = ()) -> Decision:
    """A vague message that means the same is shown as evidence; it adds no confidence."""
    return Decision(
        code=code,
        found=Found.FACTS,
        reading=next((reading for reading in readings if reading.code == code), None),
        lost=_rivals(code, (), facts, ""),
    )


def _first(facts: Weights, at_least: Strength) -> str:
    """The code of the earliest check among findings of that strength."""
    codes = [code for code, finding in facts.best.items() if finding.strength >= at_least and facts.is_possible(code)]
    return min(codes, key=lambda code: _RANK.get(code, 999), default="")


def _rivals(winner: str, meanings: tuple[str, ...], facts: Weights, otherwise: str) -> tuple[tuple[str, str], ...]:
    """Codes with evidence or meant by the message, each with the reason why it lost."""
    others = [code for code in meanings if code != winner]
    others += [code for code in facts.best if facts.strength(code) >= Strength.LIKELY and code not in (winner, *others)]
    return tuple((code, _why_not(code, winner, facts, otherwise)) for code in others[:4])


def _why_not(code: str, winner: str, facts: Weights, otherwise: str) -> str:
    if code in facts.refuted:
        return f"ruled out: {facts.refuted[code].says}"
    if facts.strength(code) >= Strength.LIKELY and _RANK.get(code, 999) > _RANK.get(winner, 0):
        return f"also true, but checked later: {facts.best[code].says}"
    if facts.strength(code) >= Strength.STRONG:
        return f"also true, but not what the gateway reported: {facts.best[code].says}"
    return otherwise or "ruled out: weaker evidence"


def _guessed(guesses: Sequence[Reading], facts: Weights) -> tuple[tuple[str, str], ...]:
    """What the message may mean, with how likely that is."""
    sure = {guess.code: f"possible, {guess.certainty:.0%} sure: too little to decide" for guess in reversed(guesses)}
    alike = {code: "possible: the same words are said of it" for guess in guesses[:1] for code in guess.also}
    ranked = dict.fromkeys((*(guess.code for guess in guesses), *alike))
    possible = [code for code in ranked if code != _NONE and facts.is_possible(code)][:_GUESSES]
    return tuple((code, sure.get(code) or alike[code]) for code in possible)


def _hinted(facts: Weights) -> tuple[tuple[str, str], ...]:
    hints = [
        code for code, finding in facts.best.items() if finding.strength is Strength.HINT and facts.is_possible(code)
    ]
    return tuple((code, f"possible, but the evidence is weak: {facts.best[code].says}") for code in hints[:4])


def later_failures(winner: str, facts: Weights) -> tuple[str, ...]:
    """Codes of checks that would fail next, once the winner is fixed."""
    also = [code for code in _strong(facts) if code != winner]
    return tuple(sorted(also, key=lambda code: _RANK.get(code, 999)))
