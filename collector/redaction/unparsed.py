"""Templates of records that no parser knew, and text that is safe to show in a terminal or a log line."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

import re2

MAX_TEMPLATE: Final = 300
MAX_READ: Final = 65_536  # characters of a text that a shown text may come from
MAX_TEMPLATE_READ: Final = 4_096  # and a template, which has 300
LEAST_READ: Final = 512
READ_A_CHARACTER: Final = 8  # tokens become words, so what is shown comes from more than is shown
_WORD: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+/~=%"
_ELLIPSIS: Final = "…"

_UUID: Final = re2.compile(r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b")
_QUOTED: Final = re2.compile(r"\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|`[^`\n]{1,200}`")
_HEX: Final = re2.compile(r"\b(?:0x[0-9A-Fa-f]{1,64}|[0-9a-f]{0,40}(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]{6,80})\b")
_IDENTIFIER: Final = re2.compile(r"\b[A-Za-z]*[0-9]+[A-Za-z]+[0-9]+[0-9A-Za-z]*\b|\b[A-Za-z]{2,}[-_][0-9]{3,}\b")
_NUMBER: Final = re2.compile(r"\b[0-9]+(?:[.,:][0-9]+)*\b")
# In order: each sees what the ones before it left.
_STEPS: Final = ((_UUID, "{id}"), (_QUOTED, "{q}"), (_HEX, "{hex}"), (_IDENTIFIER, "{id}"), (_NUMBER, "{n}"))

_ESCAPED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def generalised(text: str) -> str:
    """Redacted text with identifiers, quoted values, hex and numbers replaced; at most 300 characters."""
    text = text[:MAX_READ].encode("utf-8", "replace").decode()
    for pattern, name in _STEPS:
        text = pattern.sub(name, text)
    return shown(" ".join(text.split()), MAX_TEMPLATE)


def beginning(text: str, limit: int) -> str:
    """As much of a text as its first `limit` characters may come from once it is redacted.

    A word at the cut may be the beginning of a secret that its rest would have given away, and goes.
    """
    size = min(MAX_READ, LEAST_READ + READ_A_CHARACTER * limit)
    if len(text) <= size:
        return text
    cut = text[:size]
    return cut.rstrip(_WORD) or cut


def shown(text: str, limit: int) -> str:
    """Text without control, bidirectional and invisible characters, at most `limit` characters."""
    if not text.isascii() or not text.isprintable():
        text = "".join(map(_escape, text[: limit + 1]))
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + _ELLIPSIS[:limit]


@lru_cache(maxsize=4096)
def _escape(character: str) -> str:
    if unicodedata.category(character) not in _ESCAPED_CATEGORIES:
        return character
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
