"""What the keys of a JSON or OTLP record mean: operators name them freely, yet mostly after a handful of things.

A record's keys are looked at once per *set* of keys (`plan`, cached); reading a record is then a dozen dictionary gets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from collector.events import Outcome
from collector.gateways.reading.scan import request_line
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import (
    MAX_DEPTH,
    MAX_KEYS,
    as_text,
    claims_in,
    client,
    count,
    failed_status,
    header_map,
    http_status,
    is_object,
    last_status,
    route,
    trace_id,
)
from collector.records import Parsed, RawRecord

CREDENTIAL: Final = "credential"  # the role of a header that carries one
_NO_RANK: Final = 1 << 30
MAX_PLANS: Final = 256  # key sets that are remembered; beyond it all are read anew
MAX_KEY_CHARS: Final = 8192  # of all keys together: what one cached plan may hold
MAX_BODY_CHARS: Final = 1_000  # of an answer that is read as a sentence
MAX_ROLE_CHARS: Final = 64  # of a name whose role is looked for
MAX_NAME_CHARS: Final = 200  # of one flattened key: what a cache entry may hold
_GRPC_DENIED: Final = frozenset(("7", "16", "permissiondenied", "permission_denied", "unauthenticated"))
_HEADER_PREFIXES: Final = (
    "http_request_headers_", "http_request_header_", "request_headers_", "request_header_", "req_headers_",
    "req_header_", "headers_", "header_", "request_", "req_", "http_", "arg_header_",
)  # fmt: skip
# Request headers that carry a credential; collector/token/credentials.py knows them by these names.
_HEADERS: Final = {
    name.replace("-", "_"): name
    for name in (
        "authorization", "proxy-authorization", "cookie", "dpop", "x-access-token", "x-auth-token", "x-id-token",
        "x-jwt-assertion", "x-goog-iap-jwt-assertion", "x-amzn-oidc-data", "x-amzn-oidc-accesstoken",
        "x-forwarded-access-token", "x-authorization", "jwt", "token", "access-token", "id-token",
        "cf-access-jwt-assertion", "x-ms-token-aad-access-token", "x-api-key", "apikey", "api-key",
    )
}  # fmt: skip
# Role -> canonical key names, the best first. After OpenTelemetry, Envoy, nginx, Istio and common JSON loggers.
_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "time": (
        "start_time", "timestamp", "time", "ts", "time_iso8601", "time_local", "datetime", "date_time", "event_time",
        "started_at", "request_date", "msec", "log_time", "date",
    ),
    "status": (
        "response_code", "http_response_status_code", "status_code", "http_status_code", "http_status",
        "response_status", "response_status_code", "status", "downstream_status", "resp_status", "statuscode", "code",
    ),
    "reason": (
        "response_code_details", "rcd", "code_details", "response_details", "response_code_detail", "reason_code",
        "raw_reason", "error_code", "failure_reason", "denial_reason", "reason",
    ),
    "message": (
        "message", "msg", "log_message",
    ),
    "error": ("error_message", "error_description", "exception_message", "error_details", "error", "err", "detail"),
    "flags": ("response_flags", "flags", "termination_state", "response_flag"),
    "method": ("http_request_method", "request_method", "method", "http_method", "verb"),
    "path": (
        "x_envoy_original_path", "x_envoy_origin_path", "original_path", "path", "request_path", "request_uri", "uri",
        "url_path", "http_target", "http_path", "request_url", "http_url", "url", "url_full", "target",
    ),
    "request": ("request_line", "request", "http_request"),
    "route": ("http_route", "route_name"),
    "host": ("authority", "host", "server_address", "vhost", "virtual_host", "server_name", "request_authority"),
    "client": (
        "x_forwarded_for", "client_address", "client_ip", "source_ip", "remote_ip", "remote_addr",
        "downstream_remote_address_without_port", "downstream_remote_address", "downstream_direct_remote_address",
        "remote_address", "peer_address", "network_peer_address", "net_peer_ip", "client_addr", "client",
    ),
    "user_agent": ("user_agent", "user_agent_original", "useragent", "agent"),
    "request_id": (
        "request_id", "x_request_id", "requestid", "req_id", "rid", "unique_id", "correlation_id", "x_correlation_id",
    ),
    "trace_id": ("trace_id", "traceid", "traceparent", "x_b_3_traceid", "x_b3_traceid", "b3_trace_id"),
    "body_bytes": ("body_bytes_sent", "bytes_sent", "response_body_bytes", "http_response_body_size"),
    "upstream_status": ("upstream_status", "upstream_status_code", "origin_status", "backend_status"),
    "upstream_host": ("upstream_host", "upstream_addr", "upstream_address"),
    "upstream_time": ("x_envoy_upstream_service_time", "upstream_service_time", "upstream_response_time"),
    "upstream_cluster": ("upstream_cluster", "upstream_cluster_raw"),
    "challenge": (
        "www_authenticate", "resp_www_authenticate", "http_response_header_www_authenticate",
        "response_headers_www_authenticate", "response_header_www_authenticate", "sent_http_www_authenticate",
        "upstream_http_www_authenticate", "resp_headers_www_authenticate",
    ),
    "location": (
        "resp_location", "http_response_header_location", "response_headers_location", "response_header_location",
        "sent_http_location", "upstream_http_location", "resp_headers_location", "redirect_location", "redirect_url",
        "downstream_location", "location",
    ),
    "body": ("response_body", "resp_body", "http_response_body", "res_body", "response_body_text", "resp"),
    "grpc_status": ("grpc_status", "grpc_status_code", "rpc_grpc_status_code", "resp_grpc_status"),
    "claims": ("jwt_payload", "jwt_claims", "token_claims", "claims"),
    "jose_header": ("jwt_header", "jose_header", "token_header"),
    "metadata": ("dynamic_metadata", "jwt_metadata", "jwt_authn", "metadata", "jwt_failure_reason"),
    "headers": ("request_headers", "req_headers", "http_request_headers", "headers"),
    "instance": ("service_instance_id", "node_name", "pod_name", "k_8_s_pod_name", "k8s_pod_name", "hostname", "host_name"),
    "version": ("service_version",),
    "level": ("level", "severity", "severity_text", "log_level", "lvl", "loglevel"),
}  # fmt: skip
_MEANINGS: Final = {name: (role, rank) for role, names in _ROLES.items() for rank, name in enumerate(names)}
_ENVOY_NAMES: Final = frozenset(
    ("response_code_details", "response_flags", "upstream_transport_failure_reason", "x_envoy_upstream_service_time",
     "x_envoy_original_path", "x_envoy_origin_path", "connection_termination_details", "requested_server_name")
)  # fmt: skip
_ISTIO_NAMES: Final = frozenset(
    ("upstream_transport_failure_reason", "connection_termination_details", "requested_server_name", "route_name")
)
_NGINX_NAMES: Final = frozenset(
    ("remote_addr", "remote_user", "time_local", "time_iso_8601", "time_iso8601", "body_bytes_sent", "http_referer",
     "http_user_agent", "request_time", "upstream_response_time", "upstream_addr", "request_uri", "http_x_forwarded_for")
)  # fmt: skip


_APINTO_NAMES: Final = frozenset(
    ("proxy_status", "proxy_header", "src_ip", "apinto_version")
)  # beside nginx's own names

Reader = Callable[[Any], Any]
Step = Callable[[Parsed, Mapping[str, Any], "Keys"], None]


@dataclass(frozen=True, slots=True)
class Keys:
    """Which key of a record plays which role; "" is none."""

    dialect: str = ""  # the gateway whose default names these are
    time: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    error: str = ""  # what follows the message's colon in most loggers
    flags: str = ""
    method: str = ""
    path: str = ""
    request: str = ""
    route: str = ""
    host: str = ""
    client: str = ""
    user_agent: str = ""
    request_id: str = ""
    trace_id: str = ""
    body_bytes: str = ""
    upstream_status: str = ""
    upstream_host: str = ""
    upstream_time: str = ""
    upstream_cluster: str = ""
    challenge: str = ""
    location: str = ""
    body: str = ""
    grpc_status: str = ""
    claims: str = ""
    jose_header: str = ""
    metadata: str = ""
    headers: str = ""
    instance: str = ""
    version: str = ""
    level: str = ""
    credentials: tuple[tuple[str, str], ...] = ()  # (header's name, key)
    rare: tuple[tuple[str, str, Reader], ...] = ()  # (field of Parsed, key, what reads its value)
    steps: tuple[Step, ...] = ()  # what else `fill` does


NO_KEYS: Final = Keys()
_PLANS: Final[dict[tuple[str, ...], Keys]] = {}


def plan(fields: Mapping[str, Any]) -> Keys:
    """The roles of a record's keys; NO_KEYS for what is too wide to be a log record."""
    names = tuple(fields)
    known = _PLANS.get(names)
    if known is not None:
        return known
    if not 0 < len(names) <= MAX_KEYS or sum(map(len, names)) > MAX_KEY_CHARS:
        return NO_KEYS
    if len(_PLANS) >= MAX_PLANS:
        _PLANS.clear()
    _PLANS[names] = made = _plan(names)
    return made


