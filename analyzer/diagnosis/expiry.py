"""exp against the event's time: token_expired."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.findings import Case, Finding, Strength, span
from collector.events import Responder


def rule(case: Case) -> Iterator[Finding]:
    """Expired beyond the leeway is arithmetic; within it two clocks may disagree."""
    exp = case.times.exp_s
    if exp is None or not case.event.time_known:
        return
    if case.event.token.claim_type("exp") == "string":
        return  # a type fault first: what the verifier makes of the text is its own affair
    if exp >= 0:
        yield Finding("token_expired", Strength.REFUTES, "time", f"exp lies {span(exp)} after the request")
        return
    says = f"exp was {span(exp)} before the request; the leeway is {case.skew_s} s"
    if -exp > case.skew_s:
        yield Finding("token_expired", Strength.PROOF, "time", says, discriminant="expired")
        return
    is_behind = case.event.responder is Responder.UPSTREAM  # the gateway let it pass, so its own leeway was enough
    strength = Strength.STRONG if is_behind else Strength.LIKELY
    says += "; the upstream behind it grants less" if is_behind else ": a verifier that grants none refuses it"
    yield Finding("token_expired", strength, "time", says, discriminant="expired")
    yield Finding("clock_skew", Strength.HINT, "time", f"only {span(exp)} past exp: two clocks may disagree")
