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
from analyzer.diagnosis.near import nearest
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
            _values(case, decision, facts),
            best.near_miss if best else "",
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


def _values(case: Case, decision: Decision, facts: Weights) -> dict[str, str]:
    """Values of the event and the configuration that a fix may quote; all are redacted already."""
    token, expected = case.event.token, case.expected
    captures = dict(decision.reading.captures) if decision.reading else {}
    lacking = [scope for scope in (expected.required_scopes if expected else ()) if scope not in token.scopes]
    values = {
        "issuer": token.iss,
        "expected_issuer": _expected((token.iss,), _issuers(case)),
        "audience": ", ".join(token.aud[:2]),
        "expected_audience": _expected(token.aud, _audiences(case)),
        "kid": token.kid,
        "alg": token.alg,
        "claim": captures.get("claim", "").strip("\"'`.:") or _claim(case, decision, facts),
        "scope": captures.get("scope") or captures.get("scopes") or next(iter(lacking), ""),
    }
    return {name: value for name, value in values.items() if value}


def _issuers(case: Case) -> tuple[str, ...]:
    """Those that are configured, else those whose tokens pass on the same route."""
    configured = tuple(issuer.issuer for issuer in case.issuers)
    return configured or tuple(passing.issuer for passing in case.passed.issuers)


def _audiences(case: Case) -> tuple[str, ...]:
    """Those that are configured for the token's issuer, else those of its tokens that pass on the same route."""
    passing = case.passed.of(case.event.token.iss)
    configured = case.expected.audiences if case.expected else ()
    return configured or (passing.audiences if passing else ())


def _expected(received: tuple[str, ...], configured: tuple[str, ...]) -> str:
    """The configured value that was nearly met, or the only one that there is."""
    near = next((value for value, _ in (nearest(text, configured) for text in received) if value), "")
    return near or (configured[0] if len(configured) == 1 else "")


def _claim(case: Case, decision: Decision, facts: Weights) -> str:
    """The claim that a rule found at fault; the configured user claim where the user is missing."""
    if decision.code == "user_claim_missing" and case.expected:
        return case.expected.user_claim
    codes = ("claim_missing", "claim_type_invalid", "claim_value_invalid", "user_claim_missing")
    return next((claim for code in codes if (claim := _about(code, decision, facts))), "")


def _about(code: str, decision: Decision, facts: Weights) -> str:
    """What the best finding for this code is about, when it is the code decided for."""
    return facts.best[code].discriminant if decision.code == code and code in facts.best else ""


__all__ = ["CACHE_SIZE", "OK", "RULES", "Case", "Diagnoser", "Finding", "Strength", "diagnose"]
