"""Caddy: access and error logs as zap writes them, JSON or console, with caddyauth, caddy-jwt and caddy-security.

Fields after modules/caddyhttp/logging.go and marshalers.go: header values are lists, and Caddy itself writes REDACTED for
Authorization and Cookie. Verdicts are lines of the loggers in `_AUTH_LOGGERS`; caddy-security's stand at debug. caddy-jwt's
line names nothing of the request but the token's two ends, which the access line has too under `log_credentials`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from collector.events import Responder
from collector.gateways.reading import exchange, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.scan import has_any
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text, client, count, header_map, http_status, is_object
from collector.records import Parsed, RawRecord

NAME: Final = "caddy"
_AUTH_LOGGERS: Final = (
    "http.authentication", "http.handlers.authentication", "http.handlers.jwt", "security", "http.handlers.authp",
    "http.handlers.forward_auth", "http.authorize", "http.handlers.authorizer",
)  # fmt: skip
_HANDLER: Final = "http.handlers.authentication"
_LOGGERS: Final = ("http.", *_AUTH_LOGGERS)
_LEVELS: Final = frozenset(("DEBUG", "INFO", "WARN", "ERROR", "PANIC", "FATAL"))
_MAX_PARTS: Final = 4
_WHOLE: Final = 6
_MAX_SHOWN: Final = 16  # caddy-jwt logs so many characters of a token's beginning and end, or a third of a short one
_REFUSALS: Final = ("fail", "error", "invalid", "denied", "not ", "no ", "missing", "expired", "mismatch", "unauthori")
TEXTS: Final = Texts(holds=("\t",))


def parse(record: RawRecord) -> Parsed | None:
    """A request, or a verdict in the log."""
    fields = _console(record.text) if record.fields is None and record.text else mapping(record)
    logger = as_text(fields.get("logger")) if fields else ""
    if not logger.startswith(_LOGGERS) or "msg" not in fields or "ts" not in fields:
        return None
    if is_object(fields.get("request")) and http_status(fields.get("status")):
        return finish(_request(fields, logger, record.time_ns), record)
    return finish(_verdict(fields, logger, record.time_ns), record)


def _console(text: str) -> Mapping[str, Any]:
    """Zap's console encoder: `time TAB level TAB logger TAB message TAB JSON`; the object may be laid out over lines."""
    if text[4:5] not in ("/", "-") or "\t" not in text[:40]:
        return {}
    when, level, logger, rest = (*text.split("\t", 3), "", "", "")[:_MAX_PARTS]
    if level.partition("m")[2].partition("\x1b")[0] not in _LEVELS and level not in _LEVELS:
        return {}
    message, _, tail = rest.partition("\t")
    return {**_object(tail), "ts": when, "level": level.lower(), "logger": logger, "msg": message}


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = orjson.loads(text) if text[:1] == "{" else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _request(fields: Mapping[str, Any], logger: str, near_ns: int) -> Parsed:
    """`http.log.access` tells every request, `http.log.error` a handler's refusal with its status."""
    request = exchange.inner(fields, "request")
    parsed = Parsed(NAME, host=as_text(request.get("host")), time_ns=any_ns(fields.get("ts"), near_ns))
    exchange.read_request(parsed, request)
    parsed.token_ends = _shown(parsed.headers.get("authorization", ""))
    parsed.status = http_status(fields.get("status"))
    address = as_text(request.get("client_ip")) or as_text(request.get("remote_ip"))
    parsed.client = client(address or as_text(request.get("remote_addr")))
    parsed.body_bytes = count(fields.get("size"))
    headers = header_map(fields.get("resp_headers"))
    parsed.challenge = headers.get("www-authenticate", "")
    if logger.startswith("http.log.error"):
        parsed.message = _sentence(fields)
        parsed.responder = Responder.GATEWAY
    elif "caddy" in headers.get("via", "").lower():  # reverse_proxy adds it to the upstream's answer
        parsed.responder, parsed.upstream_status = Responder.UPSTREAM, parsed.status
    return parsed


def _sentence(fields: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, (as_text(fields.get("msg")), as_text(fields.get("error")))))


def _verdict(fields: Mapping[str, Any], logger: str, near_ns: int) -> Parsed:
    message = _sentence(fields)
    if fields.get("provider") == "jwt" and logger.startswith(_HANDLER):
        raise NotAuth(NAME, "already reported by caddy-jwt itself")
    if as_text(fields.get("level")).lower() == "info" or not (
        _is_auth(fields, logger, message) and _is_refusal(fields, message)
    ):
        raise NotAuth(NAME, "a log line without a verdict")
    parsed = Parsed(NAME, time_ns=any_ns(fields.get("ts"), near_ns), message=message, responder=Responder.GATEWAY)
    parsed.outcome = topic.outcome(message)
    parsed.token_ends = as_text(fields.get("token_string"))
    parsed.is_fragment = bool(parsed.token_ends)
    parsed.request_id = as_text(fields.get("request_id"))
    parsed.client = client(as_text(fields.get("src_ip")) or as_text(fields.get("remote_addr")))
    return parsed


def _is_auth(fields: Mapping[str, Any], logger: str, message: str) -> bool:
    return logger.startswith(_AUTH_LOGGERS) or (topic.is_auth(message) and fields.get("level") != "debug")


def _is_refusal(fields: Mapping[str, Any], message: str) -> bool:
    return "error" in fields or has_any(message[:2048].lower(), _REFUSALS)


def _shown(authorization: str) -> str:
    """What caddy-jwt's line shows of the token (its desensitizedTokenString), by which the access line is found."""
    token = authorization[7:] if authorization[:7].lower() == "bearer " else authorization
    token = token.strip()
    size = min(len(token) // 3, _MAX_SHOWN)
    if token in ("", "REDACTED"):
        return ""
    return f"{token[:size]}…{token[-size:]}" if len(token) > _WHOLE else token
