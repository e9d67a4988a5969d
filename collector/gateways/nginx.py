"""nginx and OpenResty: combined access log with appended fields, JSON access log, error log.

Formats after ngx_http_log_module and ngx_http_core_module's error context (`, client: …, server: …, request: "…"`).
The verdicts are those of auth_jwt modules, auth_request, auth_basic, njs and Lua.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Responder
from collector.gateways import clf, envoy, words
from collector.gateways.contract import NotAuth
from collector.gateways.keys import canonical_name, fill, finish, mapping, plan
from collector.gateways.scan import is_address, request_line
from collector.gateways.times import rfc3339_ns
from collector.gateways.values import as_text, client, count
from collector.records import Parsed, RawRecord

NAME: Final = "nginx"
_CLIENT: Final = ", client: "
_QUIET: Final = ("debug",)  # dumps tokens, gives no verdict
_OTHERS: Final = ("apache", "httpd")


def parse(record: RawRecord) -> Parsed | None:
    """A request, or a verdict in the error log."""
    text = record.text
    if record.fields is None and text:
        parsed = _error_line(text, record.time_ns) if text[4:5] == "/" else _access_line(record)
        return finish(parsed, record) if parsed else None
    fields = mapping(record)
    return _fields(fields, record) if fields else None


def _access_line(record: RawRecord) -> Parsed | None:
    line = clf.split(record.text)
    if line is None or (record.gateway != NAME and (record.gateway or _is_anothers(line, record))):
        return None
    parsed = clf.read(NAME, line)
    parsed.body_bytes = count(line.size)
    if "upstream_status=" in line.rest[line.rest.rfind('"') :]:
        parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.GATEWAY
    return parsed


def _is_anothers(line: clf.Line, record: RawRecord) -> bool:
    """The combined format is shared: nginx has no identity, writes 0 for an empty body, escapes a quote as x22."""
    source = f"{record.origin.source} {record.attributes.get('log.file.path', '')}".lower()
    return (
        line.identity != "-"
        or not line.size.isdigit()
        or line.host != ""
        or '\\"' in line.request
        or not line.rest.startswith(' "')
        or line.rest.endswith("ms")  # Traefik appends a duration
        or any(word in source for word in _OTHERS)
    )


def _error_line(text: str, near_ns: int) -> Parsed | None:
    """`2026/03/03 10:00:00 [level] pid#tid: *connection message, client: …`."""
    level, bracket, rest = text[20:40].partition("] ")
    if text[19:21] != " [" or not bracket:
        return None
    _, hash_mark, _ = rest.partition("#")
    process, colon, message = text[20 + len(level) + 2 :].partition(": ")
    if not hash_mark or not colon or "#" not in process or len(process) > 40:
        return None
    if message.startswith("*"):
        message = message.partition(" ")[2]
    message, tail = _split_context(message)
    if level[1:] in _QUIET or not words.is_auth(message):
        raise NotAuth(NAME, "an error log line without a verdict")
    parsed = Parsed(NAME, time_ns=rfc3339_ns(text[:19], near_ns), message=message, outcome=words.outcome(message))
    parsed.responder = Responder.GATEWAY if tail else Responder.UNKNOWN
    _read_context(parsed, tail)
    return parsed


def _split_context(message: str) -> tuple[str, str]:
    """Message and context. The first `, client: ADDRESS` outside of quotes: clients write the quoted parts of both."""
    first, at, quotes, seen = -1, message.find(_CLIENT), 0, 0
    while at >= 0:
        quotes += message.count('"', seen, at)
        seen = at
        value = message[at + len(_CLIENT) : at + 60].partition(",")[0]
        if is_address(value) or value.startswith("unix:"):
            first = at if first < 0 else first
            if quotes % 2 == 0:
                return message[:at], message[at:]
        at = message.find(_CLIENT, at + 1)
    return (message[:first], message[first:]) if first >= 0 else (message, "")


def _read_context(parsed: Parsed, tail: str) -> None:
    parsed.client = client(tail[len(_CLIENT) :].partition(", ")[0])
    parsed.method, parsed.path = request_line(_quoted(tail, ', request: "'))
    server = tail.partition(", server: ")[2].partition(",")[0]
    parsed.host = _quoted(tail, ', host: "') or ("" if server in ("_", "localhost") else server)


def _quoted(tail: str, mark: str) -> str:
    return tail.partition(mark)[2].partition('"')[0]


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
        parsed.responder = envoy.by_host(as_text(fields.get(keys.upstream_host)), was_logged=True)
    return finish(parsed, record)


def _no_status(written: str) -> Exception:
    if written in ("0", "000"):
        return NotAuth(NAME, "no answer was sent")
    return UnreadableRecord(NAME, "the status is no HTTP status")
