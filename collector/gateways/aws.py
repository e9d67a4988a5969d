"""Amazon API Gateway: access logs of REST, HTTP and WebSocket APIs, and execution log lines of REST APIs.

There is no default access log format: keys are the operator's, mostly named after `$context` variables, as the
developer guide's examples are ("Logging variables for HTTP APIs", "Set up CloudWatch logging"; CLF and CSV too).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading import combined_log, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import MAX_KEY_CHARS, canonical_name, finish, flatten, mapping
from collector.gateways.reading.log_lines import leading_time
from collector.gateways.reading.times import any_ns, clf_ns
from collector.gateways.reading.values import MAX_KEYS, as_text, client, count, first_of, http_status, trace_id
from collector.records import Parsed, RawRecord

NAME: Final = "aws-api-gateway"
_PREFIXES: Final = ("context_", "identity_", "context_identity_")
_SURE: Final = frozenset(
    ("error_response_type", "authorizer_error", "extended_request_id", "route_key", "resource_path")
)
_USUAL: Final = frozenset(
    ("request_time", "request_time_epoch", "http_method", "response_length", "api_id", "stage", "domain_name", "ip",
     "integration_status", "integration_latency", "integration_error_message", "authorizer", "identity",
     "error_message",
     "authorizer_status", "authorizer_latency", "caller", "source_ip", "request_id", "protocol", "error_response_type",
     "authorizer_error", "extended_request_id", "route_key", "resource_path", "error", "account_id")
)  # fmt: skip
_ERRORS: Final = (
    "authorizer_error", "authenticate_error", "authorize_error", "authorizer_integration_error_message", "waf_error",
    "integration_error_message",
)  # fmt: skip
_VERDICTS: Final = (
    "Gateway response type: ", "Unauthorized request: ", "Execution failed due to configuration error: Authorizer",
    "Execution failed due to configuration error: Invalid permissions on Lambda", "API Key ", "Failed to authorize",
)  # fmt: skip
_BARE: Final = frozenset(("unauthorized", "forbidden"))  # what the client reads, whatever the reason was
_UUID_CHARS: Final = 36
# Field of a request -> keys, the best first.
_TEXTS: Final = (
    ("method", ("http_method", "method")),
    ("path", ("path", "resource_path")),
    ("host", ("domain_name",)),
    ("client", ("source_ip", "ip")),
    ("user_agent", ("user_agent",)),
    ("request_id", ("request_id", "extended_request_id")),
    ("trace_id", ("xray_trace_id",)),
)
TEXTS: Final = Texts(begins="(2", holds=(']"', ","))


def parse(record: RawRecord) -> Parsed | None:
    """A request of the access log, or the verdict among a request's execution log lines."""
    if record.fields is None and record.text:
        parsed = _line(record.text, record.time_ns)
        return finish(parsed, record) if parsed else None
    fields = mapping(record)
    if not 0 < len(fields) <= MAX_KEYS or sum(map(len, fields)) > MAX_KEY_CHARS or not _is_aws(tuple(fields)):
        return None
    return _fields(flatten(fields), record)


@lru_cache(maxsize=256)
def _is_aws(names: tuple[str, ...]) -> bool:
    found = {_word(name) for name in names}
    return not found.isdisjoint(_SURE) and len(found & _USUAL) >= 4


@lru_cache(maxsize=1024)
def _word(name: str) -> str:
    word = canonical_name(name.lstrip("$")) if len(name) <= 64 else ""
    prefix = next((prefix for prefix in _PREFIXES if word.startswith(prefix)), "")
    return word[len(prefix) :]


def _fields(flat: Mapping[str, Any], record: RawRecord) -> Parsed | None:
    """Keys after $context variables, nested or flat."""
    values = {_word(name): value for name, value in reversed(tuple(flat.items())) if value not in ("-", "")}
    status = http_status(values.get("status"))
    if not status:
        return None
    parsed = Parsed(NAME, status=status, time_ns=_time(values, record.time_ns))
    for role, names in _TEXTS:
        setattr(parsed, role, as_text(first_of(values, names)))
    parsed.route = _route(values)
    parsed.client = client(parsed.client)
    parsed.trace_id = trace_id(parsed.trace_id)
    parsed.body_bytes = count(values.get("response_length"))
    parsed.upstream_status = http_status(first_of(values, ("integration_status", "integration_integration_status")))
    return finish(_with_words(parsed, values), record)


