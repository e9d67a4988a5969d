"""nginx and OpenResty: combined access log with appended fields, JSON access log, error log.

Formats after ngx_http_log_module and ngx_http_core_module's error context (`, client: …, server: …, request: "…"`).
The verdicts are those of auth_jwt modules, auth_request, auth_basic, njs and Lua.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Outcome, Responder
from collector.gateways import envoy
from collector.gateways.reading import combined_log, error_log, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import canonical_name, fill, finish, mapping, plan, value_at
from collector.gateways.reading.scan import has_any
from collector.gateways.reading.values import as_text, count
from collector.records import Parsed, RawRecord

NAME: Final = "nginx"
_SUBREQUEST: Final = ', subrequest: "'
_UPSTREAM: Final = ', upstream: "'
# Of ingress-nginx (`/_external-auth-…`), oauth2-proxy (`/oauth2/auth`), Authelia (`/api/verify`, `/api/authz/`) and their kin.
_AUTHORIZERS: Final = ("/oauth2/", "/api/verify", "/api/authz", "introspect")
_LOCATIONS: Final = (*_AUTHORIZERS, "external-auth", "/auth", "_auth", "verify", "validate")
_BROKEN: Final = ("error", "crit", "alert", "emerg")
_QUIET: Final = ("debug",)  # dumps tokens, gives no verdict
# What an upstream answers when it does not accept nginx's own certificate: RFC 8446, section 6.2, as OpenSSL writes it.
_CERTIFICATE_ALERTS: Final = tuple(
    f"alert {name}"
    for name in ("bad certificate", "unsupported certificate", "certificate ", "unknown ca", "access denied")
)
_OF_UPSTREAM: Final = ("handshaking to upstream", " from upstream")
_SERVERS: Final = (NAME, "openresty")
_STATUSES: Final = frozenset(("444", "494", "495", "496", "497", "499", "000"))
_VARIABLES: Final = ("upstream_", "request_time=", "http_authorization=", "request_id=")
TEXTS: Final = Texts(begins="*", holds=(" [",))


def parse(record: RawRecord) -> Parsed | None:
    """A request, or a verdict in the error log."""
    text = record.text
    if record.fields is None and text:
        is_error = text[4:5] == "/" or text[:1] == "*"
        parsed = _error_line(text, record.time_ns) if is_error else _access_line(record)
        return finish(parsed, record) if parsed else None
    fields = mapping(record)
    return _fields(fields, record) if fields else None


def _access_line(record: RawRecord) -> Parsed | None:
    line = combined_log.split(record.text)
    if line is None or (record.gateway != NAME and (record.gateway or _is_anothers(line, record))):
        return None
    parsed = combined_log.read(NAME, line, record.origin.source)
    parsed.body_bytes = count(line.size)
    if "upstream_status=" in line.rest[line.rest.rfind('"') :]:
        parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.GATEWAY
    return parsed


def _is_anothers(line: combined_log.Line, record: RawRecord) -> bool:
    """The combined format is shared: nginx has no identity, writes 0 for an empty body, escapes a quote as x22.

    What many servers write is nginx's where its file or container says so, or where only nginx writes it.
    """
    server = combined_log.server_of(record)
    return (
        (server not in _SERVERS and not _is_own(line))
        or line.identity != "-"
        or not line.size.isdigit()
        or line.host != ""
        or '\\"' in line.request
        or not line.rest.startswith(' "')
        or line.rest.endswith("ms")  # Traefik appends a duration
    )


def _is_own(line: combined_log.Line) -> bool:
    """A status of nginx's own, bytes escaped as it does, or columns that are named after its variables."""
    named = any(name in line.rest for name in _VARIABLES)
    return line.status in _STATUSES or "\\x" in line.request or named


def _error_line(text: str, near_ns: int) -> Parsed | None:
    line = error_log.split(text)
    if line is None:
        return None
    is_broken = line.level in _BROKEN and _asks_an_authorizer(line.context)
    if line.level in _QUIET or not (is_broken or topic.is_auth(line.message) or _is_refused_certificate(line.message)):
        raise NotAuth(NAME, "an error log line without a verdict")
    parsed = Parsed(NAME, outcome=Outcome.ERROR if is_broken else topic.outcome(line.message))
    parsed.responder = Responder.GATEWAY if line.context else Responder.UNKNOWN
    error_log.read(parsed, line, near_ns)
    return parsed


def _is_refused_certificate(message: str) -> bool:
    """An upstream refuses the certificate that nginx shows it; a client that refuses the server's refuses no credential."""
    return has_any(message, _OF_UPSTREAM) and has_any(message, _CERTIFICATE_ALERTS)


def _asks_an_authorizer(context: str) -> bool:
    """Whether the line is about the subrequest of auth_request: its location is named after what it does."""
    location = context.partition(_SUBREQUEST)[2].partition('"')[0].lower()
    if location:
        return has_any(location, _LOCATIONS)
    return has_any(context.partition(_UPSTREAM)[2].partition('"')[0].lower(), _AUTHORIZERS)


def _fields(fields: Mapping[str, Any], record: RawRecord) -> Parsed | None:
    """`log_format … escape=json` with keys named after nginx's variables."""
    keys = plan(fields)
    if keys.dialect != NAME or not keys.status:
        return None
    parsed = fill(Parsed(NAME), fields, keys, record.time_ns)
    if not parsed.status:
        raise _no_status(as_text(fields.get(keys.status)))
    if canonical_name(keys.body_bytes) == "bytes_sent":  # includes the header
        parsed.body_bytes = -1
    if keys.upstream_status:
        parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.GATEWAY
    elif keys.upstream_host:
        parsed.responder = envoy.by_host(as_text(value_at(fields, keys.upstream_host)), was_logged=True)
    return finish(parsed, record)


def _no_status(written: str) -> Exception:
    if written in ("0", "000"):
        return NotAuth(NAME, "no answer was sent")
    return UnreadableRecord(NAME, "the status is not an HTTP status")
