"""A failure as an event of the Open Cybersecurity Schema Framework (OCSF) 1.8.

With a token that names a user or an issuer it is an Authentication event (3002), which requires a user; else it is API Activity
(6003). A user is the pseudonym that the lake has, never a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, Final

from analyzer.verdicts import Diagnosis, Verdict
from collector.events import Event, Outcome
from why401 import __version__

VERSION: Final = "1.8.0"
AUTHENTICATION: Final = 3002
API_ACTIVITY: Final = 6003
_FAILURE: Final = {"status_id": 2, "status": "Failure"}
_LOGON: Final = 1
_ACTIVITIES: Final = {"POST": (1, "Create"), "GET": (2, "Read"), "HEAD": (2, "Read"), "PUT": (3, "Update"), "PATCH": (3, "Update"), "DELETE": (4, "Delete")}  # fmt: skip
_METHODS: Final = frozenset({"OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "PATCH"})  # OCSF's
_SEVERITY: Final = {Outcome.DENIED: (2, "Low"), Outcome.ERROR: (3, "Medium")}
_OIDC, _OTHER = (6, "OpenID"), (99, "Other")


def event(verdict: Verdict) -> dict[str, Any]:
    """One event."""
    about, diagnosis = verdict.event, verdict.diagnosis
    assert diagnosis is not None
    severity_id, severity = _SEVERITY.get(about.outcome, (1, "Informational"))
    shared = {
        "time": about.time_ns // 1_000_000,
        "severity_id": severity_id,
        "severity": severity,
        "message": diagnosis.title,
        "status_code": diagnosis.code,
        "status_detail": "; ".join(each.says for each in diagnosis.evidence) or diagnosis.title,
        "metadata": _metadata(verdict),
        "http_request": _request(about),
        "unmapped": _unmapped(verdict, diagnosis),
        **_FAILURE,
    }
    status = about.request.status
    if status:
        shared["http_response"] = {"code": status}
    own = _authentication(about) if about.token.user else _api_activity(about)
    return shared | own


def _authentication(about: Event) -> dict[str, Any]:
    protocol_id, protocol = _OIDC if about.token.iss else _OTHER
    out = _class(AUTHENTICATION, "Authentication", 3, "Identity & Access Management", _LOGON, "Logon")
    out |= {"auth_protocol_id": protocol_id, "auth_protocol": protocol, "user": {"uid": about.token.user}}
    out |= {"service": {"name": about.request.host or about.gateway.kind}, "is_remote": True}
    source = _source(about)
    return out | ({"src_endpoint": source} if source else {})


def _api_activity(about: Event) -> dict[str, Any]:
    request = about.request
    activity, name = _ACTIVITIES.get(request.method, (99, "Other"))
    out = _class(API_ACTIVITY, "API Activity", 6, "Application Activity", activity, name)
    service = {"service": {"name": request.host}} if request.host else {}
    operation = f"{request.method} {request.route}".strip() or "request"
    actor = {"app_uid": about.token.client} if about.token.client else {"app_name": "unknown"}
    return out | {
        "actor": actor,
        "api": {"operation": operation, **service},
        "src_endpoint": _source(about) or {"name": "unknown"},
    }


def _class(uid: int, name: str, category: int, category_name: str, activity: int, activity_name: str) -> dict[str, Any]:
    return {
        "class_uid": uid,
        "class_name": name,
        "category_uid": category,
        "category_name": category_name,
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": uid * 100 + activity,
        "type_name": f"{name}: {activity_name}",
    }


def _metadata(verdict: Verdict) -> dict[str, Any]:
    about = verdict.event
    out: dict[str, Any] = {
        "version": VERSION,
        "product": {"name": "why401", "vendor_name": "why401", "version": __version__},
        "log_provider": about.gateway.kind,
        "event_code": verdict.diagnosis.code if verdict.diagnosis else "",
        "logged_time": about.observed_ns // 1_000_000,
    }
    shared = about.request.trace_id or about.request.request_id
    return out | ({"correlation_uid": shared} if shared else {})


def _request(about: Event) -> dict[str, Any]:
    request = about.request
    method = request.method if request.method in _METHODS else ""
    known = {"http_method": method, "user_agent": request.user_agent, "uid": request.request_id}
    out: dict[str, Any] = {key: value for key, value in known.items() if value}
    url = {key: value for key, value in {"path": request.route, "hostname": request.host}.items() if value}
    return out | ({"url": url} if url else {})


def _source(about: Event) -> dict[str, Any]:
    """The client's network: its first address stands for it, since why401 knows no more."""
    try:
        return {"ip": str(ip_network(about.request.client, strict=False).network_address)}
    except ValueError:
        return {}


def _unmapped(verdict: Verdict, diagnosis: Diagnosis) -> Mapping[str, Any]:
    token = verdict.event.token
    known = {
        "cause": diagnosis.cause,
        "confidence": diagnosis.confidence,
        "group_id": verdict.group.id if verdict.group else "",
        "gateway_instance": verdict.event.gateway.instance,
        "client_network": verdict.event.request.client,
        "issuer": token.iss,
        "client_id": token.client,
        "audiences": list(token.aud),
        "kid": token.kid,
        "alg": token.alg,
        "span_id": verdict.event.request.span_id,
        "fix": [each.says for each in diagnosis.fix],
    }
    return {key: value for key, value in known.items() if value not in ("", [])}
