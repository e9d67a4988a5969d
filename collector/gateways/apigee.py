"""Apigee: what a MessageLogging policy writes of a fault, as `key=value` or JSON, and the fault's own JSON body.

Names after Apigee's runtime error reference and flow variables. Only `fault.name` and `errorcode` are stable; the
documentation advises against reading faultstring.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading.contract import Texts
from collector.gateways.reading.json_fields import finish, flatten, mapping
from collector.gateways.reading.scan import tokens
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text, client, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "apigee"
_READ_CHARS: Final = 4096
_CODE_NAMES: Final = ("errorcode", "fault.detail.errorcode", "error.code", "errorCode", "detail.errorcode", "faultcode")
_CODES: Final = (
    "steps.", "oauth.v2.", "keymanagement.", "policies.", "messaging.", "protocol.", "security.", "entities.",
)  # fmt: skip
_AUTH_WORDS: Final = (
    "jwt", "jws", "oauth", "keymanagement", "apikey", "saml", "accesscontrol", "ipdenied", "token", "keylength",
    "algorithm",
    "signature", "curve", "publickey", "privatekey", "secretkey", "keyid", "keyparsing", "keyconfiguration",
    "criticalheader",
    "claim", "audience", "issuer",
)  # fmt: skip
_ROLES: Final = {
    "status": ("status", "message.status.code", "response.status.code", "error.status.code", "statuscode", "code"),
    "method": ("request.verb", "verb", "method"),
    "path": ("request.uri", "request.path", "proxy.pathsuffix", "path", "uri"),
    "host": ("request.header.host", "virtualhost.aliases", "host"),
    "client": ("client.ip", "proxy.client.ip", "client_ip", "client.resolved.ip"),
    "request_id": ("messageid", "messageId", "message_id", "X-Request-ID"),
    "time": ("system.timestamp", "client.received.start.timestamp", "timestamp", "time", "system.time"),
    "says": ("error.message", "faultstring", "fault.faultstring", "fault.string", "message", "error.content"),
}  # fmt: skip
TEXTS: Final = Texts(holds=("fault.name=", "errorcode="))


def parse(record: RawRecord) -> Parsed | None:
    """A fault with its name or code."""
    if record.fields is None and record.text:
        head = record.text[:_READ_CHARS]
        if "fault.name=" not in head and "errorcode=" not in head:
            return None
        return _read({name: value for name, value in tokens(head) if name}, record)
    fields = mapping(record)
    if not fields or not _may_be_fault(fields):
        return None
    return _read(flatten(fields), record)


def _may_be_fault(fields: Mapping[str, Any]) -> bool:
    fault = fields.get("fault")
    return (isinstance(fault, Mapping) and "faultstring" in fault) or any(
        name in fields for name in ("fault.name", "faultName", "errorcode", "fault.detail.errorcode", "faultstring")
    )


def _read(values: Mapping[str, Any], record: RawRecord) -> Parsed | None:
    code = next((text for name in _CODE_NAMES if (text := as_text(values.get(name))).startswith(_CODES)), "")
    name = as_text(values.get("fault.name", values.get("faultName")))
    if not code and not name:
        return None
    parsed = Parsed(NAME, status=http_status(_of(values, "status")), responder=Responder.GATEWAY)
    parsed.reason = code or f"fault.name={name}"
    for role in ("method", "path", "host", "request_id"):
        setattr(parsed, role, as_text(_of(values, role)))
    parsed.client = client(as_text(_of(values, "client")))
    parsed.time_ns = any_ns(_of(values, "time"), record.time_ns)
    parsed.message = as_text(_of(values, "says"))
    parsed.outcome = _outcome(parsed, values)
    return finish(parsed, record)


def _outcome(parsed: Parsed, values: Mapping[str, Any]) -> Outcome | None:
    """None: by status."""
    if not parsed.status:
        return Outcome.DENIED
    if parsed.status < 400 or not _is_auth(parsed.reason, values):
        return None
    return Outcome.ERROR if parsed.status >= 500 else Outcome.DENIED


def _is_auth(reason: str, values: Mapping[str, Any]) -> bool:
    """A policy's name or `failed` variable says it: faults of JWT and OAuth come with 400 and 500 too."""
    low = reason.lower()
    return as_text(values.get("JWT.failed")) == "true" or any(word in low for word in _AUTH_WORDS)


def _of(values: Mapping[str, Any], role: str) -> Any:
    return next((found for name in _ROLES[role] if (found := values.get(name)) not in (None, "")), None)
