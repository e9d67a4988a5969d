"""OTLP/JSON requests → raw records, by the rules of the OTLP specification ("JSON Protobuf Encoding").

protobuf's own `json_format` breaks four of its MUSTs: it reads hex ids as base64, accepts enum names and snake_case
keys, and refuses unknown fields.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from collector.records import RawRecord
from collector.sources.otlp.protobuf_decoder import (
    EVENT_NAME,
    body_parts,
    bytes_text,
    check_depth,
    first_time,
    span_id_text,
    trace_id_text,
)
from collector.sources.otlp.receiver import MAX_RECORD_BYTES, Harvest, Refusal, Refused

_SIGNS: Final = 4  # brackets, braces and commas around an AnyValue with its key
_UINT64: Final = (0, (1 << 64) - 1)
_INT64: Final = (-(1 << 63), (1 << 63) - 1)
_INTEGER_CHARS: Final = 20  # of a 64-bit integer with its sign
_EXACT: Final = 1 << 53  # beyond it a JSON number that was read as a float is no longer the number that was sent
_DOUBLES: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_DOUBLE_CHARACTERS: Final = frozenset("0123456789+-.eE")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_URL_SAFE: Final = str.maketrans("-_", "+/")


def decode(body: bytes, harvest: Harvest) -> None:
    """Harvest an ExportLogsServiceRequest. Raises Refused when the envelope cannot be decoded."""
    request = _object(_parse(body, harvest), "")
    for n, resource_logs in enumerate(_objects(request, "resourceLogs", "")):
        _resource_logs(resource_logs, harvest, f"resourceLogs[{n}]")


def _parse(body: bytes, harvest: Harvest) -> Any:
    if not body:
        return {}
    # Counted before anything is built: orjson reads a body as a whole.
    harvest.values = (body.count(b"{") + body.count(b"[") + body.count(b",")) // _SIGNS
    harvest.make_room()
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(Refusal.BAD_DATA, f"not JSON: {error.msg} at byte {error.pos}") from None


def _resource_logs(raw: Mapping[str, Any], harvest: Harvest, where: str) -> None:
    if not raw.get("scopeLogs"):
        return
    at = f"{where}.resource"
    resource = _Values().attributes(_object(raw.get("resource"), at), "attributes", at, 1)
    for n, scope_logs in enumerate(_objects(raw, "scopeLogs", where)):
        at = f"{where}.scopeLogs[{n}]"
        for m, record in enumerate(_list(scope_logs, "logRecords", at)):
            harvest.make_room()
            try:
                harvest.records.append(_record(record, resource, harvest))
            except Refused as refused:
                harvest.reject(refused, f"{at}.logRecords[{m}]")


def _record(raw: Any, resource: dict[str, Any], harvest: Harvest) -> RawRecord:
    raw = _object(raw, "")
    values = _Values()
    times = (_integer(raw.get(key), key, *_UINT64) for key in ("timeUnixNano", "observedTimeUnixNano"))
    _enum(raw.get("severityNumber"), "severityNumber")
    span_id = span_id_text(_hex(raw.get("spanId"), "spanId", 8))
    text, fields = body_parts(values.plain(raw.get("body"), "body", 1))
    attributes = values.attributes(raw, "attributes", "", 1)
    if name := raw.get("eventName"):
        attributes[EVENT_NAME] = values.text(name, "eventName")
    return RawRecord(
        origin=harvest.origin,
        observed_ns=harvest.observed_ns,
        text=text,
        fields=fields,
        attributes=attributes,
        resource=resource,
        time_ns=first_time(*times),
        trace_id=trace_id_text(_hex(raw.get("traceId"), "traceId", 16)),
        span_id=span_id,
        gateway=harvest.gateway,
    )


class _Values:
    """AnyValues of one record or resource → plain values, within its budget of bytes."""

    def __init__(self) -> None:
        self._left = MAX_RECORD_BYTES

    def attributes(self, raw: Mapping[str, Any], key: str, where: str, depth: int) -> dict[str, Any]:
        """The KeyValues of a list as a dict."""
        out: dict[str, Any] = {}
        path = _path(where, key)
        for n, item in enumerate(_list(raw, key, where)):
            at = f"{path}[{n}]"
            pair = _object(item, at)
            name = self.text(pair.get("key") or "", f"{at}.key")
            out[name] = self.plain(pair.get("value"), f"{at}.value", depth)
        return out

    def plain(self, raw: Any, where: str, depth: int) -> Any:
        """One AnyValue; no known member, or null, is None."""
        self._spend(1)
        raw = _object(raw, where)
        for member, read in _MEMBERS.items():
            value = raw.get(member)
            if value is not None:
                return read(self, value, f"{where}.{member}", depth)
        return None

    def array(self, raw: Any, where: str, depth: int) -> list[Any]:
        """ArrayValue."""
        check_depth(depth)
        return [self.plain(item, where, depth + 1) for item in _list(_object(raw, where), "values", where)]

    def kvlist(self, raw: Any, where: str, depth: int) -> dict[str, Any]:
        """KeyValueList."""
        check_depth(depth)
        return self.attributes(_object(raw, where), "values", where, depth + 1)

    def octets(self, raw: Any, where: str) -> str:
        """A bytesValue: base64 of either alphabet, padded or not."""
        encoded = self.text(raw, where).translate(_URL_SAFE).rstrip("=")
        try:
            return bytes_text(binascii.a2b_base64(encoded + "=" * (-len(encoded) % 4), strict_mode=True))
        except (binascii.Error, ValueError):
            raise Refused(Refusal.BAD_DATA, "expected base64", where=where) from None

    def text(self, raw: Any, where: str) -> str:
        """A string."""
        if not isinstance(raw, str):
            raise Refused(Refusal.BAD_DATA, "expected a string", where=where)
        self._spend(len(raw))
        return raw

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Refused(Refusal.TOO_LARGE, f"the record is larger than {MAX_RECORD_BYTES} bytes")


def _boolean(raw: Any, where: str) -> bool:
    if not isinstance(raw, bool):
        raise Refused(Refusal.BAD_DATA, "expected true or false", where=where)
    return raw


def _double(raw: Any, where: str) -> float:
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return float(raw)
    if isinstance(raw, str) and raw in _DOUBLES:
        return _DOUBLES[raw]
    try:
        if isinstance(raw, str) and _DOUBLE_CHARACTERS.issuperset(raw):
            return float(raw)
    except ValueError:
        pass
    raise Refused(Refusal.BAD_DATA, 'expected a number, "NaN", "Infinity" or "-Infinity"', where=where)


def _integer(raw: Any, where: str, low: int, high: int) -> int:
    """A 64-bit integer: a decimal string, or a JSON number without a fraction."""
    value = _whole(raw)
    if value is None or not low <= value <= high:
        raise Refused(Refusal.BAD_DATA, f"expected an integer from {low} to {high}", where=where)
    return value


def _whole(raw: Any) -> int | None:
    if raw is None:
        return 0
    read = _WHOLE.get(type(raw))
    return read(raw) if read else None


def _whole_float(raw: float) -> int | None:
    return int(raw) if raw.is_integer() and abs(raw) <= _EXACT else None


def _whole_text(raw: str) -> int | None:
    digits = raw.removeprefix("-")
    return int(raw) if len(raw) <= _INTEGER_CHARS and digits.isascii() and digits.isdigit() else None


_WHOLE: Final[dict[type, Callable[[Any], int | None]]] = {int: int, float: _whole_float, str: _whole_text}


def _enum(raw: Any, where: str) -> None:
    if raw is not None and (isinstance(raw, bool) or not isinstance(raw, int)):
        raise Refused(Refusal.BAD_DATA, "expected the enum's integer, not its name", where=where)


def _hex(raw: Any, where: str, size: int) -> bytes:
    if raw is None or raw == "":
        return b""
    # bytes.fromhex alone would accept white space between the digits.
    if not isinstance(raw, str) or len(raw) != 2 * size or not _HEX.issuperset(raw):
        raise Refused(Refusal.BAD_DATA, f"expected {2 * size} hex digits", where=where)
    return bytes.fromhex(raw)


def _object(raw: Any, where: str) -> Mapping[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise Refused(Refusal.BAD_DATA, "expected an object", where=where)
    return raw


def _list(raw: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = raw.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused(Refusal.BAD_DATA, "expected an array", where=_path(where, key))
    return value


def _objects(raw: Mapping[str, Any], key: str, where: str) -> list[Mapping[str, Any]]:
    path = _path(where, key)
    return [_object(item, f"{path}[{n}]") for n, item in enumerate(_list(raw, key, where))]


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


_Read = Callable[[_Values, Any, str, int], Any]
_MEMBERS: Final[Mapping[str, _Read]] = {
    "stringValue": lambda values, raw, where, _depth: values.text(raw, where),
    "intValue": lambda _values, raw, where, _depth: _integer(raw, where, *_INT64),
    "boolValue": lambda _values, raw, where, _depth: _boolean(raw, where),
    "doubleValue": lambda _values, raw, where, _depth: _double(raw, where),
    "bytesValue": lambda values, raw, where, _depth: values.octets(raw, where),
    "arrayValue": _Values.array,
    "kvlistValue": _Values.kvlist,
}
