"""The access log as JSON (eosc formatter/json): a flat object, or one with objects that the operator named.

`authorization` is a label: the id of the credential that matched. The request's headers are url-encoded in `request_header` (APIPark's
alias), `header`, or an object in `headers`; a refusal's reason is in `response_body`; `proxy_status` is empty unless the upstream answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Responder
from collector.gateways.apinto.exchange import decoded, read_headers, read_response, target
from collector.gateways.apinto.source import NAME
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import MAX_DEPTH, MAX_KEYS, as_text, client, header_map, http_status, trace_id
from collector.records import Parsed

_MAX_KEY_CHARS: Final = 8192
# Names of Apinto's readers that no other gateway's log has; two of them tell whose record it is.
_OWN: Final = frozenset(
    ("proxy_status", "proxy_header", "proxy_headers", "proxy_uri", "proxy_url", "proxy_addr", "proxy_body", "proxy_scheme",
     "proxy_method", "proxy_path", "proxy_query", "proxy_dst_ip", "proxy_dst_port", "proxy_response_body", "proxy_msec",
     "proxy_response_headers", "proxy_request_length", "proxy_response_length", "proxy_time", "src_ip", "src_port",
     "block_name", "apinto_version", "ai_provider", "ai_model", "ai_model_input_token", "ai_model_output_token",
     "ai_model_total_token", "gateway_hosts", "auth_status", "service_title")
)  # fmt: skip
# Names that others have as well; one of _OWN and two of these will do.
_SHARED: Final = frozenset(
    ("api", "service", "application", "node", "cluster", "strategy", "provider", "request_header", "response_header",
     "response_body", "request_scheme", "api_id", "service_id", "application_id", "response_headers", "request_host")
)  # fmt: skip
_NGINX: Final = frozenset(("body_bytes_sent", "remote_user", "http_referer", "upstream_addr", "upstream_response_time"))


@dataclass(frozen=True, slots=True)
class _Names:
    """Which key of a record holds what, the best first; "" is none."""

    time: str
    status: str
    method: str
    url: str
    query: str
    host: str
    client: str
    request_id: str
    trace_id: str
    node: str
    version: str
    headers: tuple[str, ...]  # of the request, encoded or as an object
    credential: str  # a key for the Authorization header alone
    user_agent: str
    body: str
    response: str  # `$response`: status line, headers and body as one text
    response_headers: str
    upstream_status: str
    application: str  # the label of the caller, set once it is known


def read(fields: Mapping[str, Any], near_ns: int, *, is_named: bool) -> Parsed | None:
    """A request. Raises UnreadableRecord when there is no status in it."""
    flat = _leaves(fields)
    names = _names(tuple(flat), is_named) if _is_readable(flat) else None
    if names is None:
        return None
    parsed = Parsed(NAME, status=http_status(flat.get(names.status)), time_ns=any_ns(flat.get(names.time), near_ns))
    if not parsed.status:
        raise UnreadableRecord(NAME, "the status is not an HTTP status")
    _read_request(parsed, flat, names)
    _read_upstream(parsed, flat, names)
    body, response = as_text(flat.get(names.body)), as_text(flat.get(names.response))
    headers, application = _headers(flat.get(names.response_headers)), as_text(flat.get(names.application))
    read_response(parsed, body or response.rpartition("\r\n")[2], headers, application)
    return parsed


def _is_readable(flat: Mapping[str, Any]) -> bool:
    return 0 < len(flat) <= MAX_KEYS and sum(map(len, flat)) <= _MAX_KEY_CHARS


def _leaves(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of objects that hold Apinto's names (`@proxy` in a format) beside the record's own."""
    inner = [value for value in fields.values() if isinstance(value, dict) and not _OWN.isdisjoint(value)]
    return _all_leaves(fields) if inner else fields


