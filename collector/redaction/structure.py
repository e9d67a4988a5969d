"""The structured walk: values of JSON-like objects redacted by their keys, everything else as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.redaction import engine, shapes
from collector.redaction.field_names import KEPT_COOKIES, is_statement, kind_of
from collector.redaction.hits import COOKIE, SECRET, TOKEN, USER, is_mask
from collector.redaction.views import fold

MAX_DEPTH: Final = 64
TOO_DEEP: Final = "[too deep]"
_NAMES: Final = ("name", "key", "Name", "Key")
_VALUES: Final = ("value", "values", "Value")
_SCHEMES: Final = frozenset(
    (
        "bearer",
        "basic",
        "dpop",
        "negotiate",
        "ntlm",
        "digest",
        "hawk",
        "token",
        "jwt",
        "oauth",
        "apikey",
        "mac",
        "aws4-hmac-sha256",
    )
)
_FLAGS: Final = frozenset(("httponly", "secure", "partitioned", ""))
MAX_KEPT: Final = 64  # characters of a theme or a locale
_PERSONAL: Final = frozenset({"sub", "email", "given_name", "family_name", "preferred_username", "upn"})
_AS: Final = {"likely": "weak", "code": "weak", "actor": ""}
_LABELS: Final = {"auth": TOKEN, "secret": SECRET, "weak": SECRET, "user": USER, "name": USER, "cookie": COOKIE}


def walk(value: Any, kind: str, text: engine.Redact, depth: int = 0) -> Any:
    """A redacted copy of what json.loads gives; `kind` is that of the key above."""
    if depth > MAX_DEPTH:
        return TOO_DEEP
    if isinstance(value, Mapping):
        return _object(value, kind, text, depth)
    if isinstance(value, (list, tuple)):
        return _list(value, kind, text, depth)
    return _leaf(value, kind, text)


def _object(value: Mapping[Any, Any], kind: str, text: engine.Redact, depth: int) -> dict[str, Any]:
    named = next((key_kind(value[name]) for name in _NAMES if isinstance(value.get(name), str)), "")
    return {
        text(str(key)): walk(item, _member_kind(str(key), value, kind, named), text, depth + 1)
        for key, item in value.items()
    }


def _member_kind(key: str, siblings: Mapping[Any, Any], above: str, named: str) -> str:
    if key in _VALUES and named:
        return named
    own = key_kind(key)
    if above == "cookie":
        return "" if key in _NAMES or key.lower().encode("ascii", "replace") in KEPT_COOKIES else "cookie"
    if own == "name":
        return "user" if _PERSONAL & siblings.keys() else ""
    return own or (above if above in ("auth", "secret") else "")


def _list(value: list[Any] | tuple[Any, ...], kind: str, text: engine.Redact, depth: int) -> list[Any]:
    if not kind and len(value) == 2 and isinstance(value[0], str):
        return [text(value[0]), walk(value[1], key_kind(value[0]), text, depth + 1)]
    return [walk(item, kind, text, depth + 1) for item in value]


def _leaf(value: Any, kind: str, text: engine.Redact) -> Any:
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("utf-8", "replace")
    if isinstance(value, str):
        return _string(value, kind, text)
    if value is None or isinstance(value, bool) or kind not in ("secret", "user"):
        return value
    return _LABELS[kind]


def _string(value: str, kind: str, text: engine.Redact) -> str:
    if kind in ("", "safe", "name"):
        return text(value)
    plain = fold(value)
    if not value or is_mask(plain) or is_statement(plain) or (kind == "weak" and not shapes.is_credential(plain)):
        return text(value)
    if kind == "auth":
        return _authorization(value)
    # As text again: a value without a name may look like a name, `QWxhZGRpbg==`.
    return text("; ".join(map(_cookie, value.split(";")))) if kind == "cookie" else _LABELS[kind]


def _authorization(value: str) -> str:
    """The scheme stays when it is a known one; nothing behind it does."""
    scheme, _, credential = value.strip().partition(" ")
    return f"{scheme} {TOKEN}" if credential and scheme.lower() in _SCHEMES else TOKEN


def _cookie(pair: str) -> str:
    name, equals, value = pair.strip().partition("=")
    if not equals:
        return COOKIE if name.lower() not in _FLAGS else name
    is_kept = fold(name.lower()) in KEPT_COOKIES
    return pair.strip() if is_kept and len(value) <= MAX_KEPT else f"{name}={COOKIE}"


def key_kind(key: str) -> str:
    """The kind of a key, or "" when it is too long to be one."""
    kind = kind_of(fold(key)) if len(key) <= 64 else ""
    return _AS.get(kind, kind)
