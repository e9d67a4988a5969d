"""Why did the gateway reject the request? Evidence in, exactly one code of the taxonomy out.

RULES lists what is checked, in order; weigh.py decides. Equal evidence is diagnosed once: the cache is keyed on the
redacted facts, so a storm of failures costs little more than its parsing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from msgspec.structs import replace

from analyzer.diagnosis import (
    answer,
    audience,
    claims,
    clock,
    expiry,
    form,
    header,
    issuer,
    passing,
    policy,
    presence,
    quoted,
    scheme,
    signature,
    use,
    user,
    validator,
)
from analyzer.diagnosis.alike import evidence_of, lifetime_s, told_of
from analyzer.diagnosis.allowed import OK, allowed
from analyzer.diagnosis.comparison import comparison
from analyzer.diagnosis.cuts import Cuts, Cutter
from analyzer.diagnosis.doubts import tempered
from analyzer.diagnosis.findings import Case, Finding, Rule, Strength
from analyzer.diagnosis.fix_values import Values
from analyzer.diagnosis.messages import Read, ReadUnlisted, read_event
from analyzer.diagnosis.missing import missing
from analyzer.diagnosis.route_history import Memory, Passed
from analyzer.diagnosis.surety import probability
from analyzer.diagnosis.unchecked import weighed_down
from analyzer.diagnosis.weigh import Decision, Weights, decide, later_failures, weights
from analyzer.knowledge import Reading, fixes_for, read_words, title
from analyzer.knowledge.opinion import closest, is_opinion, read_unlisted
from analyzer.taxonomy import CODES
from analyzer.verdicts import Diagnosis, Evidence, Rival
from collector.events import Event, Outcome, TokenKind, Words
from collector.settings import IssuerSettings

RULES: Final[tuple[Rule, ...]] = (
    presence.rule,
    scheme.rule,
    form.rule,
    header.rule,
    validator.rule,
    issuer.rule,
    signature.rule,
    expiry.rule,
    clock.rule,
    audience.rule,
    claims.rule,
    use.rule,
    user.rule,
    policy.rule,
    passing.rule,
    quoted.rule,
    answer.rule,
)
CACHE_SIZE: Final = 20_000  # distinct evidence: about 60 MB when full
MAX_EXPECTED: Final = 50  # configurations that are remembered with their times
MAX_EVIDENCE: Final = 6
MAX_QUOTED: Final = 160  # characters of a message
# Holes of knowledge templates that name what one change would touch, the most specific first.
_TOUCHED: Final = ("policy", "rule", "scope", "scopes", "role", "claim", "alg", "uri", "cluster", "consumer")


_Evidence = tuple[Event, tuple[IssuerSettings, ...], Passed, Cutter, float]


class _Expected:
    """The configured issuers from a time on."""

    __slots__ = ("is_one_for_all", "issuers", "since_ns")

    def __init__(self, since_ns: int, issuers: tuple[IssuerSettings, ...]) -> None:
        self.since_ns, self.issuers = since_ns, issuers
        self.is_one_for_all = not any(issuer.gateways or issuer.routes for issuer in issuers)


class Diagnoser:
    """Diagnoses events against the configured issuers. Not thread-safe: one worker owns it."""

    def __init__(
        self,
        issuers: Sequence[IssuerSettings] = (),
        read: Read = read_words,
        unlisted: ReadUnlisted = read_unlisted,
    ) -> None:
        self._expected: tuple[_Expected, ...] = (_Expected(0, tuple(issuers)),)
        self._read, self._unlisted = read, unlisted
        self.memory = Memory()
        self.cuts = Cuts()
        self._cache: OrderedDict[_Evidence, Diagnosis] = OrderedDict()

    def expect(self, issuers: Sequence[IssuerSettings], since_ns: int) -> None:
        """What is configured from then on (Unix ns); requests before are judged by what was. From any thread."""
        self._expected = (*self._expected, _Expected(since_ns, tuple(issuers)))[-MAX_EXPECTED:]

    def learn(self, event: Event, count: int = 1) -> None:
        """Take in an allowed request, or as many that are alike: rejected ones are compared with it."""
        self.memory.learn(event, count)
        self.cuts.learn(event)

    def diagnose(self, event: Event) -> Diagnosis:
        """The diagnosis of one event; an allowed request has the code "ok"."""
        if event.outcome is Outcome.ALLOWED:
            is_bare = event.token.kind is TokenKind.ABSENT
            return allowed(event, is_protected=is_bare and self.memory.is_protected(event))
        self.cuts.learn(event)
        self.memory.note_refusal(event)
        key = self._evidence(event)
        held = self._cache.get(key)
        if held is None:
            held = self._cache[key] = diagnose(self._case(*key))
            if len(self._cache) > CACHE_SIZE:
                self._cache.popitem(last=False)
        return told_of(event, held)

    def case(self, event: Event) -> Case:
        """Everything that is known about one rejected request."""
        return self._case(*self._evidence(event))

    def _evidence(self, event: Event) -> _Evidence:
        passed, seen_cut = self.memory.about(event), self.cuts.about(event)
        return evidence_of(event), self._for(event), passed, seen_cut, lifetime_s(event.times)

    def _case(
        self,
        evidence: Event,
        issuers: tuple[IssuerSettings, ...],
        passed: Passed,
        seen_cut: Cutter,
        lifetime: float,
    ) -> Case:
        return Case(
            event=evidence,
            times=evidence.times,
            readings=read_event(evidence, self._read, self._unlisted),
            issuers=issuers,
            passed=passed,
            seen_cut=seen_cut,
            lifetime_s=lifetime,
        )

    def forget(self) -> None:
        """Diagnose equal evidence anew; what was learned of passing requests stays."""
        self._cache.clear()

    @property
    def cached(self) -> int:
        """Entries of the cache, for telemetry."""
        return len(self._cache)

    def _for(self, event: Event) -> tuple[IssuerSettings, ...]:
        """The issuers that are configured for the event's gateway and route."""
        expected = self._expected
        then = next((one for one in reversed(expected) if event.time_ns >= one.since_ns), expected[0])
        if then.is_one_for_all:
            return then.issuers
        return tuple(issuer for issuer in then.issuers if _holds_at(issuer, event) and _holds_on(issuer, event))


