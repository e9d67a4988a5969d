"""Views: the copies of a text that rules read, one byte a character, escapes undone layer by layer, spans mapped back.

The first view is the text itself in Latin-1: full-width and confusable letters become the ASCII letter they look
like, invisible characters become NUL, everything else outside Latin-1 becomes 0x80. Each further view undoes one
layer of JSON, percent, HTML, ANSI and line-folding escapes of the view before it. Rules run on every view, because
an escaped quote ends a value in one and not in the other.
"""

from __future__ import annotations

import codecs
import html
import unicodedata
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from collector.redaction.patterns import compiled

MAX_LAYERS: Final = 5  # JSON in JSON in JSON in a log driver's JSON, percent three times: none seen went deeper
_OTHER: Final = 0x80
_GONE: Final = 0x00
_SPACE: Final = 0x20
_INVISIBLE: Final = frozenset({"Cf", "Mn", "Me"})

# Letters that pass for ASCII ones and that NFKC leaves alone (Unicode confusables, Cyrillic and Greek).
_CONFUSABLE: Final = dict(
    zip(
        "аеорсухіјѕһԁԛԝкАВЕКМНОРСТХЅІЈαοτνικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxijshdqwkABEKMHOPCTXSIJaotvikABEZHIKMNOPTYX",
        strict=True,
    )
)

_ESCAPES: Final = (
    rb"\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[\"'\\/bfnrt]"
    rb"|%(?i:E2%80%8[B-F]|EF%BB%BF|C2%A0)|%[0-9A-Fa-f]{2}"
    rb"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos|nbsp|equals|colon|period|lowbar|plus|commat|sol);"
    rb"|\x1b\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)"
    rb"|\x00|\xad|\x1b"
    # A line folded inside a token: the break touches a dot, or is between two long runs.
    rb"|\.\r?\n[ \t]{0,8}|\r?\n[ \t]{1,8}\.|[A-Za-z0-9_+/=-]{40}\r?\n[ \t]{0,8}[A-Za-z0-9_+/=-]{20}"
)
_ESCAPE: Final = compiled(_ESCAPES)
# What all of them have: for the engine's automaton, which a count would multiply.
TRIGGER: Final = rb"\\[ux\"'\\/bfnrt]|%[0-9A-Fa-f][0-9A-Fa-f]|&[#a-z]|[\x00\x1b\xad]|\.\r?\n|\r?\n[ \t]{1,8}\.|[A-Za-z0-9_+/=-]\r?\n[ \t]{0,8}[A-Za-z0-9_+/=-]"
_CONTROL: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


@dataclass(frozen=True, slots=True)
class View:
    """Bytes to search, and for each byte (and the end) its place in the text; None: the places are the same."""

    data: bytes
    places: Any = None  # array[int], one longer than data

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A span of this view as a span of the text."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end]


def deeper(view: View) -> Iterator[View]:
    """The view with one more layer of escapes undone each time, until nothing changes."""
    for _ in range(MAX_LAYERS):
        plainer = _unescaped(view)
        if plainer is None:
            return
        view = plainer
        yield view


def fold(text: str) -> bytes:
    """One byte a character."""
    return text.encode("latin-1", "why401.fold")


def _fold_error(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return bytes(map(_byte, error.object[error.start : error.end])), error.end


@lru_cache(maxsize=8192)
def _byte(character: str) -> int:
    if character in _CONFUSABLE:
        return ord(_CONFUSABLE[character])
    if character.isspace():
        return _SPACE
    if unicodedata.category(character) in _INVISIBLE:
        return _GONE
    plain = unicodedata.normalize("NFKC", character)
    return ord(plain) if len(plain) == 1 and plain.isascii() else _OTHER


codecs.register_error("why401.fold", _fold_error)


def _unescaped(view: View) -> View | None:
    """The view with one layer of escapes undone; None when there is none."""
    data = view.data
    first = _ESCAPE.find(data)[0]
    if first < 0:
        return None
    old = array("L", range(len(data) + 1)) if view.places is None else view.places
    pieces: list[bytes] = []
    places: array[int] = array("L")
    position = 0
    for match in _ESCAPE.finditer(data, first):
        start, end = match.span()
        pieces.append(data[position:start])
        places.extend(old[position:start])
        for offset, byte in _plain(match.group()):
            pieces.append(byte)
            places.append(old[start + offset])
        position = end
    pieces.append(data[position:])
    places.extend(old[position:])
    return View(b"".join(pieces), places)


def _plain(escape: bytes) -> list[tuple[int, bytes]]:
    """What an escape stands for: bytes, each with its offset in the escape."""
    lead = escape[:1]
    if lead == b"\\":
        return [(0, _from_backslash(escape))]
    if lead == b"%":
        return _from_percent(escape)
    if lead == b"&":
        return [(0, fold(html.unescape(escape.decode("ascii")))[:1])]
    if lead in b"\x1b\x00\xad":
        return []
    return [(offset, bytes((byte,))) for offset, byte in enumerate(escape) if byte not in b"\r\n \t"]


def _from_backslash(escape: bytes) -> bytes:
    kind = escape[1:2]
    if kind in b"ux":
        return fold(chr(int(escape[2:].decode("ascii"), 16)))
    return _CONTROL.get(kind, kind)


def _from_percent(escape: bytes) -> list[tuple[int, bytes]]:
    if len(escape) == 3:
        return [(0, bytes((int(escape[1:], 16),)))]
    return [(0, b" ")] if escape.upper() == b"%C2%A0" else []
