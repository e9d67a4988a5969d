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
from collector.gateways.reading.contract import NotAuth
from collector.gateways.reading.json_fields import MAX_KEY_CHARS, canonical_name, finish, flatten, mapping
from collector.gateways.reading.log_lines import leading_time
from collector.gateways.reading.times import any_ns, clf_ns
from collector.gateways.reading.values import MAX_KEYS, as_text, client, count, http_status, trace_id
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
    parsed.method = as_text(values.get("http_method") or values.get("method"))
    parsed.path = as_text(values.get("path") or values.get("resource_path"))
    route = as_text(values.get("resource_path") or as_text(values.get("route_key")).rpartition(" ")[2])
    parsed.route = route if route.startswith("/") else ""
    parsed.host = as_text(values.get("domain_name"))
    parsed.client = client(as_text(values.get("source_ip") or values.get("ip")))
    parsed.user_agent = as_text(values.get("user_agent"))
    parsed.request_id = as_text(values.get("request_id") or values.get("extended_request_id"))
    parsed.trace_id = trace_id(as_text(values.get("xray_trace_id")))
    parsed.body_bytes = count(values.get("response_length"))
    parsed.upstream_status = http_status(
        values.get("integration_status") or values.get("integration_integration_status")
    )
    return finish(_with_words(parsed, values), record)


def _time(values: Mapping[str, Any], near_ns: int) -> int:
    when = values.get("request_time_epoch") or values.get("request_time") or values.get("time")
    return any_ns(when, near_ns)


def _with_words(parsed: Parsed, values: Mapping[str, Any]) -> Parsed:
    """The authorizer's own error; without one, what the gateway told the client."""
    parsed.reason = as_text(values.get("error_response_type"))
    told = as_text(values.get("error_message") or values.get("error_message_string")).strip('"')
    found = next((text for name in _ERRORS if (text := as_text(values.get(name))) and text != told), "")
    parsed.message = found or ("" if told.lower() in _BARE and parsed.reason else told)
    parsed.challenge = as_text(values.get("www_authenticate"))
    if parsed.reason or found:
        parsed.responder = Responder.AUTHORIZER if values.get("authorizer_error") else Responder.GATEWAY
    elif parsed.upstream_status:
        parsed.responder = Responder.UPSTREAM
    return parsed


def _line(text: str, near_ns: int) -> Parsed | None:
    if text[:1] in "(2" and ") " in text[:80]:
        return _execution(text, near_ns)
    if ']"' in text[:300]:
        return _clf(text)
    return _csv(text) if text.count(",", 0, 600) == 9 else None


def _execution(text: str, near_ns: int) -> Parsed | None:
    """`[TIME] (request id) message`; one request writes many lines, and the verdict stands in one or two."""
    time_ns = leading_time(text, near_ns)
    head, _, message = text.partition(") ")
    _, parenthesis, request_id = head.rpartition("(")
    if not parenthesis or len(request_id) != 36 or request_id.count("-") != 4 or (head[0] != "(" and not time_ns):
        return None
    if not message.startswith(_VERDICTS) or (message.startswith("API Key ") and "not authorized" not in message):
        raise NotAuth(NAME, "an execution log line without a verdict")
    parsed = Parsed(NAME, time_ns=time_ns, request_id=request_id, message=message, responder=Responder.GATEWAY)
    parsed.is_fragment = True
    kind, found, status = message.partition(" with status code: ")
    if found:
        parsed.reason, parsed.message = kind.partition(": ")[2], ""
        parsed.status = http_status(status[:3])
        if not parsed.status:
            parsed.outcome = Outcome.DENIED
        return parsed
    parsed.outcome = Outcome.ERROR if message.startswith("Execution failed") else topic.outcome(message)
    return parsed


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
