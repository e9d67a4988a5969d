"""gRPC: the status of a call that was refused, as trailers, as each implementation prints it, and as JSON.

After grpc `doc/statuscodes.md` (7 PERMISSION_DENIED, 16 UNAUTHENTICATED), grpc-go `status.Error`, grpc-java
`StatusRuntimeException`, grpc-python `RpcError`, grpc-node, google.rpc.Status, and go-grpc-middleware's logging fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from collector.events import Outcome, Responder
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text, client
from collector.records import Parsed, RawRecord

NAME: Final = "grpc"
_READ_CHARS: Final = 8192
_REFUSED: Final = {
    "7": "PermissionDenied", "permissiondenied": "PermissionDenied", "permission_denied": "PermissionDenied",
    "16": "Unauthenticated", "unauthenticated": "Unauthenticated",
}  # fmt: skip
_CODE_KEYS: Final = ("grpc.code", "grpc_code", "rpc.grpc.status_code", "grpc-status", "grpc_status")
_STARTS: Final = (
    "grpc-status", "code = ", "rpc error: ", "io.grpc.Status", "status = StatusCode.", "<_InactiveRpcError",
    "<AioRpcError", "Error: 16 ", "Error: 7 ", "16 UNAUTHENTICATED", "7 PERMISSION_DENIED", "grpc._channel._",
    "Grpc.Core.RpcException: ", "status: Unauthenticated", "status: PermissionDenied",
)  # fmt: skip
TEXTS: Final = Texts(begins="".join({start[0] for start in _STARTS}))


def parse(record: RawRecord) -> Parsed | None:
    """A refused call; calls that ended in other ways count when their record is a request of its own."""
    if record.fields is None and record.text:
        text = record.text[:_READ_CHARS]
        parsed = _text(text) if text.startswith(_STARTS) else None
    else:
        parsed = _fields(mapping(record), record.time_ns)
    return finish(parsed, record) if parsed else None


def _text(text: str) -> Parsed:
    code, said = _trailers(text) if text.startswith("grpc-status") else _printed(text)
    if code not in ("PermissionDenied", "Unauthenticated"):
        raise NotAuth(NAME, "a status that refuses nobody")
    return _refusal(code, said)


def _trailers(text: str) -> tuple[str, str]:
    """`grpc-status: 16` and a percent-encoded `grpc-message`."""
    rest = text[len("grpc-status") :].lstrip(":= ")
    number = rest[:2].strip(' ",')
    message = rest.partition("grpc-message")[2].lstrip(":= ").strip()
    return _REFUSED.get(number, ""), unquote(message)


def _printed(text: str) -> tuple[str, str]:
    low = text.lower()
    code = next(
        (_REFUSED[word] for word in ("unauthenticated", "permissiondenied", "permission_denied") if word in low), ""
    )
    for mark in (" desc = ", "details = ", 'Detail="', "message: "):
        said = text.partition(mark)[2]
        if said:
            return code, said.lstrip('"').partition('"' if mark != " desc = " else "\0")[0].partition("\n")[0]
    return code, text.rpartition("UNAUTHENTICATED: ")[2].rpartition("PERMISSION_DENIED: ")[2].partition("\n")[0]


def _fields(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    """A middleware's record of a call, or google.rpc.Status."""
    written = next((fields[name] for name in _CODE_KEYS if name in fields), None)
    if written is None:
        return _status(fields)
    if "grpc.method" not in fields and "grpc.service" not in fields and "rpc.method" not in fields:
        return None
    code = _REFUSED.get(as_text(written).lower(), "")
    parsed = _refusal(code, _said(fields)) if code else Parsed(NAME, outcome=Outcome.ALLOWED)
    service = as_text(fields.get("grpc.service", fields.get("rpc.service")))
    parsed.path = f"/{service}/{as_text(fields.get('grpc.method', fields.get('rpc.method')))}"
    parsed.client = client(as_text(fields.get("peer.address")))
    when = fields.get("ts", fields.get("time", fields.get("grpc.start_time")))
    parsed.time_ns = any_ns(when, near_ns)
    return parsed


def _said(fields: Mapping[str, Any]) -> str:
    error = next((text for name in ("grpc.error", "error", "err") if (text := as_text(fields.get(name)))), "")
    return error.partition(" desc = ")[2] or error


def _status(fields: Mapping[str, Any]) -> Parsed | None:
    """`{"code": 16, "message": "…", "details": []}`."""
    code, message = fields.get("code"), fields.get("message")
    if len(fields) > 4 or type(code) is not int or code not in (7, 16) or not isinstance(message, str):
        return None
    return _refusal(_REFUSED[str(code)], message)


def _refusal(code: str, said: str) -> Parsed:
    """One spelling for all implementations, so that the same refusal is one group."""
    parsed = Parsed(NAME, message=f"code = {code} desc = {said or code}", outcome=Outcome.DENIED)
    parsed.status = 401 if code == "Unauthenticated" else 403
    parsed.responder = Responder.GATEWAY if said else Responder.UNKNOWN
    return parsed