def _all_leaves(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    rest: list[tuple[str, Any, int]] = [(name, value, MAX_DEPTH) for name, value in reversed(list(fields.items()))]
    while rest and len(found) <= MAX_KEYS:
        name, value, depth = rest.pop()
        if isinstance(value, dict) and depth > 1 and not name.endswith("headers"):
            rest += [(inner, kept, depth - 1) for inner, kept in reversed(list(value.items()))]
        else:
            found.setdefault(name, value)
    return found


@lru_cache(maxsize=256)
def _names(keys: tuple[str, ...], is_named: bool) -> _Names | None:
    there = frozenset(keys)
    if "status" not in there or not (is_named or _is_own(there)):
        return None

    def first(*names: str) -> str:
        return next((name for name in names if name in there), "")

    return _Names(
        time=first("msec", "time_iso8601", "timestamp", "time_local"),
        status="status",
        method=first("request_method", "method"),
        url=first("request_uri", "url", "uri", "path"),
        query=first("query", "request_query"),
        host=first("request_host", "host"),
        client=first("src_ip", "remote_addr", "client_ip"),
        request_id=first("request_id"),
        trace_id=first("trace_id", "http_traceparent", "header_traceparent"),
        node=first("node", "gateway_host"),
        version=first("apinto_version"),
        headers=_present(there, "request_header", "request_headers", "header", "headers"),
        credential=first("http_authorization", "header_authorization", "request_header_authorization"),
        user_agent=first("http_user_agent", "header_user_agent"),
        body=first("response_body", "proxy_response_body"),
        response=first("response"),
        response_headers=first("response_headers", "response_header", "proxy_response_headers"),
        upstream_status=first("proxy_status"),
        application=first("application", "application_id"),
    )


def _present(there: frozenset[str], *names: str) -> tuple[str, ...]:
    return tuple(name for name in names if name in there)


def _is_own(there: frozenset[str]) -> bool:
    own = len(there & _OWN)
    if there & _NGINX:
        return own > 2
    return own > 1 or (own == 1 and len(there & _SHARED) > 1)


def _read_request(parsed: Parsed, flat: Mapping[str, Any], names: _Names) -> None:
    host, parsed.path = target(as_text(flat.get(names.url)))
    query = as_text(flat.get(names.query))
    if query and "?" not in parsed.path:
        parsed.path += f"?{query}"
    parsed.method = as_text(flat.get(names.method))
    parsed.host = as_text(flat.get(names.host)) or host
    parsed.client = client(as_text(flat.get(names.client)))
    parsed.request_id = as_text(flat.get(names.request_id))
    parsed.trace_id = trace_id(as_text(flat.get(names.trace_id)))
    parsed.instance, parsed.version = as_text(flat.get(names.node)), as_text(flat.get(names.version))
    parsed.user_agent = as_text(flat.get(names.user_agent))
    _read_credential(parsed, flat, names)


def _read_credential(parsed: Parsed, flat: Mapping[str, Any], names: _Names) -> None:
    headers = _first_headers(flat.get(name) for name in names.headers)
    if names.credential:
        headers.setdefault("authorization", as_text(flat.get(names.credential)))
    if headers:
        read_headers(parsed, headers)
        parsed.trace_id = trace_id(parsed.trace_id)


def _first_headers(values: Iterable[Any]) -> dict[str, str]:
    return next((headers for value in values if (headers := _headers(value))), {})


def _headers(value: Any) -> dict[str, str]:
    return decoded(value) if isinstance(value, str) else header_map(value)


def _read_upstream(parsed: Parsed, flat: Mapping[str, Any], names: _Names) -> None:
    """The reader writes "" unless the request was sent on (ProxyReaders.Read)."""
    if not names.upstream_status:
        return
    parsed.upstream_status = http_status(flat.get(names.upstream_status))
    if parsed.upstream_status:
        parsed.responder = Responder.UPSTREAM
    elif flat.get(names.upstream_status) in ("", None, "-"):
        parsed.responder = Responder.GATEWAY
