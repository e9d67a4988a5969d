"""Envoy: default text access log, JSON with operator-chosen keys, OTLP access log, application log of the auth filters.

Formats after Envoy's docs (access_log/usage, response_code_details) and `source/common/formatter`. The reason is
RESPONSE_CODE_DETAILS where it is logged; the body's length identifies the text where it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.admission import is_admitted
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import (
    NO_KEYS,
    Keys,
    fill,
    finish,
    flatten,
    mapping,
    plan,
    role_of,
    value_at,
)
from collector.gateways.reading.scan import balanced, has_any, has_scheme, request_line, tokens
from collector.gateways.reading.times import rfc3339_ns
from collector.gateways.reading.values import as_text, client, count, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "envoy"
# How RESPONSE_CODE_DETAILS of an authentication filter, or of a proxied answer, begins.
DETAILS: Final = ("via_upstream", "jwt_authn_access_denied", "rbac_access_denied", "ext_authz_", "oauth.")
_MAX_VALUES: Final = 64  # values looked at for details under a key of an unknown name
_LEVELS: Final = ("warning", "warn", "error", "critical")
_PLUGINS: Final = "wasm"  # whose code says what it likes
_AUTH_LOGGERS: Final = ("jwt", "rbac", "oauth2", "ext_authz")
_DENIALS: Final = ("enforced denied", "rejected the request")
# The filter has no line of its own for an authorizer that broke; for what the others refuse, it has.
_BROKEN_AUTHORIZER: Final = "Sending local reply with details ext_authz_error"
_OK: Final = ("success", "start", "ok")
TEXTS: Final = Texts(begins="[")


def parse(record: RawRecord) -> Parsed | None:
    """An Envoy access log record or a verdict in its application log."""
    if record.fields is None and record.text:
        parsed = _text(record.text, record.time_ns)
        if parsed is not None:
            return with_attributes(parsed, record)
    fields = mapping(record)
    return _fields(fields, record) if fields else None


def with_attributes(parsed: Parsed, record: RawRecord) -> Parsed:
    """An OTLP access log has the line as its body and what the operator added as attributes."""
    if record.attributes:
        fill(parsed, record.attributes, plan(record.attributes), record.time_ns)
        parsed.responder = responder(parsed.reason, parsed.flags, parsed.responder)
    return finish(parsed, record)


def _fields(fields: Mapping[str, Any], record: RawRecord) -> Parsed | None:
    keys = plan(fields)
    if not keys.status and any(type(value) is dict for value in fields.values()):
        fields = flatten(fields)
        keys = plan(fields)
    if not keys.status or keys.dialect not in ("", NAME):
        return None
    reason = "" if keys.dialect else _details_in(fields, keys)
    if not (keys.dialect or reason):
        return None
    return read_fields(NAME, fields, keys, record, reason)


def _details_in(fields: Mapping[str, Any], keys: Keys) -> str:
    """RESPONSE_CODE_DETAILS under whatever key the operator chose."""
    if keys is NO_KEYS or len(fields) > _MAX_VALUES or "response_flag" in fields:
        return ""
    return next((v for v in fields.values() if type(v) is str and v.startswith(DETAILS)), "")


def read_fields(kind: str, fields: Mapping[str, Any], keys: Keys, record: RawRecord, reason: str = "") -> Parsed:
    """A JSON record whose keys are known. Raises UnreadableRecord without a status, NotAuth when none was sent."""
    parsed = fill(Parsed(kind, reason=reason), fields, keys, record.time_ns)
    if not parsed.status:
        raise _no_status(kind, as_text(fields.get(keys.status)))
    by_upstream = by_host(as_text(value_at(fields, keys.upstream_host)), keys.upstream_host or keys.upstream_time)
    if keys.upstream_time and as_text(fields.get(keys.upstream_time)):
        by_upstream = Responder.UPSTREAM
    return finish(settle(parsed, by_upstream), record)


def settle(parsed: Parsed, otherwise: Responder) -> Parsed:
    """Who answered, and the upstream's status when it did; returns `parsed`."""
    parsed.responder = responder(parsed.reason, parsed.flags, otherwise)
    if parsed.responder is Responder.UPSTREAM:
        parsed.upstream_status = parsed.upstream_status or parsed.status
    return parsed


def responder(reason: str, flags: str, otherwise: Responder) -> Responder:
    """Who wrote the answer, by RESPONSE_CODE_DETAILS, else by flags, else as given."""
    if reason.startswith("via_upstream"):
        return Responder.UPSTREAM
    if reason.startswith("ext_authz") or (not reason and "UAEX" in flags):
        return Responder.AUTHORIZER
    return Responder.GATEWAY if reason else otherwise


def by_host(host: str, was_logged: object) -> Responder:
    """Who answered, by UPSTREAM_HOST: without one, no upstream was asked."""
    if host:
        return Responder.UPSTREAM
    return Responder.GATEWAY if was_logged else Responder.UNKNOWN


def _no_status(kind: str, written: str) -> Exception:
    if written in ("0", "000"):
        return NotAuth(kind, "the client left before an answer was sent")
    return UnreadableRecord(kind, "the response code is not an HTTP status")


