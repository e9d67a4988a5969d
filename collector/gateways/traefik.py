"""Traefik: access log as JSON or common log format, and what forwardAuth and its like write to the log.

Fields after pkg/middlewares/accesslog/logdata.go: `OriginStatus` is 0 or absent when Traefik answered itself. Headers are in
the log only where the operator keeps them, so an absent one says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading import combined_log, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.scan import tokens
from collector.gateways.reading.times import any_ns, rfc3339_ns
from collector.gateways.reading.values import as_text, client, count, http_status, trace_id
from collector.records import Parsed, RawRecord

NAME: Final = "traefik"
_REQUEST: Final = "request_"
_CHALLENGES: Final = ("downstream_Www-Authenticate", "origin_Www-Authenticate")
_MAX_KEYS: Final = 256
_LOUD: Final = ("error", "warning", "warn", "err", "wrn", "ftl")
_ZEROLOG_LEVELS: Final = frozenset(("TRC", "DBG", "INF", "WRN", "ERR", "FTL"))
_AUTH_TYPES: Final = (
    "ForwardedAuth",  # 2.x: forwardedTypeName
    "ForwardAuth",
    "BasicAuth",
    "DigestAuth",
    "IPAllowList",
    "IPWhiteList",
    "JWT",
    "OAuth",
    "OIDC",
    "APIKey",
)
# How the lines begin that tell a verdict (pkg/middlewares/auth, pkg/middlewares/ipallowlist).
_VERDICTS: Final = ("Remote error ", "Error calling ", "Error reading body ", "Authentication failed", "Rejecting IP ",
                    "reject ", "Error when calling", "Forward auth")  # fmt: skip
_COULD_NOT_ASK: Final = ("Error calling ", "Error reading body ")
_FIRST_FIELDS: Final = (
    " error=",
    "plugin=",
    " middlewareName=",
    " middlewareType=",
    " entryPointName=",
    " routerName=",
)
_REMOTE: Final = ". StatusCode: "
TEXTS: Final = Texts(begins="t", holds=(" > ", " [", " middlewareName="))


def parse(record: RawRecord) -> Parsed | None:
    """A request, or a verdict in the log."""
    parsed = _text(record) if record.fields is None and record.text else None
    parsed = parsed or _object(mapping(record), record.time_ns)  # OTLP: the fields are attributes
    return finish(parsed, record) if parsed else None


def _object(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    if "DownstreamStatus" in fields and ("RequestMethod" in fields or "OriginStatus" in fields):
        return _access(fields, near_ns)
    if "middlewareType" in fields or "middlewareName" in fields:
        return _verdict(fields, near_ns)
    return None


def _access(fields: Mapping[str, Any], near_ns: int) -> Parsed:
    parsed = Parsed(NAME, status=http_status(fields.get("DownstreamStatus")))
    if not parsed.status:
        raise NotAuth(NAME, "no answer was sent")
    started = fields.get("StartUTC") or fields.get("StartLocal") or fields.get("time")
    parsed.time_ns = any_ns(started, near_ns)
    parsed.method, parsed.path = as_text(fields.get("RequestMethod")), as_text(fields.get("RequestPath"))
    parsed.host = as_text(fields.get("RequestHost"))
    parsed.client = client(as_text(fields.get("ClientHost")) or as_text(fields.get("ClientAddr")))
    parsed.route = as_text(fields.get("RouterName"))
    parsed.body_bytes = count(fields.get("DownstreamContentSize"))
    parsed.trace_id = trace_id(as_text(fields.get("TraceId")) or as_text(fields.get("trace_id")))
    parsed.challenge = next((text for name in _CHALLENGES if (text := as_text(fields.get(name)))), "")
    parsed.upstream_status = http_status(fields.get("OriginStatus"))
    parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.GATEWAY
    _read_headers(parsed, fields)
    return parsed


def _read_headers(parsed: Parsed, fields: Mapping[str, Any]) -> None:
    names = [name for name in fields if name.startswith(_REQUEST)] if len(fields) <= _MAX_KEYS else []
    headers = {name[len(_REQUEST) :].lower(): as_text(fields[name]) for name in names}
    parsed.headers = headers
    parsed.credential_logged = "authorization" in headers
    parsed.user_agent = headers.get("user-agent", "")
    parsed.request_id = headers.get("x-request-id", "")


def _text(record: RawRecord) -> Parsed | None:
    text = record.text
    if text.startswith("time=") and " middleware" in text:
        return _verdict({name: value for name, value in tokens(text) if name}, record.time_ns)
    if text[4:5] == "-" and (" > " in text[:300] or " middlewareName=" in text):
        return _zerolog(text, record.time_ns)
    return _common_line(text) if text.endswith("ms") else None


def _common_line(text: str) -> Parsed | None:
    """Common log format, then `"referer" "agent" number "router" "server URL" NNms`."""
    line = combined_log.split(text)
    fields = [value for name, value in tokens(line.rest) if not name] if line else []
    if line is None or len(fields) != 6 or not fields[5][:-2].isdigit() or not fields[2].isdigit():
        return None
    parsed = combined_log.read(NAME, line)
    parsed.route = as_text(fields[3])
    parsed.body_bytes = count(line.size)
    if fields[4] == "-":  # no server was chosen, so Traefik answered
        parsed.responder = Responder.GATEWAY
    return parsed


def _zerolog(text: str, near_ns: int) -> Parsed | None:
    """`TIME LVL path/file.go:N > message key=value …`, as zerolog's console writer has it since 3.0."""
    when, _, rest = text.partition(" ")
    level, _, rest = rest.partition(" ")
    file, arrow, said = rest.partition(" > ")
    if not arrow and " middlewareName=" in rest:  # the console writer leaves the caller out where it does not know it
        file, said = "traefik", rest
    if level not in _ZEROLOG_LEVELS or "traefik" not in file:
        return None
    ends = (said.find(mark) for mark in _FIRST_FIELDS)
    message = said[: min((at for at in ends if at >= 0), default=len(said))]
    fields = {name: value for name, value in tokens(said[len(message) :]) if name}
    return _verdict({"time": when, "level": level, "message": message.strip(), **fields}, near_ns)


