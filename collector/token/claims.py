"""Claims in, their names, JSON types, times and the few values that are safe: iss, aud, client, scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from collector.redaction import fixed, safe_id, safe_name
from collector.redaction.constants import dotted, lower
from collector.safe import EMPTY, Safe
from collector.structs import Unshown

MAX_CLAIMS: Final = 64
MAX_AUDIENCES: Final = 10
MAX_SCOPES: Final = 50
_EXP: Final = fixed("exp")
_EMAIL: Final = fixed("email")
DATES: Final = (_EXP, fixed("nbf"), fixed("iat"), fixed("auth_time"))
# Claims whose value is a text that no verifier accepts empty.
TEXTS: Final = (
    fixed("iss"), fixed("sub"), fixed("jti"), _EMAIL, fixed("preferred_username"), fixed("upn"), fixed("azp"),
    fixed("client_id"),
)  # fmt: skip
CLIENT_CLAIMS: Final = ("azp", "client_id", "appid", "cid", "clientId")
# Where verifiers commonly read the user from, in the order in which they are tried when nothing is configured.
USER_CLAIMS: Final = ("sub", "preferred_username", "upn", "email", "user_id", "uid", "oid", "username", "unique_name")
FAULTS: Final = (
    "empty", "blank", "negative", "zero", "fractional", "milliseconds", "out_of_range", "mixed_array", "empty_array",
    "null", "malformed_email", "reversed",
)  # fmt: skip
_LATEST: Final = 253_402_300_799  # 9999-12-31: beyond it, dates are in another unit or nonsense
_MILLISECONDS: Final = 100_000_000_000  # 5138 as seconds, 1973 as milliseconds
_EMPTY: Final = fixed("empty")
_BLANK: Final = fixed("blank")
_NEGATIVE: Final = fixed("negative")
_ZERO: Final = fixed("zero")
_FRACTIONAL: Final = fixed("fractional")
_IN_MILLISECONDS: Final = fixed("milliseconds")
_OUT_OF_RANGE: Final = fixed("out_of_range")
_MIXED_ARRAY: Final = fixed("mixed_array")
_EMPTY_ARRAY: Final = fixed("empty_array")
_NULL: Final = fixed("null")
_MALFORMED_EMAIL: Final = fixed("malformed_email")
_REVERSED: Final = fixed("reversed")
_AUD: Final = fixed("aud")
_ID_TOKEN: Final = fixed("id")
_BOOLEAN: Final = fixed("boolean")
_JSON_TYPES: Final[dict[type, Safe]] = {
    str: fixed("string"), int: fixed("integer"), float: fixed("number"), list: fixed("array"), dict: fixed("object"),
    type(None): _NULL,
}  # fmt: skip
Fault = tuple[Safe, Safe]
"""A claim and what is wrong with its value, a word of FAULTS."""


class Claims(Unshown, Struct, frozen=True, gc=False):
    """What is kept of a payload. `user_value` is personal and becomes a pseudonym before anything leaves."""

    types: tuple[tuple[Safe, Safe], ...] = ()
    faults: tuple[Fault, ...] = ()
    iss: Safe = EMPTY
    aud: tuple[Safe, ...] = ()
    client: Safe = EMPTY
    scopes: tuple[Safe, ...] = ()
    token_use: Safe = EMPTY
    cnf: Safe = EMPTY
    user_value: str = ""
    exp: float | None = None
    nbf: float | None = None
    iat: float | None = None
    auth_time: float | None = None


def read_claims(payload: Mapping[str, Any], user_claim: str = "") -> Claims:
    """Read a payload; never raises, whatever the types are."""
    return Claims(
        types=tuple(_types(payload)),
        faults=tuple(_faults(payload)),
        iss=_text(payload.get("iss")),
        aud=_audiences(payload.get("aud")),
        client=next((_text(payload[name], 128) for name in CLIENT_CLAIMS if _is_word(payload.get(name))), EMPTY),
        scopes=_scopes(payload),
        token_use=_token_use(payload),
        cnf=_cnf(payload.get("cnf")),
        user_value=_user(payload, user_claim),
        exp=_date(payload.get("exp")),
        nbf=_date(payload.get("nbf")),
        iat=_date(payload.get("iat")),
        auth_time=_date(payload.get("auth_time")),
    )


def json_type(value: object) -> Safe:
    """JSON's name of a decoded value's type; whole and fractional numbers differ."""
    if isinstance(value, bool):
        return _BOOLEAN
    return _JSON_TYPES.get(type(value), _NULL)


def _types(payload: Mapping[str, Any]) -> Iterator[tuple[Safe, Safe]]:
    """Names and types, with one level below objects ("realm_access.roles"): verifiers are configured with such paths."""
    for count, (name, value) in enumerate(payload.items()):
        if count >= MAX_CLAIMS:
            return
        safe = _name(name[:200])
        yield safe, json_type(value)
        if isinstance(value, dict):
            yield from ((dotted(safe, _name(k[:200])), json_type(v)) for k, v in list(value.items())[:8])


@lru_cache(maxsize=4096)
def _name(name: str) -> Safe:
    """A claim's name as it may be shown; there are few, and every token has a dozen."""
    return safe_name(name, 80)


