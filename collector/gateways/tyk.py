"""Tyk: application lines (logrus text, JSON, console) and access logs, whose fields are the same in each.

Formats after log/log.go and internal/httputil/accesslog/record.go. The message's key is `message`, `msg` before 5.x; the
reason of a refusal is its `error`. Access logs carry it as `response_code_details` and `response_flag`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.scan import tokens
from collector.gateways.reading.times import SECOND_NS, any_ns, rfc3339_ns
from collector.gateways.reading.values import as_text, client, http_status, trace_id
from collector.records import Parsed, RawRecord

NAME: Final = "tyk"
_OWN_KEYS: Final = ("mw", "org_id", "api_id")
_PREFIXES: Final = frozenset(
    ("access-log", "main", "gateway", "auth-mgr", "auth", "jwt", "certs", "cert_storage", "host-check-mgr", "pub-sub",
     "coprocess", "dashboard", "proxy", "api", "webhooks", "policy")
)  # fmt: skip
_AUTH_MIDDLEWARE: Final = (
    "JWT", "AuthKey", "Oauth2", "OpenID", "BasicAuth", "KeyExpired", "AccessRights", "GranularAccess", "IPWhite",
    "IPBlack", "Certificate", "HTTPSignature", "ExternalOAuth", "HMAC", "MultiAuth", "UpstreamOAuth",
)  # fmt: skip
_BROKEN: Final = ("JWKS endpoint resolution failed", "Invalid JWKS", "Failed to fetch JWK", "Couldn't get token")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECOND_DAY_NS: Final = 86_400 * SECOND_NS
_MAX_WORDS: Final = 512
_LEVELS: Final = frozenset(("DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "PANIC", "TRACE"))
TEXTS: Final = Texts(begins="[t")


def parse(record: RawRecord) -> Parsed | None:
    """A request in an access log, or a verdict in the application log."""
    fields = _text(record.text) if record.fields is None and record.text else mapping(record)
    if not fields or not _is_tyks(fields):
        return None
    is_access = fields.get("prefix") == "access-log" or ("status" in fields and "latency_total" in fields)
    parsed = _access(fields, record) if is_access else _verdict(fields, record)
    return finish(parsed, record)


def _text(text: str) -> Mapping[str, Any]:
    if text.startswith("time=") and " level=" in text[:64]:
        return {name: value for name, value in tokens(text) if name}
    if text[:1] == "[" and text[1:4] in _MONTHS and text[16:18] == "] ":
        return _console(text)
    return {}


def _console(text: str) -> dict[str, str]:
    """`[Jan 02 15:04:05] LEVEL text key=value`, where values hold blanks without quotes."""
    level, _, rest = text[18:].lstrip().partition(" ")
    if level not in _LEVELS:
        return {}
    fields, key = {"time": text[1:16], "level": level.lower(), "message": ""}, "message"
    for word in rest.split(" ", _MAX_WORDS):
        name, equals, value = word.partition("=")
        if equals and name not in fields and name.replace("_", "").isalpha() and name.islower():
            key, fields[name] = name, value
        else:
            fields[key] += f" {word}" if fields[key] else word
    return fields


def _is_tyks(fields: Mapping[str, Any]) -> bool:
    """Others log with logrus too; Tyk's own are its keys, its prefixes, and a time without a year."""
    if fields.keys().isdisjoint(("message", "msg", "status")):
        return False
    own = sum(key in fields for key in _OWN_KEYS)
    if own >= 2 or (own and "level" in fields) or fields.get("prefix") == "access-log":
        return True
    has_level, when = "level" in fields, as_text(fields.get("time"))
    return has_level and (as_text(fields.get("prefix")) in _PREFIXES or (len(when) == 15 and when[:3] in _MONTHS))


