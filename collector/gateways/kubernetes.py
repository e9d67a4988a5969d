"""Kubernetes API server: klog lines and klog JSON of the authentication filter, audit events, Status answers.

After kubernetes/apiserver `pkg/endpoints/filters/authentication.go`, `pkg/apis/audit/v1`, and klog's structured format,
whose values are quoted as Go quotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.scan import quoted, unescape
from collector.gateways.reading.times import SECOND_NS, any_ns, rfc3339_ns
from collector.gateways.reading.values import as_text, client, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "kubernetes"
_ERROR: Final = ' err="'
_LINE: Final = "Unable to authenticate the request"
_MADE: Final = 1_400_000_000 * SECOND_NS  # Kubernetes is not older; a clock before it says nothing of the year
_METHODS: Final = {
    "get": "GET", "list": "GET", "watch": "GET", "create": "POST", "update": "PUT", "patch": "PATCH",
    "delete": "DELETE", "deletecollection": "DELETE",
}  # fmt: skip
TEXTS: Final = Texts(begins="EWIF")


def parse(record: RawRecord) -> Parsed | None:
    """A verdict of the authenticators, a request in the audit log, or a Status that a client was sent."""
    if record.fields is None and record.text:
        parsed = _klog(record.text, record.time_ns or record.observed_ns)
        return finish(parsed, record) if parsed else None
    fields = mapping(record)
    if not fields:
        return None
    parsed = _object(fields, record.time_ns)
    return finish(parsed, record) if parsed else None


def _klog(text: str, near_ns: int) -> Parsed | None:
    """`Lmmdd hh:mm:ss.uuuuuu pid file:line] message key="value"`; the message is quoted since structured logging."""
    stamp = text[1:21]
    if text[:1] not in ("E", "W", "I", "F") or not stamp[:4].isdigit() or stamp[4:5] != " " or stamp[7:8] != ":":
        return None
    head, bracket, message = text[:160].partition("] ")
    if not bracket or ":" not in head[21:]:
        return None
    message = _said(text[len(head) + 2 :])
    if text[0] == "I" or not topic.is_auth(message):
        raise NotAuth(NAME, "a log line without a verdict")
    return _verdict(message, _klog_time(stamp, near_ns))


def _said(text: str) -> str:
    if text[:1] != '"':
        return text
    message, after = quoted(text, 0)
    at = text.find(_ERROR, after)
    error = unescape(quoted(text, at + len(_ERROR) - 1)[0]) if at >= 0 else ""
    return f"{unescape(message)}: {error}" if error else unescape(message)


def _klog_time(stamp: str, near_ns: int) -> int:
    """The year, which klog leaves out, is the one that brings the time closest to the arrival."""
    if near_ns < _MADE:
        return 0
    year = datetime.fromtimestamp(near_ns / SECOND_NS, UTC).year
    texts = (f"{y}-{stamp[:2]}-{stamp[2:4]} {stamp[5:].rstrip()}" for y in (year - 1, year, year + 1))
    times = [ns for text in texts if (ns := rfc3339_ns(text))]
    return min(times, key=lambda ns: abs(ns - near_ns), default=0)


def _verdict(message: str, time_ns: int) -> Parsed:
    is_refusal = _LINE in message
    outcome = topic.outcome(message)
    status = 401 if is_refusal and outcome is Outcome.DENIED else 0
    return Parsed(NAME, status=status, time_ns=time_ns, message=message, outcome=outcome, responder=Responder.GATEWAY)


def _object(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    version = fields.get("apiVersion")
    if isinstance(version, str) and version.startswith("audit.k8s.io/"):
        return _audit(fields, near_ns)
    if fields.get("kind") == "Status" and version == "v1":
        return _status(fields)
    if isinstance(message := fields.get("msg"), str) and message.startswith(_LINE):
        error = as_text(fields.get("err"))
        return _verdict(f"{message}: {error}" if error else message, any_ns(fields.get("ts"), near_ns))
    return None


def _audit(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    """An audit event: its last stage is the request, the earlier ones have no answer yet."""
    answer = fields.get("responseStatus")
    status = http_status(answer.get("code")) if isinstance(answer, Mapping) else 0
    if not isinstance(answer, Mapping) or not status or fields.get("stage") == "ResponseStarted":
        raise NotAuth(NAME, "a stage without an answer")
    times = (any_ns(fields.get(name), near_ns) for name in ("requestReceivedTimestamp", "stageTimestamp"))
    parsed = Parsed(NAME, status=status, time_ns=next(filter(None, times), 0))
    verb = as_text(fields.get("verb"))
    parsed.method, parsed.path = _METHODS.get(verb, verb.upper()), as_text(fields.get("requestURI"))
    parsed.client = client(as_text(fields.get("sourceIPs")))
    parsed.user_agent, parsed.request_id = as_text(fields.get("userAgent")), as_text(fields.get("auditID"))
    if status >= 400:
        parsed.message = as_text(answer.get("message"))
        parsed.reason = _decision(fields.get("annotations"))
    parsed.responder = Responder.GATEWAY if status in (401, 403) else Responder.UNKNOWN
    return parsed


def _decision(annotations: Any) -> str:
    reason = annotations.get("authorization.k8s.io/reason") if isinstance(annotations, Mapping) else ""
    return as_text(reason)


def _status(fields: Mapping[str, Any]) -> Parsed | None:
    status = http_status(fields.get("code"))
    if status not in (401, 403):
        raise NotAuth(NAME, "a Status that refuses nothing")
    return Parsed(NAME, status=status, message=as_text(fields.get("message")), responder=Responder.GATEWAY)
