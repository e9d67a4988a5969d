"""Claims in, their names, JSON types, times and the few values that are safe: iss, aud, client, scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from msgspec import Struct

from collector.redaction import fixed, safe_id, safe_name
from collector.redaction.constants import dotted, lower
from collector.safe import EMPTY, Safe
from collector.structs import Unshown

MAX_CLAIMS: Final = 64
MAX_KEPT: Final = 256  # characters of an identifier whose safe form is remembered
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
_JSON_TYPES: Final[dict[type, Safe]] = {
    str: fixed("string"), bool: fixed("boolean"), int: fixed("integer"), float: fixed("number"), list: fixed("array"), dict: fixed("object"),
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
    get = payload.get
    return Claims(
        types=tuple(_types(payload)),
        faults=_faults(payload),
        iss=_text(get("iss")),
        aud=_audiences(get("aud")),
        client=_client(payload),
        scopes=_scopes(payload),
        token_use=_token_use(payload),
        cnf=_cnf(get("cnf")),
        user_value=_user(payload, user_claim),
        exp=_date(get("exp")),
        nbf=_date(get("nbf")),
        iat=_date(get("iat")),
        auth_time=_date(get("auth_time")),
    )


def json_type(value: object) -> Safe:
    """JSON's name of a decoded value's type; whole and fractional numbers differ."""
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


def _faults(payload: Mapping[str, Any]) -> tuple[Fault, ...]:
    """What is wrong with values, in the order of `_CHECKS`; of most tokens nothing."""
    found = [
        (rank, (claim, fault))
        for name, value in payload.items()
        for rank, claim, check in _CHECKS.get(name, ())
        for fault in check(value)
    ]
    if len(found) > 1:
        found.sort(key=itemgetter(0))
    faults = tuple([fault for _, fault in found])
    return (*faults, (_EXP, _REVERSED)) if "nbf" in payload and _is_reversed(payload) else faults


def _text_faults(value: object) -> tuple[Safe, ...]:
    if value is None:
        return (_NULL,)
    if not isinstance(value, str) or value.strip():
        return ()
    return (_BLANK,) if value else (_EMPTY,)


def _email_faults(value: object) -> tuple[Safe, ...]:
    is_malformed = isinstance(value, str) and value != "" and ("@" not in value[1:-1] or " " in value)
    return (_MALFORMED_EMAIL,) if is_malformed else ()


def _is_reversed(payload: Mapping[str, Any]) -> bool:
    """The token expires before it becomes valid."""
    exp, nbf = _date(payload.get("exp")), _date(payload.get("nbf"))
    return exp is not None and nbf is not None and exp < nbf


def _date_faults(value: object) -> Iterable[Safe]:
    return () if type(value) is int and 0 < value <= _MILLISECONDS else _odd_date_faults(value)


def _odd_date_faults(value: object) -> Iterator[Safe]:
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


def _audience_faults(value: object) -> tuple[Safe, ...]:
    if value is None:
        return (_NULL,)
    if value == "":
        return (_EMPTY,)
    if value == []:
        return (_EMPTY_ARRAY,)
    is_mixed = isinstance(value, list) and not all(isinstance(item, str) for item in value)
    return (_MIXED_ARRAY,) if is_mixed else ()


Check = Callable[[object], Iterable[Safe]]
_IN_ORDER: Final[tuple[tuple[Safe, Check], ...]] = (
    *((name, _date_faults) for name in DATES),
    *((name, _text_faults) for name in TEXTS),
    (_AUD, _audience_faults),
    (_EMAIL, _email_faults),
)
# Claim -> its checks with their places in the order of faults.
_CHECKS: Final[dict[str, tuple[tuple[int, Safe, Check], ...]]] = {
    name: tuple((rank, claim, check) for rank, (claim, check) in enumerate(_IN_ORDER) if claim == name)
    for name, _ in _IN_ORDER
}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def _date(value: object) -> float | None:
    """Unix seconds. Text that holds a number counts: its wrong type is a fault of its own."""
    if value is None:
        return None
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
    if not isinstance(value, str):
        return EMPTY
    return _identifier(value, limit) if len(value) <= MAX_KEPT else safe_id(value, limit)


@lru_cache(maxsize=4096)
def _identifier(value: str, limit: int) -> Safe:
    """An issuer, an audience, a client as it may be shown; there are few."""
    return safe_id(value, limit)


def _client(payload: Mapping[str, Any]) -> Safe:
    for name in CLIENT_CLAIMS:
        value = payload.get(name)
        if isinstance(value, str) and value:
            return _text(value, 128)
    return EMPTY


def _audiences(value: object) -> tuple[Safe, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple([_text(item) for item in items[:MAX_AUDIENCES] if isinstance(item, str)])


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