def _holds_at(issuer: IssuerSettings, event: Event) -> bool:
    names = (event.gateway.kind, event.gateway.instance)
    return not issuer.gateways or any(name in issuer.gateways for name in names)


def _holds_on(issuer: IssuerSettings, event: Event) -> bool:
    return not issuer.routes or any(fnmatchcase(event.request.route, pattern) for pattern in issuer.routes)


def weighed(case: Case) -> tuple[list[Finding], Weights, Decision]:
    """What every rule finds, weighed, and the decision, whose confidence is not yet known."""
    findings = weighed_down(case, (finding for rule in RULES for finding in rule(case)))
    facts = weights(findings)
    return findings, facts, decide(case.readings, facts, is_quoted=case.event.token.location == "message")


def diagnose(case: Case) -> Diagnosis:
    """Run every rule, weigh the findings, and put the answer into words."""
    findings, facts, found = weighed(case)
    decision = tempered(case, replace(found, confidence=probability(case, found, facts)), facts)
    best = facts.best.get(decision.code)
    near = best.near_miss if best else None
    values = Values(case, decision, best)
    sides = comparison(case, decision.code, values)
    library = next((reading.library for reading in case.readings if reading.library), "")
    return Diagnosis(
        code=decision.code,
        cause=CODES[decision.code].cause,
        confidence=round(decision.confidence, 2),
        title=_title(case, decision, facts),
        evidence=_evidence(case, decision, findings),
        rivals=tuple(Rival(code=code, why_not=why) for code, why in decision.lost),
        missing=missing(case, decision.confidence),
        fix=fixes_for(
            decision.code,
            case.event.gateway.kind,
            library,
            values,
            near.key if near else "",
            values.variety(),
        ),
        also=later_failures(decision.code, facts),
        near_miss=near.says if near else "",
        library=library,
        expected=sides.expected,
        received=sides.received,
        missing_scope=sides.missing_scope,
        discriminant=_discriminant(decision, facts),
    )


def _title(case: Case, decision: Decision, facts: Weights) -> str:
    """The code's title; a missing user claim is named where it is known."""
    if decision.code != "user_claim_missing":
        return title(decision.code)
    finding = facts.best.get(decision.code)
    claim = finding.discriminant if finding else user.reported_claim(case)
    return f"{title(decision.code).rstrip('.')} (expected `{claim}`)." if claim else title(decision.code)


def _evidence(case: Case, decision: Decision, findings: list[Finding]) -> tuple[Evidence, ...]:
    """The evidence for the answer, strongest first: facts, then what the message means, then the status."""
    mine = sorted((f for f in findings if f.code == decision.code and f.strength > 0), key=lambda f: -f.strength)
    shown = [Evidence(f.source, f.says) for f in mine]
    if decision.reading:
        shown.append(_of_message(case.event.words, decision.reading))
        shown.extend(_closest_message(case.event.words, decision))
    elif case.event.request.status or not shown:
        shown.append(Evidence("status", f"response status {case.event.request.status or 'not logged'}"))
    return tuple(dict.fromkeys(shown))[:MAX_EVIDENCE]


def _of_message(words: Words, reading: Reading) -> Evidence:
    text = words.reason or words.message or words.challenge
    reported = f'reported: "{text[:MAX_QUOTED]}"' if text else f"response body of {words.body_bytes} bytes"
    return Evidence("message", f"{reading.says} ({reported})")


def _closest_message(words: Words, decision: Decision) -> Iterator[Evidence]:
    """For a message that no signature knows: the one that is known and most like it."""
    if decision.reading and is_opinion(decision.reading):
        known = (closest(text, decision.code) for text in (words.reason, words.message, words.challenge))
        yield from (Evidence("message", f"closest known message: {one}") for one in known if one)


def _discriminant(decision: Decision, facts: Weights) -> str:
    if decision.code in facts.best and facts.best[decision.code].discriminant:
        return facts.best[decision.code].discriminant
    captures = dict(decision.reading.captures) if decision.reading else {}
    return next((captures[name] for name in _TOUCHED if captures.get(name)), "")


__all__ = ["CACHE_SIZE", "OK", "RULES", "Case", "Diagnoser", "Finding", "Strength", "diagnose", "weighed"]
