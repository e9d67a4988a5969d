"""`exp` against the event's time: token_expired."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis import zone
from analyzer.diagnosis.findings import Case, Finding, Strength, span
from collector.events import Responder


def rule(case: Case) -> Iterator[Finding]:
    """Expired beyond the leeway is arithmetic; within it two clocks may disagree, and without a zone nobody knows the time."""
    exp = case.times.exp_s
    if exp is None or not case.event.time_known:
        return
    if case.event.token.claim_type("exp") == "string":
        return  # a type fault first: validators differ in what they make of text
    if exp >= 0:
        yield from _unexpired(case, exp)
        return
    says = f"expired {span(exp)} before the request (leeway {case.skew_s} s)"
    if -exp > case.skew_s:
        yield _expired(case, -exp, says)
        return
    is_behind = case.event.responder is Responder.UPSTREAM  # the gateway let it pass, so its own leeway was enough
    strength = Strength.STRONG if is_behind else Strength.LIKELY
    says += "; the upstream allows less leeway" if is_behind else "; a validator without leeway rejects it"
    yield Finding("token_expired", strength, "time", says, discriminant="expired")
    yield Finding("clock_skew", Strength.HINT, "time", f"only {span(exp)} past `exp`: the clocks may disagree")


def _unexpired(case: Case, left_s: float) -> Iterator[Finding]:
    if not zone.may_hide_past(case, left_s):
        yield Finding("token_expired", Strength.REFUTES, "time", f"`exp` is {span(left_s)} after the request")


def _expired(case: Case, past_s: float, says: str) -> Finding:
    if zone.explains_past(case, past_s):
        return Finding("token_expired", Strength.STRONG, "time", f"{says}; {zone.UNSURE}", discriminant="expired")
    return Finding("token_expired", Strength.PROOF, "time", says, discriminant="expired")
