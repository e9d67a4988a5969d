"""Google's ESP and ESPv2 (endpoints_log) and API Gateway (platform logs), in Cloud Logging's envelope.

Keys after GoogleCloudPlatform/esp-v2 `src/go/…/service_control` and esp `src/api_manager/service_control/proto.cc`,
"Endpoints logs reference", "API Gateway platform logs", and Cloud Logging's LogEntry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NO_TEXTS, NotAuth
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import (
    as_text,
    claims_in,
    client,
    count,
    header_map,
    http_status,
    is_object,
    trace_id,
)
from collector.records import Parsed, RawRecord

NAME: Final = "gcp-api-gateway"
_MAX_HEADERS: Final = 64
_PAYLOADS: Final = ("jsonPayload", "structPayload")
_OWN_KEYS: Final = ("response_code_detail", "api_method", "api_name", "service_config_id", "api_key_state")
_LOGS: Final = ("/endpoints_log", "/logs/apigateway.googleapis.com%2F", "/logs/endpoints.googleapis.com%2F")
_RESOURCE: Final = "apigateway.googleapis.com/"
_DETAILS: Final = ("response_code_detail", "responseDetails", "response_details", "responseCodeDetails")
_PROBLEMS: Final = (" failed: ", "UNAUTHENTICATED", "PERMISSION_DENIED", "JWT", "Jwt")
_BODY_STARTS: Final = (
    "Jwt ", "Jwks ", "Audiences in Jwt", "JWT validation failed", "Method doesn't allow unregistered callers",
    "API key not valid", "API key expired", "PERMISSION_DENIED:", "UNAUTHENTICATED:",
)  # fmt: skip
TEXTS: Final = NO_TEXTS


def parse(record: RawRecord) -> Parsed | None:
    """A request in Endpoints' or API Gateway's log, a failed key set fetch, or the body that a client was sent."""
    fields = mapping(record)
    if not fields:
        return None
    payload = _payload(fields)
    if payload is not None:
        return _entry(fields, payload, record)
    return _body(fields, record)


def _payload(fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The inner object when the entry is one of these gateways'."""
    inner = next((value for name in _PAYLOADS if is_object(value := fields.get(name))), None)
    log = as_text(fields.get("logName"))
    if any(name in log for name in _LOGS) or _of_gateway(fields):
        return inner if inner is not None else {}
    candidate = fields if inner is None else inner
    return candidate if sum(name in candidate for name in _OWN_KEYS) >= 2 else None


def _of_gateway(fields: Mapping[str, Any]) -> bool:
    """Without the log's name, the monitored resource says whose the entry is."""
    resource = fields.get("resource")
    return isinstance(resource, Mapping) and as_text(resource.get("type")).startswith(_RESOURCE)


def _entry(fields: Mapping[str, Any], payload: Mapping[str, Any], record: RawRecord) -> Parsed:
    request = fields.get("httpRequest")
    http: Mapping[str, Any] = request if is_object(request) else {}
    statuses = (payload.get("http_status_code"), payload.get("http_response_code"), http.get("status"))
    parsed = Parsed(NAME, status=next(filter(None, map(http_status, statuses)), 0))
    parsed.time_ns = any_ns(payload.get("timestamp"), record.time_ns) or any_ns(fields.get("timestamp"), record.time_ns)
    parsed.method = as_text(payload.get("http_method") or http.get("requestMethod"))
    parsed.path = _path(as_text(payload.get("url") or http.get("requestUrl")))
    parsed.route = as_text(payload.get("api_method"))
    parsed.client = client(as_text(payload.get("client_ip") or http.get("remoteIp")))
    parsed.user_agent = as_text(http.get("userAgent"))
    parsed.request_id = as_text(fields.get("insertId"))
    parsed.trace_id = trace_id(as_text(fields.get("trace")).rpartition("/")[2])
    parsed.version = as_text(payload.get("service_agent")).rpartition("/")[2]
    parsed.body_bytes = count(payload.get("response_size_in_bytes") or http.get("responseSize"))
    parsed.claims = claims_in(payload.get("jwt_payloads"))
    _read_headers(parsed, payload.get("request_headers"))
    _read_words(parsed, payload)
    return _settled(finish(parsed, record), payload, as_text(fields.get("severity")))


def _read_words(parsed: Parsed, payload: Mapping[str, Any]) -> None:
    parsed.reason = next((text for name in _DETAILS if (text := as_text(payload.get(name)))), "")
    cause, message = as_text(payload.get("error_cause")), as_text(payload.get("log_message"))
    is_problem = any(word in message for word in _PROBLEMS)
    said = message if is_problem else as_text(payload.get("error") or payload.get("message"))
    parsed.message = said or (cause if " " in cause else "")
    if not parsed.reason and payload.get("api_key_state") == "INVALID":
        parsed.reason = '"api_key_state":"INVALID"'


def _settled(parsed: Parsed, payload: Mapping[str, Any], severity: str) -> Parsed:
    """ESP tells by its own detail that the backend answered."""
    if parsed.status:
        by_upstream = parsed.reason == "via_upstream" or payload.get("error_cause") == "application"
        is_known = parsed.reason or parsed.message
        parsed.responder = Responder.UPSTREAM if by_upstream else Responder.GATEWAY if is_known else Responder.UNKNOWN
        if parsed.status == 400 and "API_KEY" in parsed.reason:  # a bad key is a bad request to Service Control
            parsed.outcome = Outcome.DENIED
        return parsed
    if severity in ("DEFAULT", "INFO", "DEBUG", "NOTICE") or not topic.is_auth(f"{parsed.message} {parsed.reason}"):
        raise NotAuth(NAME, "an entry without a request")
    parsed.outcome = topic.outcome(parsed.message)
    return parsed


def _read_headers(parsed: Parsed, logged: Any) -> None:
    """The operator's choice of headers, as an object or as ESP's `name=value;`."""
    if isinstance(logged, str):
        pairs = (pair.partition("=") for pair in logged.split(";", _MAX_HEADERS)[:_MAX_HEADERS])
        parsed.headers = {name.strip().lower(): value for name, _, value in pairs if name.strip()}
    else:
        parsed.headers = header_map(logged)
    parsed.credential_logged = "authorization" in parsed.headers


def _path(url: str) -> str:
    scheme, found, rest = url.partition("://")
    if not found or "/" in scheme:
        return url
    _, slash, path = rest.partition("/")
    return slash + path


def _body(fields: Mapping[str, Any], record: RawRecord) -> Parsed | None:
    """`{"code": 401, "message": "Jwt …"}`, as ESPv2 answers."""
    message = fields.get("message")
    if len(fields) != 2 or not isinstance(message, str) or not message.startswith(_BODY_STARTS):
        return None
    status = http_status(fields.get("code"))
    if not status:
        return None
    outcome = None if status < 500 else Outcome.ERROR
    return finish(Parsed(NAME, status=status, message=message, outcome=outcome, responder=Responder.GATEWAY), record)