def _faults(payload: Mapping[str, Any]) -> Iterator[Fault]:
    for name in DATES:
        if name in payload:
            yield from ((name, fault) for fault in _date_faults(payload[name]))
    for name in TEXTS:
        if fault := _text_fault(payload.get(name, "-")):
            yield name, fault
    yield from ((_AUD, fault) for fault in _audience_faults(payload.get("aud", "-")))
    if _is_malformed_email(payload.get("email")):
        yield _EMAIL, _MALFORMED_EMAIL
    if _is_reversed(payload):
        yield _EXP, _REVERSED


def _text_fault(value: object) -> Safe | None:
    if value is None:
        return _NULL
    if not isinstance(value, str) or value.strip():
        return None
    return _BLANK if value else _EMPTY


def _is_malformed_email(value: object) -> bool:
    return isinstance(value, str) and value != "" and ("@" not in value[1:-1] or " " in value)


def _is_reversed(payload: Mapping[str, Any]) -> bool:
    """The token expires before it becomes valid."""
    exp, nbf = _date(payload.get("exp")), _date(payload.get("nbf"))
    return exp is not None and nbf is not None and exp < nbf


def _date_faults(value: object) -> Iterator[Safe]:
    number = _number(value)
    if number is None:
        return
    if number < 0:
        yield _NEGATIVE
    elif number == 0:
        yield _ZERO
    elif number > _LATEST or number != number:  # noqa: PLR0124  # NaN
        yield _IN_MILLISECONDS if number < _LATEST * 1000 else _OUT_OF_RANGE
    elif number > _MILLISECONDS:
        yield _IN_MILLISECONDS
    if isinstance(value, float) and value != int(value):
        yield _FRACTIONAL


def _audience_faults(value: object) -> Iterator[Safe]:
    if value is None:
        yield _NULL
    elif value == "":
        yield _EMPTY
    elif value == []:
        yield _EMPTY_ARRAY
    elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
        yield _MIXED_ARRAY


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def _date(value: object) -> float | None:
    """Unix seconds. Text that holds a number counts: its wrong type is a fault of its own."""
    if isinstance(value, str):
        try:
            value = float(value) if len(value) < 24 else None
        except ValueError:
            return None
    number = _number(value)
    if number is None or number != number or abs(number) > _LATEST * 1000:  # noqa: PLR0124  # NaN
        return None
    return number / 1000 if number > _MILLISECONDS else number


def _text(value: object, limit: int = 256) -> Safe:
    return safe_id(value, limit) if isinstance(value, str) else EMPTY


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _audiences(value: object) -> tuple[Safe, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(safe_id(item, 256) for item in items[:MAX_AUDIENCES] if isinstance(item, str))


def _scopes(payload: Mapping[str, Any]) -> tuple[Safe, ...]:
    for name in ("scope", "scp", "scopes"):
        value = payload.get(name)
        words = value.split(" ", MAX_SCOPES) if isinstance(value, str) else value
        if isinstance(words, list) and words:
            return tuple(safe_name(word, 100) for word in words[:MAX_SCOPES] if isinstance(word, str) and word)
    return ()


def _token_use(payload: Mapping[str, Any]) -> Safe:
    """What the payload says it is for; OpenID Connect Core names nonce and at_hash for ID tokens only."""
    for name in ("token_use", "tokenUse", "token_type", "typ", "use"):
        value = payload.get(name)
        if isinstance(value, str) and value:
            return lower(safe_name(value, 40))
    return _ID_TOKEN if "at_hash" in payload or "c_hash" in payload else EMPTY


def _cnf(value: object) -> Safe:
    names = [str(name) for name in value] if isinstance(value, dict) else []
    return safe_name(",".join(names[:3]), 60)


def _user(payload: Mapping[str, Any], user_claim: str) -> str:
    for name in (user_claim, *USER_CLAIMS) if user_claim else USER_CLAIMS:
        value = at_path(payload, name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def at_path(payload: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, or the one that dots lead to ("realm_access.roles"); a name with dots wins."""
    if path in payload or "." not in path:
        return payload.get(path)
    value: Any = payload
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
