"""Azure API Management: the GatewayLogs resource log as Log Analytics rows or diagnostic records, and its error bodies.

Columns after the ApiManagementGatewayLogs table; reasons after "Error handling in API Management policies".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.events import Responder
from collector.gateways.reading.contract import NO_TEXTS, NotAuth
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text, client, count, header_map, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "azure-apim"
_LAST_ERROR: Final = "LastError"
TEXTS: Final = NO_TEXTS


def parse(record: RawRecord) -> Parsed | None:
    """A request in the gateway's log, or what a client was sent about its subscription key."""
    fields = mapping(record)
    if not fields:
        return None
    if _is_gateway_log(fields):
        return _request(fields, record)
    return _body(fields, record)


def _is_gateway_log(fields: Mapping[str, Any]) -> bool:
    category = fields.get("Category", fields.get("category"))
    return category == "GatewayLogs" or ("LastErrorReason" in fields and "ApiId" in fields)


def _request(fields: Mapping[str, Any], record: RawRecord) -> Parsed:
    get = _Row(fields).get
    status = http_status(get("ResponseCode"))
    if not status:
        raise NotAuth(NAME, "no answer was sent")
    parsed = Parsed(NAME, status=status, time_ns=any_ns(get("TimeGenerated") or get("Time"), record.time_ns))
    parsed.method = as_text(get("Method"))
    parsed.host, parsed.path = _split_url(as_text(get("Url")))
    parsed.client = client(as_text(get("CallerIpAddress")))
    parsed.request_id = as_text(get("CorrelationId"))
    parsed.body_bytes = count(get("ResponseSize"))
    parsed.upstream_status = http_status(get("BackendResponseCode"))
    parsed.reason = as_text(get("LastErrorReason"))
    parsed.message = as_text(get("LastErrorMessage"))
    parsed.instance = as_text(get("Region") or get("Location"))
    parsed.headers = header_map(get("RequestHeaders"))
    parsed.user_agent = parsed.headers.get("user-agent", "")
    parsed.challenge = header_map(get("ResponseHeaders")).get("www-authenticate", "")
    parsed.responder = _responder(parsed, as_text(get("LastErrorSource")))
    return finish(parsed, record)


class _Row:
    """A value by its column's name: of the row, or in camel case of `properties` and its `lastError`."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        properties = fields.get("properties")
        self._tables = [fields, properties] if isinstance(properties, Mapping) else [fields]
        error = properties.get("lastError") if isinstance(properties, Mapping) else None
        self._error: Mapping[str, Any] = error if isinstance(error, Mapping) else {}

    def get(self, column: str) -> Any:
        camel = column[:1].lower() + column[1:]
        for table in self._tables:
            found = table.get(column, table.get(camel))
            if found is not None and found != "":
                return found
        return self._error.get(column[len(_LAST_ERROR) :].lower()) if column.startswith(_LAST_ERROR) else None


def _responder(parsed: Parsed, source: str) -> Responder:
    if source and source not in ("forward-request", "request-forwarder"):
        return Responder.GATEWAY
    return Responder.UPSTREAM if parsed.upstream_status else Responder.UNKNOWN


def _split_url(url: str) -> tuple[str, str]:
    scheme, found, rest = url.partition("://")
    if not found or "/" in scheme:
        return "", url
    host, slash, path = rest.partition("/")
    return host.partition(":")[0], slash + path


def _body(fields: Mapping[str, Any], record: RawRecord) -> Parsed | None:
    """`{"statusCode": 401, "message": "Access denied due to … subscription key. …"}`."""
    message = fields.get("message")
    if len(fields) != 2 or not isinstance(message, str) or "subscription key" not in message:
        return None
    status = http_status(fields.get("statusCode"))
    return finish(Parsed(NAME, status=status, message=message, responder=Responder.GATEWAY), record) if status else None