def _access(fields: Mapping[str, Any], record: RawRecord) -> Parsed:
    status = http_status(fields.get("status"))
    if not status:
        raise NotAuth(NAME, "an access log line without a status")
    parsed = Parsed(NAME, status=status, time_ns=_time_ns(fields, record))
    parsed.method, parsed.host = as_text(fields.get("method")), as_text(fields.get("host"))
    parsed.user_agent = as_text(fields.get("user_agent"))
    parsed.trace_id = trace_id(as_text(fields.get("trace_id")))
    parsed.reason = as_text(fields.get("response_code_details"))
    parsed.flags = as_text(fields.get("response_flag"))
    _read_request(parsed, fields)
    _read_answerer(parsed, fields)
    return parsed


def _read_request(parsed: Parsed, fields: Mapping[str, Any]) -> None:
    parsed.path = as_text(fields.get("path"))
    parsed.client = client(as_text(fields.get("client_ip")) or as_text(fields.get("origin")))
    parsed.request_id = as_text(fields.get("request_id"))


def _read_answerer(parsed: Parsed, fields: Mapping[str, Any]) -> None:
    """A middleware that refused is named in `error_source`; time spent upstream tells an answer of the upstream."""
    source = as_text(fields.get("error_source"))
    has_been_upstream = as_text(fields.get("upstream_latency")) not in ("", "0")
    if source == "Upstream" or (has_been_upstream and not source):
        parsed.responder = Responder.UPSTREAM
        parsed.upstream_status = http_status(fields.get("upstream_status")) or parsed.status
    elif source or parsed.flags:
        parsed.responder = Responder.GATEWAY
        if source.startswith(_AUTH_MIDDLEWARE) and 400 <= parsed.status < 500:
            parsed.outcome = Outcome.DENIED  # 400 without a credential, 404 without a user


def _verdict(fields: Mapping[str, Any], record: RawRecord) -> Parsed:
    """Raises NotAuth for lines of other middleware and for progress."""
    sentence, error = as_text(fields.get("message")) or as_text(fields.get("msg")), as_text(fields.get("error"))
    message = ": ".join(filter(None, (sentence, error)))
    is_auth = as_text(fields.get("mw")).startswith(_AUTH_MIDDLEWARE) or topic.is_auth(message)
    level = as_text(fields.get("level")).lower()
    if not message or not is_auth or level in ("debug", "trace") or (level == "info" and not _refuses(sentence)):
        raise NotAuth(NAME, "an application log line without a verdict")
    parsed = Parsed(NAME, time_ns=_time_ns(fields, record), message=message, responder=Responder.GATEWAY)
    parsed.is_fragment = True
    parsed.outcome = Outcome.ERROR if message.startswith(_BROKEN) else topic.outcome(message)
    _read_request(parsed, fields)
    return parsed


def _refuses(sentence: str) -> bool:
    """At info Tyk writes both progress and `Attempted access …`, `… malformed`, `… exceeded`."""
    low = sentence[:512].lower()
    return any(
        word in low
        for word in (
            "attempt", "malformed", "exceed", "denied", "disallowed", "invalid", "not ", "no ", "fail", "missing",
            "inactive", "expired", "blocked", "mismatch",
        )
    )  # fmt: skip


def _time_ns(fields: Mapping[str, Any], record: RawRecord) -> int:
    """RFC 3339 in JSON; else `Jan 02 15:04:05`, which is of the year in which the record arrived, or of the one before."""
    when = as_text(fields.get("time"))
    if when[:3] not in _MONTHS:
        return any_ns(fields.get("time"), record.time_ns)
    near = max(record.time_ns or record.observed_ns, 0)
    year = datetime.fromtimestamp(near // SECOND_NS, UTC).year
    day = f"{_MONTHS.index(when[:3]) + 1:02}-{when[4:6].strip():0>2}T{when[7:15]}"
    time_ns = rfc3339_ns(f"{year:04}-{day}", record.time_ns)
    if time_ns and time_ns <= near + _SECOND_DAY_NS:
        return time_ns
    return rfc3339_ns(f"{year - 1:04}-{day}", record.time_ns)
