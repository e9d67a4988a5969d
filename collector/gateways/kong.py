"""Kong: log plugins' JSON (http-log, file-log, tcp-log, kafka-log …), error.log, the proxy's access log, error bodies.

JSON after kong/pdk/log.lua, `source` of kong/constants.lua, access log after kong/templates/nginx_kong.lua. The jwt
plugin says its reason only in the answer's body; what the JSON shows is the challenge, who answered and the consumer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Responder
from collector.gateways import openresty
from collector.gateways.reading import combined_log, error_log, exchange, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.scan import is_hex
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text, client, is_object, last_status
from collector.records import Parsed, RawRecord

NAME: Final = "kong"
_SOURCES: Final = {
    "exit": Responder.GATEWAY,  # a plugin answered
    "error": Responder.GATEWAY,
    "kong": Responder.GATEWAY,
    "upstream": Responder.UPSTREAM,
    "service": Responder.UPSTREAM,
}
_REQUEST_ID_MARK: Final = ' kong_request_id: "'
_AUTH_PLUGINS: Final = (
    "jwt", "key-auth", "oauth2", "openid-connect", "acl", "ip-restriction", "hmac-auth", "basic-auth", "ldap-auth",
    "mtls-auth", "session", "oidc", "opa", "auth", "vault-auth", "saml", "header-cert-auth", "bot-detection",
)  # fmt: skip
# What Kong answers when no plugin refused (kong/error_handlers.lua, runloop/handler.lua).
_PROXY_ERRORS: Final = (
    "no Route matched", "An invalid response", "The upstream server", "name resolution failed", "failure to get a peer",
    "Request size limit", "Bad request", "Not found", "Method not allowed", "URI too long",
)  # fmt: skip
# The whole bodies of the jwt plugin that have no `message`.
_CLAIMS: Final = frozenset(("exp", "nbf"))
_CLAIM_ERRORS: Final = frozenset(
    ("token expired", "token not valid yet", "must be a number", "exceeds maximum allowed expiration")
)
TEXTS: Final = Texts(holds=(" [",))


def parse(record: RawRecord) -> Parsed | None:
    """A request, a verdict in the error log, or the body of a refusal."""
    if record.fields is None and record.text:
        parsed = _error_line(record) or _access_line(record.text)
        return finish(parsed, record) if parsed else None
    fields = mapping(record)
    if is_object(fields.get("latencies")) and is_object(fields.get("response")):
        return finish(_serialized(fields, record.time_ns), record)
    return finish(parsed, record) if (parsed := _body(fields)) else None


def _serialized(fields: Mapping[str, Any], near_ns: int) -> Parsed:
    parsed = Parsed(NAME, time_ns=any_ns(fields.get("started_at"), near_ns))
    request, response = exchange.inner(fields, "request"), exchange.inner(fields, "response")
    parsed.request_id = as_text(request.get("id"))
    exchange.read_request(parsed, request)
    headers = exchange.read_response(parsed, response)
    if not parsed.status:
        raise UnreadableRecord(NAME, "response.status is not an HTTP status")
    parsed.request_id = parsed.request_id or headers.get("x-kong-request-id", "")
    parsed.client = client(as_text(fields.get("client_ip")))
    parsed.route = as_text(exchange.inner(fields, "route").get("name"))
    parsed.trace_id = parsed.trace_id or as_text(exchange.inner(fields, "trace_id").get("w3c"))
    parsed.version = _version(headers)
    _read_answerer(parsed, fields)
    return parsed


def _version(headers: Mapping[str, str]) -> str:
    product = headers.get("server", "") or headers.get("via", "").rpartition(" ")[2]
    return product[5:25] if product[:5].lower() == "kong/" else ""


def _read_answerer(parsed: Parsed, fields: Mapping[str, Any]) -> None:
    """Releases before 3.5 have no `source`; a request without a try reached no upstream."""
    parsed.upstream_status = last_status(fields.get("upstream_status"))
    otherwise = Responder.UPSTREAM if parsed.upstream_status or fields.get("tries") else Responder.GATEWAY
    parsed.responder = _SOURCES.get(as_text(fields.get("source")), otherwise)
    if parsed.responder is not Responder.UPSTREAM:
        return
    parsed.upstream_status = parsed.upstream_status or parsed.status
    if parsed.status in (401, 403) and (fields.get("consumer") or fields.get("authenticated_entity")):
        parsed.reason = f"authenticated_entity upstream_status={parsed.upstream_status}"


def _body(fields: Mapping[str, Any]) -> Parsed | None:
    """`{"message": …, "request_id": …}` of 3.x, and the jwt plugin's `{"exp": "token expired"}`."""
    if len(fields) not in (1, 2):
        return None
    message, request_id = fields.get("message"), fields.get("request_id")
    if isinstance(message, str) and isinstance(request_id, str) and is_hex(request_id, 32):
        return _refusal(message, request_id)
    if _CLAIMS.issuperset(fields) and all(value in _CLAIM_ERRORS for value in map(as_text, fields.values())):
        return _refusal(",".join(f'"{claim}":"{as_text(text)}"' for claim, text in fields.items()), "")
    return None


def _refusal(message: str, request_id: str) -> Parsed:
    if message.startswith(_PROXY_ERRORS):
        raise NotAuth(NAME, "an error of the proxy itself")
    outcome = topic.outcome(message)
    return Parsed(NAME, message=message, request_id=request_id, outcome=outcome, responder=Responder.GATEWAY)


def _access_line(text: str) -> Parsed | None:
    """The combined format of nginx with `kong_request_id: "…"` behind it."""
    _, mark, rest = text[-256:].rpartition(_REQUEST_ID_MARK)
    line = combined_log.split(text) if mark else None
    if line is None:
        return None
    parsed = combined_log.read(NAME, line)
    parsed.request_id = rest.partition('"')[0]
    return parsed


def _error_line(record: RawRecord) -> Parsed | None:
    line = error_log.split(record.text)
    if line is None or not _is_kongs(line):
        return None
    plugin = line.source.partition("kong:")[2].partition(":")[0]
    is_auth = plugin in _AUTH_PLUGINS or openresty.is_auth(line)
    if not is_auth and "/plugins/" in line.message[:512]:
        is_auth = any(f"/plugins/{name}/" in line.message[:512] for name in _AUTH_PLUGINS)
    if line.source.startswith("kong") and line.level in error_log.QUIET:
        raise NotAuth(NAME, "an error log line without a verdict")
    return openresty.verdict(NAME, line, record.time_ns, is_auth=is_auth)


def _is_kongs(line: error_log.Line) -> bool:
    return line.source.startswith("kong") or line.server == "kong" or "/kong/plugins/" in line.message[:512]
