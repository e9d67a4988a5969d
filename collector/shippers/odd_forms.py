"""Records that are fields without being JSON: CEF and LEEF of security products, an object with words behind it, pairs between bars.

Each is read as the object that it is, so that the same keys mean the same (`collector/gateways/reading/json_fields.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from collector.gateways.reading.named import Named
from collector.gateways.reading.tails import read_pairs

MAX_CHARS: Final = 65_536
MAX_PARTS: Final = 128
MAX_TAIL: Final = 2_000  # characters behind an object that are looked at
_MAX_KEY: Final = 60
_CEF: Final = "CEF:"
_LEEF: Final = "LEEF:"
_CEF_PARTS: Final = 8  # version, vendor, product, version of it, id, name, severity, extension
_LEEF_PARTS: Final = 6
_WARNING_FROM: Final = 4  # of ten
_SEPARATORS: Final = ("|", ";", "\t")
_LEAST_PAIRS: Final = 4
_LABELLED: Final = ("cs", "cn", "flexString", "deviceCustomDate")
_STATUS: Final = Named(
    r"(?:[^\d]*\bHTTP[ /=:]*(?:1\.[01] |2 )?|[^\d]*\bstatus[ =:]+|(?:.*[\t ])?)(?P<status>[2-5]\d\d)(?:\s|\z)"
)
_DECODER: Final = json.JSONDecoder()


def as_fields(text: str) -> Mapping[str, Any] | None:
    r"""The fields of a record in one of these forms; None for any other text. Never raises.

    >>> as_fields("CEF:0|F5|ASM|17.1|2001|Access token expired|7|cn1=403 cn1Label=response_code requestMethod=GET")["message"]
    'Access token expired'
    >>> as_fields('{"error": "JWT is required."}  HTTP 400  flow=orders')["status"]
    '400'
    >>> as_fields("time:10:00\thost:192.0.2.1\tstatus:401\treq:GET / HTTP/1.1")["status"]
    '401'
    >>> as_fields("time=10:00|api=orders|status_code=401|error_text=no subscription")["error_text"]
    'no subscription'
    """
    if len(text) > MAX_CHARS or "\n" in text:
        return None
    if text.startswith((_CEF, _LEEF)):
        return _security_event(text)
    return _object_and_tail(text) if text[:1] == "{" else _between_bars(text)


def _security_event(text: str) -> Mapping[str, Any] | None:
    """`CEF:0|vendor|product|version|id|name|severity|k=v …` (Micro Focus), `LEEF:1.0|vendor|product|version|id|k=v …` (IBM)."""
    if text.startswith(_CEF):
        parts = text.split("|", _CEF_PARTS - 1)
        return _event(parts[5], parts[6], read_pairs(parts[7])) if len(parts) == _CEF_PARTS else None
    parts = text.split("|", _LEEF_PARTS - 1)
    if len(parts) < _LEEF_PARTS:
        return None
    pairs = _tab_pairs(parts[5])
    return _event(parts[4], pairs.get("sev", ""), pairs)


def _event(name: str, severity: str, pairs: Mapping[str, str]) -> Mapping[str, Any]:
    fields: dict[str, Any] = _labelled(pairs)
    message = fields.pop("msg", "")
    fields["message"] = f"{name}: {message}" if message and message != name else name
    fields["level"] = "INFO" if severity.isdigit() and int(severity[:2]) < _WARNING_FROM else "WARN"
    return fields


def _tab_pairs(text: str) -> dict[str, str]:
    """LEEF separates with tabs; 2.0 names another character in front, which the first pair's key then holds."""
    pairs = (part.partition("=") for part in text.replace("^", "\t").split("\t")[:MAX_PARTS])
    return {name.strip("| "): value for name, equals, value in pairs if equals}


def _labelled(pairs: Mapping[str, str]) -> dict[str, str]:
    """`cn1=403 cn1Label=response_code` is `response_code=403`."""
    named = dict(pairs)
    for name, value in pairs.items():
        label = pairs.get(f"{name}Label", "") if name.startswith(_LABELLED) else ""
        if label and label not in pairs:
            named[label] = value
    return named


def _object_and_tail(text: str) -> Mapping[str, Any] | None:
    """An object, and behind it pairs or a status that its writer added."""
    try:
        fields, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    tail = text[end : end + MAX_TAIL].strip()
    if not isinstance(fields, dict) or not fields or not tail or tail[:1] == "{":
        return None
    found = _STATUS.match(tail)
    status = {"status": found["status"]} if found and not {"status", "status_code"} & fields.keys() else {}
    return {**read_pairs(tail), **status, **fields}


def _between_bars(text: str) -> Mapping[str, Any] | None:
    """`name=value|name=value|…`: most parts are pairs, and none is a sentence's."""
    separator = next((each for each in _SEPARATORS if text.count(each) >= _LEAST_PAIRS - 1), "")
    return _pairs(text.split(separator)[:MAX_PARTS], separator) if separator else None


def _pairs(parts: list[str], separator: str) -> Mapping[str, Any] | None:
    mark = "=" if separator != "\t" or "=" in parts[0] else ":"  # LTSV (ltsv.org) has colons
    pairs = {name.strip(): value.strip() for name, found, value in (part.partition(mark) for part in parts) if found}
    return pairs if len(pairs) >= max(_LEAST_PAIRS, len(parts) - 2) and all(map(_is_key, pairs)) else None


def _is_key(name: str) -> bool:
    return 0 < len(name) <= _MAX_KEY and name.replace("_", "").replace("-", "").replace(".", "").isalnum()
