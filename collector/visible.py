"""Text of outsiders made safe to look at: nothing moves the cursor, nothing hides, nothing poses as another letter."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any, Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: Any, limit: int = 2_000) -> str:
    r"""Text of at most `limit` characters in which what hides, steers or poses as another letter is written as its code.

    That is every control, bidirectional and zero-width character, every letter of another script among Latin ones,
    and everything beyond ASCII in a URL.

    >>> print(visible("https://id.ex\u0430mple.com"))
    https://id.ex\u0430mple.com
    """
    plain = "" if text is None else str(text)
    cut = plain if len(plain) <= limit else plain[: limit - 1] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    shown = "".join(_code(char) if unicodedata.category(char) in _HIDDEN else char for char in cut)
    return " ".join(word if word.isascii() else _honest(word) for word in shown.split(" "))


def visible_json(line: bytes) -> bytes:
    """JSON with the same characters escaped as JSON escapes them, so that it means what it meant."""
    if line.isascii() and b"\x7f" not in line:
        return line
    return "".join(map(_escaped, line.decode())).encode()


def _honest(word: str) -> str:
    if "://" in word:
        return "".join(char if char.isascii() or char == "…" else _code(char) for char in word)
    latin = any(_is_latin(char) for char in word)
    return "".join(_code(char) if latin and char.isalpha() and not _is_latin(char) else char for char in word)


@lru_cache(maxsize=4_096)
def _is_latin(char: str) -> bool:
    return char == "µ" or unicodedata.name(char, "").startswith("LATIN ")


def _code(char: str) -> str:
    number = ord(char)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _escaped(char: str) -> str:
    # JSON text holds line breaks and tabs only as escapes; a raw one separates objects.
    if char == "\n" or (char.isascii() and char.isprintable()) or unicodedata.category(char) not in _HIDDEN:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2))
