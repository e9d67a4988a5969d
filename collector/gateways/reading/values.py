"""Single values of a JSON or OTLP record as text, status, count, address, headers or claims; nothing raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from collector.gateways.reading.scan import without_port

MAX_KEYS: Final = 256  # log formats have dozens; more is data, not a log record
MAX_DEPTH: Final = 4  # {"http": {"request": {"headers": {"authorization": …}}}}
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_NO_ROUTES: Final = frozenset(("default", "allow_any", "block_all"))


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value is an object. Asking for a Mapping costs ten times as much, and a record has a dozen values to ask of."""
    return type(value) is dict or (type(value) not in _PLAIN and isinstance(value, Mapping))


_PLAIN: Final = frozenset((str, int, float, bool, type(None), list))


def as_text(value: Any) -> str:
    """A scalar's text; "" for null, the loggers' "-", and what is not a scalar. Lists of scalars are joined by ", "."""
    if type(value) is str:
        return "" if value == "-" else value
    if value is None:
        return ""
    if type(value) is list:
        return ", ".join(filter(None, map(_scalar, value[:32])))
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or (isinstance(value, int) and value.bit_length() > 64):  # str() of a huge one raises
        return ""
    return str(value) if isinstance(value, int | float) else ""


def first_of(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first value that is not empty, else the last name's."""
    return next((value for name in names if (value := fields.get(name))), fields.get(names[-1]))


def http_status(value: Any) -> int:
    """An HTTP status as number or text, alone or with its phrase ("401 Unauthorized"); 0 when it is none. Non-standard ones (nginx's 499) count."""
    if type(value) is str:
        value = _digits(value)
    elif type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 100 <= value <= 999 else 0


def _digits(text: str) -> int:
    number, _, phrase = text.partition(" ")
    is_status = len(number) == 3 and number.isascii() and number.isdigit() and (not phrase or phrase[0].isalpha())
    return int(number) if is_status else 0


def last_status(value: Any) -> int:
    """The last of the statuses that nginx lists when it tried several upstreams: `502, 401` or `502 : 401`."""
    return http_status(value.rpartition(" ")[2] if type(value) is str else value)


def count(value: Any) -> int:
    """A number of bytes; -1 when it is none."""
    if type(value) is int and 0 <= value < 1 << 62:
        return value
    if type(value) is str and len(value) <= 18 and value.isascii() and value.isdigit():
        return int(value)
    return -1


def route(name: str) -> str:
    """A matched route's name, unless it is one of Istio's that name no route."""
    return "" if name in _NO_ROUTES else name


def client(text: str) -> str:
    """The first address of X-Forwarded-For, or the one address, without a port."""
    return without_port(text.partition(",")[0].strip())


def trace_id(text: str) -> str:
    """A trace id, also out of a traceparent (W3C Trace Context 3.2.2); nothing is cut out of any other text."""
    if len(text) >= 55 and text[2] == text[35] == text[52] == "-" and _HEX.issuperset(text[3:35]):
        return text[3:35]
    return text


def header_map(value: Any) -> dict[str, str]:
    """A logged header object with names in lower case; repeated values joined as RFC 9110 does."""
    if not is_object(value) or len(value) > MAX_KEYS:
        return {}
    return {str(name).lower(): as_text(item) for name, item in value.items()}


def claims_in(value: Any, depth: int = MAX_DEPTH) -> Mapping[str, Any] | None:
    """The JWT payload in an object: itself, or what `jwt_payload` or a filter's name wraps."""
    if not is_object(value) or len(value) > MAX_KEYS or depth == 0:
        return None
    if not value.keys().isdisjoint(("iss", "sub", "exp", "aud", "iat", "azp", "client_id")):
        return value
    return next((found for inner in value.values() if (found := claims_in(inner, depth - 1))), None)


def failed_status(value: Any, depth: int = MAX_DEPTH) -> str:
    """Envoy's failed_status_in_metadata: {"code": "3", "message": "Jwt is expired"}."""
    if not is_object(value) or len(value) > MAX_KEYS or depth == 0:
        return ""
    if "code" in value and isinstance(value.get("message"), str):
        return str(value["message"])
    return next((found for inner in value.values() if (found := failed_status(inner, depth - 1))), "")
