"""What the answer itself says: status, who wrote it, how long its body was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.knowledge.products import facts
from collector.events import Outcome, Responder, Verification

STATUSES: Final = {
    431: ("header_too_large", Strength.PROOF, "431: the request's headers exceed the limit"),
    494: ("header_too_large", Strength.PROOF, "494: the request's headers exceed nginx's limit"),
    429: ("caller_blocked", Strength.STRONG, "429: the caller was limited"),
    407: ("scheme_invalid", Strength.HINT, "407: a proxy asked for its own credential"),
}
# `http-request deny` answers 403 whatever the reason (HAProxy's configuration manual, http-request deny).
REFUSES_WITH_403: Final = ("haproxy",)


def rule(case: Case) -> Iterator[Finding]:
    """Status rules that hold for every gateway, then the gateway's own (statuses.toml)."""
    status, responder = case.event.request.status, case.event.responder
    yield from _of_gateway(case)
    if status in STATUSES:
        code, strength, says = STATUSES[status]
        yield Finding(code, strength, "status", says)
    if responder is Responder.UPSTREAM and status in (401, 403):
        says = f"the gateway let the request pass; the upstream answered {status}"
        yield Finding("upstream_rejected", Strength.STRONG, "status", says)
    if status == 403 and responder is not Responder.UPSTREAM:
        is_meant = case.event.gateway.kind not in REFUSES_WITH_403
        is_known = is_meant and case.event.token.verification is Verification.VERIFIED
        strength = Strength.LIKELY if is_known else Strength.HINT
        says = (
            "403: the caller was known and not allowed"
            if strength is Strength.LIKELY
            else "403 speaks of authorization"
        )
        yield Finding("access_denied", strength, "status", says)
    if case.event.outcome is Outcome.ERROR:
        yield Finding(
            "gateway_error", Strength.LIKELY, "status", f"{status}: the authentication step failed inside the gateway"
        )
    if case.event.request.status == 400 and case.event.token.size > 7_000:
        says = f"400 with a token of {case.event.token.size} characters: most gateways stop at 8 KiB of headers"
        yield Finding("header_too_large", Strength.LIKELY, "status", says)


def _of_gateway(case: Case) -> Iterator[Finding]:
    if case.event.responder is Responder.UPSTREAM:
        return
    for code, strength, says in _statuses().get((case.event.gateway.kind, case.event.request.status), ()):
        yield Finding(code, strength, "status", says)


@cache
def _statuses() -> Mapping[tuple[str, int], tuple[tuple[str, Strength, str], ...]]:
    found: dict[tuple[str, int], tuple[tuple[str, Strength, str], ...]] = {}
    for _, content in facts("gateway", "statuses"):
        for row in content["status"]:
            key = content["gateway"], row["status"]
            found[key] = (*found.get(key, ()), (row["code"], Strength[row["strength"]], row["says"]))
    return found
