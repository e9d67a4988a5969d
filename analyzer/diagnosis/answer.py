"""What the response itself shows: its status, who sent it, the size of the request's token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from analyzer.diagnosis.alike import LARGE_TOKEN
from analyzer.diagnosis.findings import Case, Finding, Strength
from analyzer.knowledge.products import facts, table
from collector.events import Outcome, Responder, Verification

EXPLAINED: Final = 0.5  # certainty of a message that counts as the upstream's reason
ANY: Final = ""  # the gateway of statuses.toml that hold for every gateway
_Row = tuple[str, Strength, str]  # code, strength, says


def rule(case: Case) -> Iterator[Finding]:
    """The gateway's own statuses, then those of every gateway (statuses.toml), then what follows from status and sender."""
    yield from _listed(case)
    if _is_from_upstream(case):
        yield from _of_upstream(case)
    elif case.event.request.status == 403:
        yield _forbidden(case)
    if case.event.outcome is Outcome.ERROR:
        says = f"status {case.event.request.status}: the authentication step failed inside the gateway"
        yield Finding("gateway_error", Strength.LIKELY, "status", says)
    yield from _too_large(case)


def _is_from_upstream(case: Case) -> bool:
    return case.event.responder is Responder.UPSTREAM


def _listed(case: Case) -> Iterator[Finding]:
    status, own = case.event.request.status, () if _is_from_upstream(case) else (case.event.gateway.kind,)
    for gateway in (*own, ANY):
        for code, strength, says in _statuses().get((gateway, status), ()):
            yield Finding(code, strength, "status", says)


def _of_upstream(case: Case) -> Iterator[Finding]:
    """Strong only where the upstream gave no reason; what it said, even vaguely, is more than that it spoke."""
    status = case.event.request.status
    if status in (401, 403):
        is_explained = any(reading.certainty >= EXPLAINED for reading in case.readings[:1])
        strength = Strength.LIKELY if is_explained else Strength.STRONG
        says = f"the gateway let the request pass; the upstream answered {status}"
        yield Finding("upstream_rejected", strength, "status", says)


def _forbidden(case: Case) -> Finding:
    meaningless = _meaningless().get((case.event.gateway.kind, 403), "")
    if not meaningless and case.event.token.verification is Verification.VERIFIED:
        says = "status 403: the caller was authenticated but not allowed"
        return Finding("access_denied", Strength.LIKELY, "status", says)
    says = meaningless or "status 403 usually means that an authorization check failed"
    return Finding("access_denied", Strength.HINT, "status", says)


def _too_large(case: Case) -> Iterator[Finding]:
    size = case.event.token.size
    if case.event.request.status == 400 and size > LARGE_TOKEN:
        says = f"status 400 with a token of {size} characters: most gateways accept 8 KiB of headers"
        yield Finding("header_too_large", Strength.LIKELY, "status", says)


@cache
def _statuses() -> Mapping[tuple[str, int], tuple[_Row, ...]]:
    """By gateway (ANY for every gateway) and status, as the statuses.toml files say."""
    found: dict[tuple[str, int], tuple[_Row, ...]] = {}
    contents = [table("statuses.toml"), *(content for _, content in facts("gateway", "statuses"))]
    for content in contents:
        for row in content.get("status", ()):
            key = content.get("gateway", ANY), row["status"]
            found[key] = (*found.get(key, ()), (row["code"], Strength[row["strength"]], row["says"]))
    return found


@cache
def _meaningless() -> Mapping[tuple[str, int], str]:
    """By gateway and status, where a gateway sends that status whatever the reason."""
    contents = [content for _, content in facts("gateway", "statuses")]
    return {
        (content["gateway"], row["status"]): row["says"]
        for content in contents
        for row in content.get("meaningless", ())
    }