def _route(values: Mapping[str, Any]) -> str:
    route = as_text(values.get("resource_path") or as_text(values.get("route_key")).rpartition(" ")[2])
    return route if route.startswith("/") else ""


def _time(values: Mapping[str, Any], near_ns: int) -> int:
    return any_ns(first_of(values, ("request_time_epoch", "request_time", "time")), near_ns)


def _with_words(parsed: Parsed, values: Mapping[str, Any]) -> Parsed:
    """The authorizer's own error; without one, the message that the gateway sent to the client."""
    parsed.reason = as_text(values.get("error_response_type"))
    sent = as_text(first_of(values, ("error_message", "error_message_string"))).strip('"')
    found = next((text for name in _ERRORS if (text := as_text(values.get(name))) and text != sent), "")
    parsed.message = found or ("" if sent.lower() in _BARE and parsed.reason else sent)
    parsed.challenge = as_text(values.get("www_authenticate"))
    parsed.responder = _responder(parsed, values, has_error=bool(parsed.reason or found))
    return parsed


def _responder(parsed: Parsed, values: Mapping[str, Any], *, has_error: bool) -> Responder:
    if has_error:
        return Responder.AUTHORIZER if values.get("authorizer_error") else Responder.GATEWAY
    return Responder.UPSTREAM if parsed.upstream_status else parsed.responder


def _line(text: str, near_ns: int) -> Parsed | None:
    if text[:1] in "(2" and ") " in text[:80]:
        return _execution(text, near_ns)
    if ']"' in text[:300]:
        return _clf(text)
    return _csv(text) if text.count(",", 0, 600) == 9 else None


def _execution(text: str, near_ns: int) -> Parsed | None:
    """`[TIME] (request id) message`; one request writes many lines, and the verdict is in one or two."""
    time_ns = leading_time(text, near_ns)
    head, _, message = text.partition(") ")
    _, parenthesis, request_id = head.rpartition("(")
    if not parenthesis or not _is_uuid(request_id) or (head[0] != "(" and not time_ns):
        return None
    if not _is_verdict(message):
        raise NotAuth(NAME, "an execution log line without a verdict")
    parsed = Parsed(NAME, time_ns=time_ns, request_id=request_id, message=message, responder=Responder.GATEWAY)
    parsed.is_fragment = True
    kind, found, status = message.partition(" with status code: ")
    if found:
        parsed.reason, parsed.message = kind.partition(": ")[2], ""
        parsed.status = http_status(status[:3])
        parsed.outcome = None if parsed.status else Outcome.DENIED
        return parsed
    parsed.outcome = Outcome.ERROR if message.startswith("Execution failed") else topic.outcome(message)
    return parsed


def _is_uuid(text: str) -> bool:
    return len(text) == _UUID_CHARS and text.count("-") == 4


def _is_verdict(message: str) -> bool:
    return message.startswith(_VERDICTS) and (not message.startswith("API Key ") or "not authorized" in message)


def _clf(text: str) -> Parsed | None:
    """The guide's CLF: `ip caller user [time]"METHOD resource PROTOCOL" status length requestId`, without a blank."""
    line = combined_log.split(text.replace(']"', '] "', 1))
    request_id = line.rest.strip() if line else ""
    if line is None or " " in request_id or len(request_id) < 16 or '"' in request_id:
        return None
    parsed = combined_log.read(NAME, line)
    parsed.request_id, parsed.body_bytes = request_id, count(line.size)
    return parsed


def _csv(text: str) -> Parsed | None:
    """The guide's CSV: ip, caller, user, time, method, resource, protocol, status, length, request id."""
    ip, _, _, when, method, path, protocol, status, length, request_id = text.split(",", 9)
    if not protocol.startswith("HTTP/") or not http_status(status):
        return None
    return Parsed(
        NAME,
        status=http_status(status),
        time_ns=clf_ns(when),
        method=method,
        path=path,
        client=client(ip),
        request_id=request_id.strip(),
        body_bytes=count(length),
    )