def _verdict(fields: Mapping[str, Any], near_ns: int) -> Parsed:
    """Raises NotAuth for what middleware says besides verdicts."""
    message = _sentence(fields)
    is_auth = as_text(fields.get("middlewareType")).startswith(_AUTH_TYPES) or topic.is_auth(message)
    is_refusal = message.startswith(_VERDICTS) or as_text(fields.get("level")).lower() in _LOUD
    if not is_auth or not is_refusal:
        raise NotAuth(NAME, "a log line without a verdict")
    parsed = Parsed(NAME, time_ns=rfc3339_ns(as_text(fields.get("time")), near_ns), message=message)
    parsed.route = as_text(fields.get("routerName"))
    _read_remote(parsed)
    return parsed


def _sentence(fields: Mapping[str, Any]) -> str:
    """The message; since 3.0 the cause is a field of its own, and 2.x wrote it behind `. Cause: `."""
    message = as_text(fields.get("message")) or as_text(fields.get("msg"))
    cause = as_text(fields.get("error"))
    if cause and message.startswith(_COULD_NOT_ASK) and "Cause" not in message:
        return f"{message}. Cause: {cause}"
    return message or cause


def _read_remote(parsed: Parsed) -> None:
    """Traefik passes the authorization service's answer on; one that cannot be asked is an error of 500."""
    _, found, status = parsed.message.partition(_REMOTE)
    if found and parsed.message.startswith("Remote error "):
        parsed.status, parsed.responder = http_status(status[:3]), Responder.AUTHORIZER
        is_told = parsed.status < 400 or parsed.status in (401, 403)
        parsed.outcome = None if parsed.status and is_told else topic.outcome(parsed.message)
        return
    parsed.responder = Responder.GATEWAY
    could_not_ask = parsed.message.startswith(_COULD_NOT_ASK)
    parsed.status = 500 if could_not_ask else 0
    parsed.outcome = Outcome.ERROR if could_not_ask else topic.outcome(parsed.message)
