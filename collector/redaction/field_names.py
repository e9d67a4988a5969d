"""The words of rules/keys.toml: what kind of value follows a key."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from collector.redaction.patterns import compiled

RULES: Final = Path(__file__).parent / "rules"
KINDS: Final = ("auth", "cookie", "secret", "weak", "user", "name", "safe")  # the first that knows a key wins
SURE: Final = frozenset(KINDS) - {"safe"}  # the others depend on what the value looks like
_STRIP: Final = b"-_$#"
_BREAKS: Final = frozenset(b"_-.$:0123456789")
_SEPARATED: Final = rb"[_\-.$]*"


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((RULES / name).read_text(encoding="utf-8"))


_DATA: Final = _load("keys.toml")
_EXACT: Final = {word.encode("latin-1"): kind for kind in reversed(KINDS) for word in _DATA[kind]["exact"]}
_SUFFIX: Final = tuple(
    (tuple(word.encode("latin-1") for word in _DATA[kind].get("suffix", ())), kind) for kind in KINDS
)
QUALIFIERS: Final = _DATA["qualifiers"]["words"]
_QUALIFIED: Final = compiled(b"(?:" + b"|".join(word.encode() for word in QUALIFIERS) + rb"|v?[0-9]{1,2}){1,3}$")
TRANSLATED: Final[dict[str, list[str]]] = _DATA["translated"]
STOP: Final = frozenset(word.encode() for word in _DATA["words"]["stop"])
FAILURES: Final = frozenset(word.encode() for word in _DATA["words"]["failure"])
_NAME: Final = compiled(rb"[A-Za-z][a-z]*(?:[_.\-]?[A-Z]?[a-z]+|[_.\-]?[A-Z]+){1,11}")
_NAME_WORD: Final = compiled(rb"[A-Z]?[a-z]+|[A-Z]+")
_PARTS: Final = {
    kind: frozenset(word.encode("latin-1", "ignore") for word in words) for kind, words in _DATA["parts"].items()
}
KEPT_COOKIES: Final = frozenset(name.encode() for name in _DATA["cookies"]["keep"])


@lru_cache(maxsize=4096)
def kind_of(key: bytes) -> str:
    """`auth`, `cookie`, `secret`, `weak`, `user`, `name`, `safe`, `likely`, `code`, `actor`, or "" for a key that says nothing."""
    plain = key.lower().translate(None, _STRIP).strip(b".")
    whole = plain.replace(b".", b"")
    last = plain.rpartition(b".")[2]
    exact = _EXACT.get(whole) or _EXACT.get(last)
    joined = _suffix_kind(whole) if exact == "weak" and whole != last else ""  # `signing.key`
    return joined if joined in ("auth", "secret") else exact or _by_suffix(whole) or _by_parts(key)


def _by_suffix(key: bytes) -> str:
    kind = _suffix_kind(key)
    if kind:
        return kind
    plain = key[: _qualifiers_start(key)]
    kind = _suffix_kind(plain) if plain != key else ""
    return kind if kind in ("auth", "secret") else ""


def _suffix_kind(key: bytes) -> str:
    return next((kind for words, kind in _SUFFIX if key.endswith(words)), "")


def _qualifiers_start(key: bytes) -> int:
    start, end = _QUALIFIED.find(key)
    return start if end == len(key) else len(key)


def _by_parts(key: bytes) -> str:
    """By the words of the key, wherever they are in it: `password_file_content`."""
    if b"[" in key:  # our own word for what was there
        return ""
    parts = _split(key)
    if parts and parts[-1] in _PARTS["user"]:
        return "actor"
    if not parts or not _PARTS["about"].isdisjoint(parts):
        return ""
    if not _PARTS["code"].isdisjoint(parts):
        return "code"
    return "" if _PARTS["secret"].isdisjoint(parts) else "likely"


def _split(key: bytes) -> list[bytes]:
    """The words of a key in lower case: `keyTabPass`, `SOURCE_USER`, `otp-attempt`."""
    spaced = bytearray()
    for index, byte in enumerate(key):
        is_hump = 0x41 <= byte <= 0x5A and index > 0 and not 0x41 <= key[index - 1] <= 0x5A
        spaced += (b" " if is_hump else b"") + (b" " if byte in _BREAKS else bytes((byte,)))
    return bytes(spaced).lower().split()


def key_pattern() -> bytes:
    """RE2 for the end of every key that `kind_of` knows, other than safe ones: as precise as an automaton can be."""
    kinds = [kind for kind in KINDS if kind != "safe"]
    exact = _any_word({word for kind in kinds for word in _DATA[kind]["exact"]})
    suffix = _any_word({word for kind in kinds for word in _DATA[kind].get("suffix", ())})
    words = _any_word(set(QUALIFIERS))
    inside = _any_word({_inner(word) for kind in ("secret", "code") for word in _DATA["parts"][kind]} - {""})
    actors = _any_word(set(_DATA["parts"]["user"]) - {"by"})
    parts = inside + rb"[A-Za-z0-9_\-.]*|" + actors + rb"|_by|By"
    return (
        rb"(?:"
        + parts
        + rb"|\b_*"
        + exact
        + rb"|"
        + suffix
        + rb"(?:[_\-.$]*(?:"
        + words
        + rb"|[vV]?[0-9][0-9]?)){0,3})[_\-]*"
    )


def _inner(word: str) -> str:
    return word if word.isascii() or word.encode("latin-1", "ignore").decode("latin-1") == word else ""


def _any_word(words: Collection[str]) -> bytes:
    """The words as one tree, in any case, with separators between their letters."""
    heads: dict[str, set[str]] = {}
    for word in words:
        heads.setdefault(word[0], set()).add(word[1:])
    branches = (f"[{head}{head.upper()}]".encode("latin-1") + _rest(heads[head]) for head in sorted(heads))
    return b"(?:" + b"|".join(branches) + b")"


def _rest(rests: set[str]) -> bytes:
    longer = rests - {""}
    if not longer:
        return b""
    return b"(?:" + _SEPARATED + _any_word(longer) + b")" + b"?" * (longer != rests)


def is_statement(value: bytes) -> bool:
    """The value is a word about the credential instead of one."""
    return value.strip(b" .:;,!").lower() in STOP


def is_error_name(value: bytes) -> bool:
    """The name of an error, in any case: `access_token_expired`, `TokenNotYetValid`, `INVALID_API_KEY`."""
    if len(value) > 64 or not _NAME.fits(value):
        return False
    words = [value[start:end].lower() for start, end in _NAME_WORD.spans(value)]
    return len(words) > 1 and any(word in FAILURES for word in words) and any(word in STOP for word in words)
