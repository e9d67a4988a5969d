"""Why did the gateway say no? Evidence in, exactly one code of the taxonomy out.

Reading RULES is reading what is looked at; reading weigh.py is reading how it is decided. Equal evidence is
diagnosed once: the cache is keyed on the redacted facts, so a storm costs little more than its parsing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from analyzer.diagnosis import (
    answer,
    audience,
    claims,
    clock,
    expiry,
    fix_values,
    form,
    header,
    issuer,
    passing,
    policy,
    presence,
    scheme,
    signature,
    use,
    user,
)
from analyzer.diagnosis.findings import Case, Finding, Rule, Strength, quantise
from analyzer.diagnosis.messages import Read, read_event
from analyzer.diagnosis.missing import missing
from analyzer.diagnosis.route_history import Memory
from analyzer.diagnosis.weigh import Decision, Weights, decide, later_failures, weights
from analyzer.knowledge import fixes_for, read_words, title
from analyzer.taxonomy import CODES
from analyzer.verdicts import Diagnosis, Evidence, Rival
from collector.events import Event, Outcome
from collector.settings import IssuerSettings

RULES: Final[tuple[Rule, ...]] = (
    presence.rule,
    scheme.rule,
    form.rule,
    header.rule,
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
    answer.rule,
)
CACHE_SIZE: Final = 20_000  # distinct evidence: about 60 MB when full
OK: Final = Diagnosis("ok", "", 1.0, "The request passed.")
MAX_EVIDENCE: Final = 6
# Holes of knowledge templates that name what one change would touch, the most telling first.
_TOUCHED: Final = ("policy", "rule", "scope", "scopes", "role", "claim", "alg", "uri", "cluster", "consumer")


class Diagnoser:
    """Diagnoses events against the configured issuers. Not thread-safe: one worker owns it."""

    def __init__(self, issuers: Sequence[IssuerSettings] = (), read: Read = read_words) -> None:
        self._issuers = tuple(issuers)
        self._is_one_for_all = not any(issuer.gateways or issuer.routes for issuer in issuers)
        self._read = read
        self.memory = Memory()
        self._cache: OrderedDict[tuple[object, ...], Diagnosis] = OrderedDict()

    def learn(self, event: Event) -> None:
        """Take in a request that passed: what it has is evidence against those that do not pass."""
        self.memory.learn(event)

    def diagnose(self, event: Event) -> Diagnosis:
        """The diagnosis of one event; a passing request has code "ok"."""
        if event.outcome is Outcome.ALLOWED:
            return OK
        times, issuers, passed = quantise(event.times), self._for(event), self.memory.about(event)
        key = (
            event.gateway,
            event.request.method,
            event.request.status,
            event.responder,
            event.words,
            event.token,
            times,
            issuers,
            passed,
        )
        held = self._cache.get(key)
        if held is None:
            held = diagnose(Case(event, times, read_event(event, self._read), issuers, passed))
            self._cache[key] = held
            if len(self._cache) > CACHE_SIZE:
                self._cache.popitem(last=False)
        return held

    @property
    def cached(self) -> int:
        """Entries of the cache, for telemetry."""
        return len(self._cache)

    def _for(self, event: Event) -> tuple[IssuerSettings, ...]:
        if self._is_one_for_all:
            return self._issuers
        who, route = (event.gateway.kind, event.gateway.instance), event.request.route
        return tuple(
            issuer
            for issuer in self._issuers
            if (not issuer.gateways or any(name in issuer.gateways for name in who))
            and (not issuer.routes or any(fnmatchcase(route, pattern) for pattern in issuer.routes))
        )


def diagnose(case: Case) -> Diagnosis:
    """Run every rule, weigh, and put the answer in words."""
    findings = [finding for rule in RULES for finding in rule(case)]
    facts = weights(findings)
    decision = decide(case.readings, facts, is_quoted=case.event.token.location == "message")
    best = facts.best.get(decision.code)
    values = fix_values.values(case, decision, best)
    cause = CODES[decision.code].cause
    library = next((reading.library for reading in case.readings if reading.library), "")
    return Diagnosis(
        code=decision.code,
        cause=cause,
        confidence=round(decision.confidence, 2),
        title=title(decision.code),
        evidence=_evidence(case, decision, findings),
        rivals=tuple(Rival(code, why) for code, why in decision.lost),
        missing=missing(case, decision.confidence),
        fix=fixes_for(
            decision.code,
            case.event.gateway.kind,
            library,
            values,
            best.near_miss if best else "",
            fix_values.variety(best, values),
        ),
        also=later_failures(decision.code, facts),
        near_miss=best.near_miss if best else "",
        library=library,
        discriminant=_discriminant(decision, facts),
    )


def _evidence(case: Case, decision: Decision, findings: list[Finding]) -> tuple[Evidence, ...]:
    """What speaks for the answer, strongest first: facts, then the words as they were read, then the status."""
    mine = sorted((f for f in findings if f.code == decision.code and f.strength > 0), key=lambda f: -f.strength)
    said = [Evidence(f.source, f.says) for f in mine]
    words = case.event.words
    quoted = words.reason or words.message or words.challenge
    if decision.reading:
        shown = f' ("{quoted[:160]}")' if quoted else f" (a body of {words.body_bytes} bytes)"
        said.append(Evidence("message", decision.reading.says + shown))
    if not said or (not decision.reading and case.event.request.status):
        said.append(Evidence("status", f"the answer was {case.event.request.status or 'not logged'}"))
    return tuple(dict.fromkeys(said))[:MAX_EVIDENCE]


def _discriminant(decision: Decision, facts: Weights) -> str:
    if decision.code in facts.best and facts.best[decision.code].discriminant:
        return facts.best[decision.code].discriminant
    captures = dict(decision.reading.captures) if decision.reading else {}
    return next((captures[name] for name in _TOUCHED if captures.get(name)), "")


__all__ = ["CACHE_SIZE", "OK", "RULES", "Case", "Diagnoser", "Finding", "Strength", "diagnose"]