def _text(text: str, near_ns: int) -> Parsed | None:
    if text[:1] != "[" or text[5:6] != "-":
        return None
    if text[11:12] == " ":
        return _application_line(text, near_ns)
    opened = split_request(text)
    if opened is None:
        return None
    when, request, rest = opened
    numbers, _, quoted = rest.partition(' "')
    head = numbers.split(" ")
    if len(head) != 6 or not head[3].isdigit():
        return None
    method, path = request_line(request)
    status, time_ns = http_status(head[0]), rfc3339_ns(when, near_ns)
    parsed = Parsed(NAME, status=status, time_ns=time_ns, method=method, path=path)
    if not parsed.status:
        raise _no_status(NAME, head[0])
    parsed.flags = as_text(head[1])
    parsed.body_bytes = count(head[3])
    host, tail = read_quoted(parsed, quoted)
    _read_tail(parsed, tail.strip())
    return settle(parsed, Responder.UPSTREAM if head[5] != "-" else by_host(host, was_logged=True))


def split_request(text: str) -> tuple[str, str, str] | None:
    """Time, request line and rest of `[START_TIME] "REQUEST" rest`; None when the line is not of this shape."""
    when, bracket, rest = text.partition('] "')
    if not bracket or not 20 <= len(when) <= 40 or when[11] != "T":
        return None
    request, quote, rest = rest.partition('" ')
    return (when[1:], request, rest) if quote else None


def read_quoted(parsed: Parsed, quoted: str) -> tuple[str, str]:
    """The five quoted fields from X-Forwarded-For on; returns the upstream host and what follows it."""
    pieces = quoted.split('" "', 4)
    if len(pieces) != 5:
        raise UnreadableRecord(parsed.gateway, "expected five quoted fields after the numbers")
    parsed.client = client(as_text(pieces[0]))
    parsed.user_agent = as_text(pieces[1])
    parsed.request_id = as_text(pieces[2])
    parsed.host = as_text(pieces[3])
    host, _, tail = pieces[4].partition('"')
    return as_text(host), tail


def _read_tail(parsed: Parsed, tail: str) -> None:
    """What operators append to the default format: details, Authorization, `name=value`."""
    if tail.startswith(DETAILS):
        end = balanced(tail)
        parsed.reason, tail = tail[:end], tail[end:]
    elif tail and not ("=" in tail or '"' in tail) and _are_details(tail):
        parsed.reason, tail = tail, ""
    for name, value in tokens(tail):
        _read_extra(parsed, name, value)


def _are_details(tail: str) -> bool:
    """Details are words joined by "_", or the OAuth2 filter's sentence."""
    return len(tail) <= 300 and ("_" in tail.partition(" ")[0] or " " in tail) and tail[0].isalpha()


def _read_extra(parsed: Parsed, name: str, value: str) -> None:
    role = role_of(name)
    if role == "credential" or (not name and has_scheme(value)):
        parsed.headers = {"authorization": as_text(value)}
        parsed.credential_logged = True
    elif role == "reason" or (not name and not parsed.reason and value.startswith(DETAILS)):
        parsed.reason = value
    elif role in ("challenge", "trace_id", "message"):
        setattr(parsed, role, as_text(value))


def _application_line(text: str, near_ns: int) -> Parsed | None:
    """`[date time.ms][thread][level][logger] [file:line] message`, as Envoy's default --log-format writes it."""
    parts = text.split("]", 4)
    if len(parts) != 5 or not all(part.startswith("[") for part in parts[1:4]):
        return None
    message = parts[4].strip()
    if message.startswith("["):
        message = message.partition("] ")[2]
    when = rfc3339_ns(parts[0][1:], near_ns)
    return verdict(NAME, when, parts[2][1:], parts[3][1:], message)


def verdict(kind: str, time_ns: int, level: str, logger: str, message: str) -> Parsed:
    """A refusal, or a broken verifier, in the application log. Raises NotAuth for every other line."""
    if message.startswith("[Tags:"):
        message = message.partition("] ")[2]
    if message.startswith(_BROKEN_AUTHORIZER):
        reason = message.partition("\n")[0].rpartition(" ")[2]
        return Parsed(kind, time_ns=time_ns, reason=reason, outcome=Outcome.ERROR, responder=Responder.AUTHORIZER)
    outcome = _verdict(level, logger, message)
    if outcome is None:
        raise NotAuth(kind, "an application log line without a verdict")
    status = _status_in(message) if outcome is Outcome.DENIED else 0
    by = Responder.AUTHORIZER if "ext_authz" in (logger, message[:9]) else Responder.GATEWAY
    return Parsed(kind, status=status, time_ns=time_ns, message=message, outcome=outcome, responder=by)


def _verdict(level: str, logger: str, message: str) -> Outcome | None:
    if "completed with: " in message:
        return None if message.endswith(": OK") else Outcome.DENIED
    if "fetch pubkey" in message or "jwks" in message[:80].lower():
        return _of_key_fetch(message)
    if message.startswith("Responding with 4") or has_any(message, _DENIALS):
        return Outcome.DENIED
    return topic.outcome(message) if level in _LEVELS and _is_about_auth(logger, message) else None


def _is_about_auth(logger: str, message: str) -> bool:
    return logger in _AUTH_LOGGERS or topic.is_auth(message) or (logger == _PLUGINS and is_admitted(message))


def _of_key_fetch(message: str) -> Outcome | None:
    """ERROR when the key set could not be fetched."""
    has_failed = message.rstrip(".").rpartition(": ")[2].lower() not in _OK
    return Outcome.ERROR if has_failed and topic.outcome(message) is Outcome.ERROR else None


def _status_in(message: str) -> int:
    for mark in ("Responding with ", "status code: ", "status code "):
        _, found, rest = message.partition(mark)
        if found:
            return http_status(rest.lstrip("'\"")[:3])
    return 0
