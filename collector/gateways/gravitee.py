"""Gravitee: the reporters' JSON (requests of v2 and v4, and logs of whole exchanges), gateway.log, error bodies.

Keys after the reporters' index templates (request.ftl, log.ftl, v4-metrics.ftl, v4-log.ftl); the plain JSON format writes the same
names in camel case. The policy's key (`JWT_INVALID_TOKEN`) is the reason, its exception's text the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Outcome, Responder
from collector.gateways.reading import exchange, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import canonical_name, finish, mapping
from collector.gateways.reading.scan import has_any
from collector.gateways.reading.times import any_ns, rfc3339_ns
from collector.gateways.reading.values import MAX_KEYS, as_text, client, count, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "gravitee"
# io.gravitee.common.http.HttpMethod: the templates of v2 write its number.
_METHODS: Final = ("OTHER", "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
_OWN_NAMES: Final = frozenset(
    ("transaction", "transaction_id", "api", "api_id", "plan", "plan_id", "application", "application_id", "security_type",
     "security_token", "error_key", "proxy_latency", "gateway_latency_ms", "gateway_response_time_ms", "entrypoint_id",
     "mapped_path", "proxy_response_time_ms", "api_response_time_ms", "response_time", "api_response_time", "path_info")
)  # fmt: skip
_MIN_OWN: Final = 3
_MAX_KEYS_TEXT: Final = 8192
# Request, response and the upstream's response in the logs of whole exchanges: v2, v4.
_EXCHANGES: Final = (
    ("client-request", "client-response", "proxy-response"),
    ("entrypoint-request", "entrypoint-response", "endpoint-response"),
)
_LOGGERS: Final = (" io.gravitee.", " i.g.")
_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
_POLICIES: Final = (".policy.jwt", ".policy.oauth2", ".policy.v3.jwt", ".apikey")
_MARKS: Final = (("[request-id:", "request_id"), ("[request-path:", "path"))
TEXTS: Final = Texts(holds=_LOGGERS)


def parse(record: RawRecord) -> Parsed | None:
    """A request, an exchange, a verdict in gateway.log, or the body of a refusal."""
    is_text = record.fields is None and record.text
    parsed = _line(record.text, record.time_ns) if is_text else _fields(mapping(record), record.time_ns)
    return finish(parsed, record) if parsed else None


def _fields(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    for request, response, upstream in _EXCHANGES:
        if request in fields and response in fields:
            return _exchange(fields, near_ns, request, response, upstream)
    if fields.keys() == {"message", "http_status_code"}:
        return _body(fields)
    if "uri" not in fields or "status" not in fields or len(fields) > MAX_KEYS:
        return None
    named = _named(fields)
    return _request(named, near_ns) if len(_OWN_NAMES & named.keys()) >= _MIN_OWN else None


def _named(fields: Mapping[str, Any]) -> dict[str, Any]:
    if sum(map(len, fields)) > _MAX_KEYS_TEXT:
        return {}
    return {canonical_name(name): value for name, value in fields.items()}


def _request(fields: Mapping[str, Any], near_ns: int) -> Parsed:
    text = {name: as_text(value) for name, value in fields.items()}
    parsed = Parsed(NAME, status=http_status(fields["status"]), path=text["uri"])
    if not parsed.status:
        raise NotAuth(NAME, "no answer was sent")
    parsed.time_ns = any_ns(fields.get("timestamp"), near_ns)
    parsed.method = _method(fields.get("http_method", fields.get("method")))
    parsed.host, parsed.user_agent = text.get("host", ""), text.get("user_agent", "")
    parsed.client = client(text.get("remote_address", ""))
    parsed.request_id = text.get("request_id", "") or text.get("id", "")
    parsed.instance = text.get("gateway", "")
    parsed.reason = text.get("error_key", "")
    parsed.message = text.get("error_message", "") or text.get("message", "")
    parsed.body_bytes = count(fields.get("response_content_length"))
    parsed.responder = _answerer(parsed, text)
    return parsed


def _method(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return _METHODS[value] if 0 <= value < len(_METHODS) else ""
    return as_text(value)


def _answerer(parsed: Parsed, text: Mapping[str, str]) -> Responder:
    """The endpoint is set when one was called, its time when it answered."""
    if parsed.reason:
        return Responder.GATEWAY
    took = text.get("api_response_time") or text.get("api_response_time_ms") or text.get("endpoint_response_time_ms")
    if text.get("endpoint") and took not in ("", "-1", "0", None):
        parsed.upstream_status = parsed.status
        return Responder.UPSTREAM
    return Responder.GATEWAY if parsed.status in (401, 403) else Responder.UNKNOWN


def _exchange(fields: Mapping[str, Any], near_ns: int, request: str, response: str, upstream: str) -> Parsed:
    parsed = Parsed(NAME, time_ns=any_ns(fields.get("@timestamp"), near_ns))
    parsed.request_id = as_text(fields.get("request-id")) or as_text(fields.get("_id"))
    exchange.read_request(parsed, exchange.inner(fields, request))
    exchange.read_response(parsed, exchange.inner(fields, response))
    if not parsed.status:
        raise UnreadableRecord(NAME, "the response's status is not an HTTP status")
    parsed.upstream_status = http_status(exchange.inner(fields, upstream).get("status"))
    parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.GATEWAY
    return parsed


def _body(fields: Mapping[str, Any]) -> Parsed:
    status = http_status(fields.get("http_status_code"))
    if not status:
        raise UnreadableRecord(NAME, "http_status_code is not an HTTP status")
    return Parsed(NAME, status=status, message=as_text(fields.get("message")), responder=Responder.GATEWAY)


def _line(text: str, near_ns: int) -> Parsed | None:
    """Logback's `[date ]time [thread] [api] LEVEL logger - message`."""
    head, dash, message = text[:400].partition(" - ")
    at = next((at for mark in _LOGGERS if (at := head.find(mark)) >= 0), -1)
    level = head[:at].rstrip().rpartition(" ")[2] if at >= 0 else ""
    if not dash or level not in _LEVELS:
        return None
    message = text[len(head) + 3 :]
    if not _is_verdict(level, head[at:], message):
        raise NotAuth(NAME, "a log line without a verdict")
    parsed = Parsed(NAME, time_ns=rfc3339_ns(text[:23].replace(",", "."), near_ns), responder=Responder.GATEWAY)
    for mark, name in _MARKS:
        setattr(parsed, name, message[:1024].partition(mark)[2].partition("]")[0])
    parsed.message = _without_marks(message)
    parsed.outcome = Outcome.ERROR if "JWKS" in parsed.message[:200] else topic.outcome(parsed.message)
    return parsed


def _is_verdict(level: str, logger: str, message: str) -> bool:
    if level in ("TRACE", "INFO"):
        return False
    return has_any(logger, _POLICIES) or (level != "DEBUG" and topic.is_auth(message))


def _without_marks(message: str) -> str:
    """The sentence behind `[api-id:…] [request-id:…] [request-path:…] `."""
    for _ in range(4):
        end = message.find("] ", 0, 1024) if message.startswith("[") else -1
        if end < 0:
            break
        message = message[end + 2 :]
    return message
