"""A failure as a document of the Elastic Common Schema (ECS) 9.4. What it has no field for is under `why401`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from analyzer.verdicts import Verdict
from collector.events import moment_us

VERSION: Final = "9.4.0"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MESSAGE_LIMIT: Final = 8_000


def document(verdict: Verdict) -> dict[str, Any]:
    """One document."""
    about, diagnosis = verdict.event, verdict.diagnosis
    assert diagnosis is not None
    request, token = about.request, about.token
    at = _EPOCH + timedelta(microseconds=moment_us(about.time_ns, about.observed_ns))
    known: dict[str, Any] = {
        "@timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ecs": {"version": VERSION},
        "event": {
            "kind": "event",
            "category": ["authentication"],
            "type": ["info"],
            "outcome": "failure",
            "action": "why401.auth_failure",
            "module": "why401",
            "dataset": "why401.auth_failure",
            "provider": about.gateway.kind,
            "code": diagnosis.code,
            "reason": diagnosis.title,
        },
        "message": diagnosis.title,
        "error": {"type": diagnosis.code, "code": about.words.reason, "message": about.words.message[:_MESSAGE_LIMIT]},
        "http": {
            "request": {"method": request.method, "id": request.request_id},
            "response": {"status_code": request.status or None},
        },
        "url": {"path": request.route, "domain": request.host},
        "client": {"address": request.client},
        "user": {"hash": token.user},
        "user_agent": {"name": request.user_agent, "version": request.user_agent_version},
        "observer": {"name": about.gateway.instance, "product": about.gateway.kind, "type": "gateway", "version": about.gateway.version},
        "trace": {"id": request.trace_id},
        "span": {"id": request.span_id},
        "labels": {"cause": diagnosis.cause, "group_id": verdict.group.id if verdict.group else ""},
        "why401": {
            "confidence": diagnosis.confidence,
            "evidence": [each.says for each in diagnosis.evidence],
            "fix": [each.says for each in diagnosis.fix],
            "token": {"issuer": token.iss, "client_id": token.client, "audience": list(token.aud), "kid": token.kid, "alg": token.alg},
        },
    }  # fmt: skip
    return _filled(known)


def _filled(value: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty, at every level."""
    out: dict[str, Any] = {}
    for key, each in value.items():
        kept = _filled(each) if isinstance(each, Mapping) else each
        if kept not in ("", None, [], {}):
            out[key] = kept
    return out