def _plan(names: tuple[str, ...]) -> Keys:
    canonical = {canonical_name(name): name for name in reversed(names)}
    keys = _best_keys(canonical)
    is_credential = keys.pop(CREDENTIAL, "")
    credentials = _credentials(canonical) if is_credential else ()
    there = {*keys, CREDENTIAL} if is_credential else keys.keys()
    return Keys(
        dialect=_dialect(frozenset(canonical), names),
        credentials=credentials,
        rare=tuple((field, keys[field], read) for field, read in _READERS.items() if field in keys),
        steps=tuple(step for needs, step in _STEPS if needs & there),
        **keys,
    )


def _best_keys(canonical: Mapping[str, str]) -> dict[str, str]:
    """Role -> the key of the best rank, the record's last among equals."""
    ranked: dict[str, tuple[int, str]] = {}
    for word, name in canonical.items():
        role, rank = meaning(word)
        if role and rank < ranked.get(role, (_NO_RANK, ""))[0]:
            ranked[role] = (rank, name)
    return {role: name for role, (_, name) in ranked.items()}


def _credentials(canonical: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Header's name -> the key of its value."""
    found = {_HEADERS[_header_word(word)]: name for word, name in canonical.items() if meaning(word)[0] == CREDENTIAL}
    return tuple(found.items())


def value_at(fields: Mapping[str, Any], key: str) -> Any:
    """The value under a role's key; None where no key plays the role. A record's own key may be "", too."""
    return fields.get(key) if key else None


def meaning(word: str) -> tuple[str, int]:
    """(role, rank) of a canonical name; ("", 0) when it has none. Header names may carry a `request_headers_` before them."""
    if word in _MEANINGS:
        return _MEANINGS[word]
    bare = _header_word(word)
    if bare in _HEADERS:
        return CREDENTIAL, 0
    return _MEANINGS.get(bare, ("", 0))


@lru_cache(maxsize=2048)
def role_of(name: str) -> str:
    """The role of a name that stands before a value in a line; "" when it has none, or is too long for one.

    >>> role_of("upstream_status"), role_of("X-Request-ID"), role_of("")
    ('upstream_status', 'request_id', '')
    """
    return meaning(canonical_name(name))[0] if 0 < len(name) <= MAX_ROLE_CHARS else ""


def _header_word(word: str) -> str:
    prefix = next((p for p in _HEADER_PREFIXES if word.startswith(p)), "")
    return word[len(prefix) :] if word not in _HEADERS else word


def canonical_name(name: str) -> str:
    """Lower snake case, without Envoy's command operator and HTTP/2's colon.

    >>> canonical_name("%REQ(X-REQUEST-ID)%"), canonical_name(":authority"), canonical_name("responseCode")
    ('x_request_id', 'authority', 'response_code')
    """
    text = _without_operator(name.strip("%@: "))
    snake = "".join(map(_snake_character, " " + text, text))
    return "_".join(filter(None, snake.split("_")))


def _without_operator(text: str) -> str:
    """`X-REQUEST-ID` of `REQ(X-REQUEST-ID)`, `RESP_x` of `RESP(x)`."""
    operator, parenthesis, inner = text.partition("(")
    if not parenthesis or not operator.isalpha():
        return text
    inner = inner.partition(")")[0].partition("?")[0]
    return inner if operator.upper() == "REQ" else f"{operator}_{inner}"


def _snake_character(before: str, char: str) -> str:
    low = char.lower() if char.isalnum() else "_"
    return f"_{low}" if char.isupper() and (before.islower() or before.isdigit()) else low


def _dialect(words: frozenset[str], names: tuple[str, ...]) -> str:
    if "response_flag" in words or "response_code_detail" in words:  # Tyk's and Google ESP's names
        return ""
    if ":authority" in names and ("x-envoy-origin-path" in names or "x-envoy-upstream-service-time" in names):
        return "envoy-gateway"
    if words >= _ISTIO_NAMES and "authority" in names:
        return "istio"
    if words & _ENVOY_NAMES:
        return "envoy"
    return "nginx" if _is_nginx(words) else ""


def _is_nginx(words: frozenset[str]) -> bool:
    return len(words & _NGINX_NAMES) >= 2 and not words & _APINTO_NAMES


def fill(parsed: Parsed, fields: Mapping[str, Any], keys: Keys, near_ns: int = 0) -> Parsed:
    """Set what `parsed` does not know yet from `fields`; returns `parsed`."""
    if "" in fields:  # it would play every role that no key plays
        fields = {name: value for name, value in fields.items() if name}
    parsed.time_ns = parsed.time_ns or any_ns(fields.get(keys.time), near_ns)
    _fill_target(parsed, fields, keys)
    _fill_sender(parsed, fields, keys)
    for name, key, read in keys.rare:
        if not getattr(parsed, name):
            setattr(parsed, name, read(fields.get(key)))
    for step in keys.steps:
        step(parsed, fields, keys)
    return parsed


# Nearly every record has these: written out, they cost half of what the table of the rare ones would.
def _fill_target(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    get = fields.get
    parsed.status = parsed.status or http_status(get(keys.status))
    parsed.method = parsed.method or as_text(get(keys.method))
    parsed.path = parsed.path or as_text(get(keys.path))
    parsed.host = parsed.host or as_text(get(keys.host))
    parsed.reason = parsed.reason or as_text(get(keys.reason))
    parsed.flags = parsed.flags or as_text(get(keys.flags))


def _fill_sender(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    get = fields.get
    parsed.client = parsed.client or client(as_text(get(keys.client)))
    parsed.user_agent = parsed.user_agent or as_text(get(keys.user_agent))
    parsed.request_id = parsed.request_id or as_text(get(keys.request_id))


def _fill_request(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    """`GET /path HTTP/1.1`, where the method has no key of its own."""
    if not parsed.method:
        parsed.method, target = request_line(as_text(fields.get(keys.request)))
        parsed.path = parsed.path or target


def _fill_size(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    if parsed.body_bytes < 0:
        parsed.body_bytes = count(fields.get(keys.body_bytes))


def _fill_message(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    if not parsed.message:
        sentences = (as_text(fields.get(keys.message)), as_text(fields.get(keys.error)))
        parsed.message = ": ".join(filter(None, sentences))


def _fill_body(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    """What the answer says, where it refuses and the record has no sentence of its own."""
    if parsed.status >= 300 and not parsed.message:
        body = fields.get(keys.body)
        parsed.message = (_sentence(body) if isinstance(body, Mapping) else as_text(body))[:MAX_BODY_CHARS]


def _sentence(body: Mapping[str, Any]) -> str:
    """The texts of a JSON body that are told to people."""
    return ": ".join(value for name, value in list(body.items())[: MAX_DEPTH * 4] if isinstance(value, str) and name)


def _fill_grpc(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    """GRPC refuses with HTTP 200."""
    if as_text(fields.get(keys.grpc_status)).lower() in _GRPC_DENIED:
        parsed.outcome = Outcome.DENIED


def _fill_headers(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    headers = dict(parsed.headers)
    if keys.headers:
        headers |= header_map(fields.get(keys.headers))
        parsed.user_agent = parsed.user_agent or headers.get("user-agent", "")
        parsed.host = parsed.host or headers.get("host", "")
        parsed.request_id = parsed.request_id or headers.get("x-request-id", "")
    for name, key in keys.credentials:
        headers[name] = as_text(fields.get(key))
    parsed.headers = headers
    parsed.credential_logged = parsed.credential_logged or not _TOKEN_PLACES.isdisjoint(headers)


_TOKEN_PLACES: Final = frozenset(("authorization", "jwt", "token", "access-token", "x-access-token", "x-jwt-assertion"))


def _fill_claims(parsed: Parsed, fields: Mapping[str, Any], keys: Keys) -> None:
    metadata = fields.get(keys.metadata)
    parsed.claims = parsed.claims or claims_in(fields.get(keys.claims)) or claims_in(metadata)
    header = fields.get(keys.jose_header)
    if isinstance(header, Mapping):
        parsed.jose_header = header
    status = failed_status(metadata)
    if status:
        parsed.message = parsed.message or status


def _trace_id(value: Any) -> str:
    return trace_id(as_text(value))


def _route(value: Any) -> str:
    return route(as_text(value))


# Field of Parsed -> what makes it of the value under the key of that role.
_READERS: Final[dict[str, Reader]] = {
    "trace_id": _trace_id, "route": _route, "challenge": as_text, "location": as_text, "upstream_status": last_status, "instance": as_text,
    "version": as_text,
}  # fmt: skip
# What takes more than one key, in order: headers fill only what has no key of its own.
_STEPS: Final[tuple[tuple[frozenset[str], Step], ...]] = (
    (frozenset(("request",)), _fill_request),
    (frozenset(("body_bytes",)), _fill_size),
    (frozenset(("message", "error")), _fill_message),
    (frozenset(("body",)), _fill_body),
    (frozenset(("grpc_status",)), _fill_grpc),
    (frozenset(("claims", "jose_header", "metadata")), _fill_claims),
    (frozenset(("headers", CREDENTIAL)), _fill_headers),
)


def flatten(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects as dotted keys, header objects and claims kept whole; at most MAX_KEYS entries, MAX_DEPTH deep."""
    out: dict[str, Any] = {}
    _flatten(fields, "", MAX_DEPTH, out)
    return out


def _flatten(fields: Mapping[str, Any], prefix: str, depth: int, out: dict[str, Any]) -> None:
    for name, value in fields.items():
        if len(out) >= MAX_KEYS:
            return
        key = f"{prefix}{name}"
        if is_object(value) and depth > 1 and not (len(key) <= MAX_NAME_CHARS and _is_whole(key)):
            _flatten(value, key + ".", depth - 1, out)
        else:
            out[key] = value


@lru_cache(maxsize=1024)
def _is_whole(key: str) -> bool:
    return meaning(canonical_name(key))[0] in ("headers", "claims", "jose_header", "metadata", "body")


def mapping(record: RawRecord) -> Mapping[str, Any]:
    """The record's structured part: body object over OTLP attributes."""
    if record.fields is None:
        return record.attributes
    return {**record.attributes, **record.fields} if record.attributes else record.fields


def finish(parsed: Parsed, record: RawRecord) -> Parsed:
    """What OTLP's resource and the transport add; returns `parsed`."""
    resource = record.resource
    if resource:
        parsed.instance = parsed.instance or _first(resource, _INSTANCE_NAMES)
        parsed.version = parsed.version or as_text(resource.get("service.version"))
    parsed.trace_id = parsed.trace_id or record.trace_id
    return parsed


_INSTANCE_NAMES: Final = (
    "service.instance.id",
    "node_name",
    "k8s.pod.name",
    "host.name",
    "service.name",
    "cluster_name",
)


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := as_text(fields.get(name)))), "")
