"""Apache APISIX: error.log, the loggers' JSON (http-logger, kafka-logger, file-logger …), the access log.

JSON after apisix/utils/log-util.lua, access log after conf/config.yaml, lines after apisix/core/log.lua. A refusal is
one or two lines: the plugin's reason, and `PLUGIN exits with http status code N` of apisix/plugin.lua.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.errors import UnreadableRecord
from collector.events import Outcome, Responder
from collector.gateways import openresty
from collector.gateways.reading import error_log, exchange
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.scan import is_address, quoted, request_line, tokens, unescape
from collector.gateways.reading.times import any_ns, clf_ns
from collector.gateways.reading.values import as_text, client, count, http_status, is_object, last_status
from collector.records import Parsed, RawRecord

NAME: Final = "apisix"
_TIME_CHARS: Final = 26  # 03/Mar/2026:10:00:00 +0000
_MIN_VALUES: Final = 8  # behind the request
_EXITS: Final = " exits with http status code "
_AUTH_PLUGINS: Final = frozenset(
    ("jwt-auth", "openid-connect", "key-auth", "basic-auth", "hmac-auth", "ldap-auth", "multi-auth", "wolf-rbac",
     "authz-keycloak", "authz-casbin", "authz-casdoor", "forward-auth", "opa", "consumer-restriction",
     "ip-restriction", "cas-auth", "saml-auth", "jwe-decrypt", "dingtalk-auth", "acl", "ua-restriction",
     "referer-restriction", "uri-blocker", "attach-consumer-label")
)  # fmt: skip
_FILES: Final = frozenset(("plugin.lua", *(f"{name}.lua" for name in _AUTH_PLUGINS)))
TEXTS: Final = Texts(holds=(" [",))


def parse(record: RawRecord) -> Parsed | None:
    """A request, or a verdict in the error log."""
    if record.fields is None and record.text:
        parsed = _error_line(record) if record.text[4:5] == "/" else _access_line(record.text)
        return finish(parsed, record) if parsed else None
    fields = mapping(record)
    if "apisix_latency" not in fields or not is_object(fields.get("response")):
        return None
    return finish(_full_log(fields, record.time_ns), record)


def _full_log(fields: Mapping[str, Any], near_ns: int) -> Parsed:
    parsed = Parsed(NAME, time_ns=any_ns(fields.get("start_time"), near_ns))
    exchange.read_request(parsed, exchange.inner(fields, "request"))
    headers = exchange.read_response(parsed, exchange.inner(fields, "response"))
    if not parsed.status:
        raise UnreadableRecord(NAME, "response.status is not an HTTP status")
    server = exchange.inner(fields, "server")
    parsed.instance, parsed.version = as_text(server.get("hostname")), as_text(server.get("version"))
    parsed.client = client(as_text(fields.get("client_ip")))
    parsed.route = as_text(fields.get("route_id"))
    parsed.request_id = parsed.request_id or headers.get("x-request-id", "")
    has_upstream = bool(as_text(fields.get("upstream")))
    parsed.responder = Responder.UPSTREAM if has_upstream else Responder.GATEWAY
    parsed.upstream_status = parsed.status if has_upstream else 0
    return parsed


def _error_line(record: RawRecord) -> Parsed | None:
    line = error_log.split(record.text)
    if line is None or not line.source or line.source.startswith("kong"):
        return None
    if line.source not in _FILES and line.server != "_":  # its nginx.conf names every server block `_`
        return None
    plugin, exits, status = line.message.partition(_EXITS)
    if exits:
        return _exit(line, record.time_ns, plugin, http_status(status[:3]))
    is_auth = line.source.removesuffix(".lua") in _AUTH_PLUGINS or openresty.is_auth(line)
    return openresty.verdict(NAME, line, record.time_ns, is_auth=is_auth)


def _exit(line: error_log.Line, near_ns: int, plugin: str, status: int) -> Parsed:
    """The line says which plugin ended the request and how; the reason, if any, is in a line before it."""
    if plugin not in _AUTH_PLUGINS and status not in (401, 403):
        raise NotAuth(NAME, "a plugin that does not authenticate ended the request")
    parsed = Parsed(NAME, status=status, responder=Responder.GATEWAY)
    error_log.read(parsed, line, near_ns)
    parsed.outcome = None if status < 400 else Outcome.ERROR if status >= 500 else Outcome.DENIED
    return parsed


def _access_line(text: str) -> Parsed | None:
    """`client - user [time] host "request" status size seconds "referer" "agent" upstream status seconds "url"`."""
    head, _, rest = text[:512].partition(" [")
    when, _, after = rest.partition("] ")
    host, opened, _ = after.partition(' "')
    if not opened or len(when) != _TIME_CHARS or " " in host or '"' in host:
        return None
    request, at = quoted(text, len(head) + 2 + len(when) + 2 + len(host) + 1)
    values = [value for name, value in tokens(text[at:]) if not name]
    if len(values) < _MIN_VALUES or not values[2].replace(".", "").isdigit() or not is_address(head.partition(" ")[0]):
        return None
    return _access(head, when, host, request, values)


def _access(head: str, when: str, host: str, request: str, values: list[str]) -> Parsed:
    parsed = Parsed(NAME, status=http_status(values[0]), time_ns=clf_ns(when), host=as_text(host))
    if not parsed.status:
        raise NotAuth(NAME, "no answer was sent")
    parsed.method, parsed.path = request_line(unescape(request))
    parsed.client = client(head.partition(" ")[0])
    parsed.body_bytes = count(values[1])
    parsed.user_agent = as_text(values[4])
    parsed.upstream_status = last_status(values[6].rstrip(","))
    parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.GATEWAY
    return parsed
