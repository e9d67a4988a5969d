"""Istio: its default text and JSON access logs, istiod's lines about key sets, the proxy's application log.

Formats after istio/istio `pilot/pkg/model/telemetry_logging.go` and `pilot/pkg/model/jwks_resolver.go`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Responder
from collector.gateways import envoy
from collector.gateways.reading import topic
from collector.gateways.reading.contract import DIGITS, NotAuth, Texts
from collector.gateways.reading.json_fields import mapping, plan, value_at
from collector.gateways.reading.scan import request_line
from collector.gateways.reading.times import any_ns, rfc3339_ns
from collector.gateways.reading.values import as_text, count, http_status, route
from collector.records import Parsed, RawRecord

NAME: Final = "istio"
_LEVELS: Final = frozenset(("debug", "info", "warn", "warning", "error", "fatal", "critical", "trace"))
_ISTIOD_KEYS: Final = ("level", "time", "scope", "msg")
_CLUSTERS: Final = ("inbound|", "outbound|")
_MAX_HEAD: Final = 48
# Scopes of the control plane's and the agent's loggers: log.RegisterScope in istio/istio, 1.30.
_SCOPES: Final = frozenset(
    ("ads", "authn", "cache", "citadelclient", "delta", "model", "monitor", "sds", "secretcontroller", "security", "serverca", "stsclient",
     "xdsproxy", "jwtfetch", "tokenreview")
)  # fmt: skip
_ZTUNNEL: Final = ("access", "ztunnel", "proxy::")  # scopes of the node proxy, which writes the same columns
TEXTS: Final = Texts(begins="[" + DIGITS)


def parse(record: RawRecord) -> Parsed | None:
    """A record of a sidecar, an ingress gateway, or istiod."""
    if record.fields is None and record.text:
        parsed = _text(record.text, record.time_ns)
        if parsed is not None:
            return envoy.with_attributes(parsed, record)
    fields = mapping(record)
    return _fields(fields, record) if fields else None


def _text(text: str, near_ns: int) -> Parsed | None:
    if text[:1] == "[":
        return _access_line(text, near_ns)
    if text[:4].isdigit():
        head = text[19:_MAX_HEAD]
        if "\t" in head[:21]:
            return _log_line(text, near_ns)
        if "    " in head:
            return _copied(text, near_ns)
    return None


def _copied(text: str, near_ns: int) -> Parsed | None:
    """Istiod's line from a terminal, which shows tabs as blanks; other programs' lines look alike, so the scope must be known."""
    words = text.split(None, 3)
    if len(words) < 4:
        return None
    if words[2] == "envoy":  # the proxy's scope has two words, and blanks behind it
        logger, _, message = words[3].partition("  ")
        return _log_line("\t".join((*words[:2], f"envoy {logger}", message.strip())), near_ns) if message else None
    return _log_line("\t".join(words), near_ns) if words[2] in _SCOPES else None


def _access_line(text: str, near_ns: int) -> Parsed | None:
    """Details and termination stand before the failure reason; Envoy's own default has numbers there."""
    opened = envoy.split_request(text)
    if opened is None:
        return None
    when, request, rest = opened
    numbers, _, rest = rest.partition(' "')
    head = numbers.split(" ")
    if len(head) < 4 or (len(head) == 6 and head[3].isdigit()):
        return None
    _, _, rest = rest.partition('" ')
    sizes, _, quoted = rest.partition(' "')
    size = sizes.split(" ")
    if len(size) != 4:
        return None
    method, path = request_line(request)
    status, time_ns = http_status(head[0]), rfc3339_ns(when, near_ns)
    parsed = Parsed(NAME, status=status, time_ns=time_ns, method=method, path=path)
    if not parsed.status:
        raise _no_answer(head[0])
    parsed.flags = as_text(head[1])
    parsed.reason = as_text(" ".join(head[2:-1]))
    parsed.body_bytes = count(size[1])
    host, tail = envoy.read_quoted(parsed, quoted)
    parsed.route = route(as_text(tail.rpartition(" ")[2]))
    return envoy.settle(parsed, Responder.UPSTREAM if size[3] != "-" else envoy.by_host(host, was_logged=True))


def _no_answer(written: str) -> Exception:
    if written in ("0", "000"):
        return NotAuth(NAME, "the client left before an answer was sent")
    return UnreadableRecord(NAME, "the response code is not an HTTP status")


def _log_line(text: str, near_ns: int) -> Parsed | None:
    """istiod: `time level scope message`; the proxy: `time level envoy logger source message thread=N`, by tabs."""
    when, level, scope, *rest = [*text.split("\t", 3), ""]
    if level not in _LEVELS or not scope or scope.startswith(_ZTUNNEL) or (" " in scope and "=" in scope):
        return None  # pairs behind the level are another program's: a scope is one word
    time_ns = rfc3339_ns(when, near_ns)
    if scope.startswith("envoy "):
        message = rest[0].rpartition("\tthread=")[0] or rest[0]
        return envoy.verdict(NAME, time_ns, level, scope.split(" ", 2)[1], message)
    return _control_plane(time_ns, level, rest[0])


def _control_plane(time_ns: int, level: str, message: str) -> Parsed:
    if level in ("debug", "info", "trace") or not topic.is_auth(message):
        raise NotAuth(NAME, "a control plane line without a verdict")
    return Parsed(NAME, time_ns=time_ns, message=message, outcome=topic.outcome(message))


def _fields(fields: Mapping[str, Any], record: RawRecord) -> Parsed | None:
    if len(fields) <= 8 and all(type(fields.get(key)) is str for key in _ISTIOD_KEYS):
        return _control_plane(any_ns(fields["time"]), fields["level"], fields["msg"])
    keys = plan(fields)
    if not keys.status:
        return None
    is_mesh = keys.dialect == "envoy" and as_text(value_at(fields, keys.upstream_cluster)).startswith(_CLUSTERS)
    if keys.dialect != NAME and not is_mesh:
        return None
    return envoy.read_fields(NAME, fields, keys, record)
