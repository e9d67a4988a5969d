"""The access log as lines (eosc formatter/line): values without names, in the order of the operator's format.

Fields are parted by tabs, those of an object `"a b"` by spaces, those of an object in it `[a,b]` by commas; an empty value is `-`, bodies
are base64. What a value is shows in the value: only one of them is a URL, an encoded header, a method.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from typing import Final

from collector.events import Responder
from collector.gateways.apinto.exchange import decoded, read_headers, read_response, target
from collector.gateways.apinto.source import NAME, is_broken, refuses
from collector.gateways.reading.scan import is_address
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import client, http_status
from collector.records import Parsed

_MAX_VALUES: Final = 128
_MAX_HEAD: Final = 4096
_MAX_BODY: Final = 65_536
_METHODS: Final = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))
_IN_HEADER: Final = ("Host=", "User-Agent=")  # of a request's encoded header; a response has neither
_BASE64: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
_UUID_CHARS: Final = 36
_Reader = Callable[[Parsed, str, int], bool]


def read(text: str, near_ns: int, *, is_named: bool) -> Parsed | None:
    """A request; None when the line has no status, or is not surely of this format."""
    if "\t" not in text[:_MAX_HEAD] or not (is_named or _is_own(text)):
        return None
    values = list(_values(text))
    parsed = Parsed(NAME)
    parsed.status = next(filter(None, map(_status, values)), 0)
    if not parsed.status:
        return None
    _read_values(parsed, values, near_ns)
    parsed.upstream_status = _after_first_status(values)
    parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.UNKNOWN
    read_response(parsed, _body(values), {})
    return parsed


def _is_own(text: str) -> bool:
    """An encoded request header, or an object that begins with method and scheme, stands in no other tabbed log."""
    cells = text[:_MAX_HEAD].split("\t", _MAX_VALUES)
    return any(_is_header(cell.strip('"')) or _is_object(cell) for cell in cells)


def _is_header(value: str) -> bool:
    return "=" in value and any(value.startswith(mark) or f"&{mark}" in value for mark in _IN_HEADER)


def _is_object(cell: str) -> bool:
    method, _, rest = cell[1:].partition(" ")
    return cell[:1] == '"' and method in _METHODS and rest.startswith(("http ", "https ", "HTTP ", "HTTPS "))


def _values(text: str) -> Iterator[str]:
    """Every value of the line in order, of objects too; at most _MAX_VALUES."""
    left = _MAX_VALUES
    for cell in text.split("\t", _MAX_VALUES)[:_MAX_VALUES]:
        for value in _inner(cell):
            if left <= 0:
                return
            left -= 1
            yield value


def _inner(cell: str) -> list[str]:
    if cell[:1] == '"' and cell[-1:] == '"' and len(cell) > 1:
        return [value for part in cell[1:-1].split(" ", _MAX_VALUES) for value in _inner(part)]
    if cell[:1] == "[" and cell[-1:] == "]":
        return cell[1:-1].split(",", _MAX_VALUES)
    return [cell]


def _read_values(parsed: Parsed, values: list[str], near_ns: int) -> None:
    for value in values:
        if value and value != "-":
            any(reader(parsed, value, near_ns) for reader in _READERS)


def _time(parsed: Parsed, value: str, near_ns: int) -> bool:
    """`$time_iso8601`, `$time_local`, `$msec`."""
    is_time = (value[4:5] == "-" and value[:4].isdigit()) or (len(value) == 13 and value.isdigit())
    if is_time and not parsed.time_ns:
        parsed.time_ns = any_ns(value, near_ns)
    return is_time


def _method(parsed: Parsed, value: str, _: int) -> bool:
    if value not in _METHODS:
        return False
    parsed.method = parsed.method or value
    return True


def _url(parsed: Parsed, value: str, _: int) -> bool:
    if not value.startswith(("/", "http://", "https://")):
        return False
    if not parsed.path:
        host, parsed.path = target(value)
        parsed.host = parsed.host or host
    return True


def _header(parsed: Parsed, value: str, _: int) -> bool:
    if not _is_header(value):
        return False
    if not parsed.credential_logged:
        read_headers(parsed, decoded(value))
    return True


def _client(parsed: Parsed, value: str, _: int) -> bool:
    if not is_address(value) or ("." not in value and value.count(":") < 2):
        return False
    parsed.client = parsed.client or client(value)
    return True


def _request_id(parsed: Parsed, value: str, _: int) -> bool:
    if len(value) != _UUID_CHARS or value.count("-") != 4:
        return False
    parsed.request_id = parsed.request_id or value
    return True


_READERS: Final[tuple[_Reader, ...]] = (_time, _method, _url, _header, _request_id, _client)


def _status(value: str) -> int:
    status = http_status(value)
    return status if status < 600 else 0


def _after_first_status(values: list[str]) -> int:
    """`$status $proxy_status`, as they stand side by side; `-` is a request that was not sent on."""
    first = next(at for at, value in enumerate(values) if _status(value))
    return _status(values[first + 1]) if first + 1 < len(values) else 0


def _body(values: list[str]) -> str:
    """The response's body: the last value in base64 that is text, or one that is a refusal of Apinto's."""
    texts = [text for value in values if (text := _text(value))]
    return next((text for text in texts if refuses(text) or is_broken(text)), texts[-1] if texts else "")


def _text(value: str) -> str:
    if not 8 <= len(value) <= _MAX_BODY or len(value) % 4 or not _BASE64.issuperset(value):
        return ""
    try:
        text = binascii.a2b_base64(value).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if text.isprintable() else ""
