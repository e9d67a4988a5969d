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
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from collector.redaction.field_names import TRANSLATED
from collector.redaction.meter import spend
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

_HEX_PAIR: Final = rb"[0-9A-Fa-f]{2}"
_WIDE_SPACES: Final = rb"%(?i:E2%80%8[B-F]|EF%BB%BF|C2%A0)"
_FOLDED: Final = rb"[A-Za-z0-9_+/=-]{40}\r?\n[ \t]{0,8}[A-Za-z0-9_+/=-]{20}"
# Escapes of one form and length are undone as one run: a token in percent is one match, not a thousand.
_ESCAPES: Final = (
    rb"(?:\\u[0-9A-Fa-f]{4})+|(?:\\x" + _HEX_PAIR + rb")+|(?:\\[\"'\\/bfnrt])+"
    rb"|" + _WIDE_SPACES + rb"|(?:%" + _HEX_PAIR + rb")+"
    rb"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos|nbsp|equals|colon|period|lowbar|plus|commat|sol);"
    rb"|\x1b\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)"
    rb"|[\x00\xad]+|\x1b"
    # A line folded inside a token: the break touches a dot, or is between two long runs.
    rb"|\.\r?\n[ \t]{0,8}|\r?\n[ \t]{1,8}\.|" + _FOLDED
)
_ESCAPE: Final = compiled(_ESCAPES)
_ONE_PERCENT: Final = compiled(_WIDE_SPACES + rb"|%" + _HEX_PAIR)
_WIDE_SPACE: Final = compiled(_WIDE_SPACES)
# What all of them have: for the engine's automaton, which a count would multiply.
TRIGGER: Final = rb"\\[ux\"'\\/bfnrt]|%[0-9A-Fa-f][0-9A-Fa-f]|&[#a-z]|[\x00\x1b\xad]|\.\r?\n|\r?\n[ \t]{1,8}\.|[A-Za-z0-9_+/=-]\r?\n[ \t]{0,8}[A-Za-z0-9_+/=-]"
_CONTROLS: Final = bytes.maketrans(b"bfnrt", b"\b\f\n\r\t")
_SIMPLE: Final = {
    b"\\" + kind: kind.translate(_CONTROLS) for kind in (b'"', b"'", b"/", b"\\", b"n", b"r", b"t", b"b", b"f")
}
ESCAPE_STEPS: Final = 2
_UNICODE: Final = 6  # characters of `\u0041`
_BYTE: Final = 4  # of `\x41`
_PERCENT: Final = 3  # of `%41`
_CHARACTER: Final = 2  # of `\n`
_RUN_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/=."


class View:
    """Bytes to search, and where each of them (and their end) is in the text.

    It is made of pieces: the first byte of a piece stands for what is at `place` in the view above, each further one for
    what is `stride` behind that.
    """

    __slots__ = ("_chunks", "_places", "_size", "_starts", "_strides", "above", "data")

    def __init__(self, data: bytes, above: View | None = None) -> None:
        self.data = data
        self.above = above
        self._chunks: list[bytes] = []
        self._size = 0
        self._starts: list[int] = []
        self._places: list[int] = []
        self._strides: list[int] = []

    def add(self, place: int, chunk: bytes, stride: int = 1) -> None:
        """Append a piece."""
        if chunk:
            self._chunks.append(chunk)
            self._starts.append(self._size)
            self._places.append(place)
            self._strides.append(stride)
            self._size += len(chunk)

    def finish(self, place: int, chunk: bytes) -> View:
        """Append the last piece, which says where the end is too; the view is complete."""
        self.add(place, chunk + b"\0")
        self.data = b"".join(self._chunks)[:-1]
        self._chunks.clear()
        return self

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A span of this view as a span of the text."""
        view: View | None = self
        while view is not None and view.above is not None:
            start, end, view = view.place(start), view.place(end), view.above
        return start, end

    def place(self, offset: int) -> int:
        """Where an offset of this view is in the view above."""
        index = bisect_right(self._starts, offset) - 1
        return self._places[index] + (offset - self._starts[index]) * self._strides[index]


def deeper(view: View) -> Iterator[View]:
    """The view with one more layer of escapes undone each time, until nothing changes."""
    for _ in range(MAX_LAYERS):
        plainer = _unescaped(view)
        if plainer is None:
            return
        view = plainer
        yield view


def fold(text: str) -> bytes:
    """One byte a character; keys in other scripts as an English one of their length."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return _translated(text).encode("latin-1", "why401.fold")


def _translated(text: str) -> str:
    """With an English key in the place of each that has letters outside of Latin-1; the longest first."""
    begun = {letter for letter in _FIRST_LETTERS if letter in text}
    for key, plain in _TRANSLATED.items():
        if key[0] in begun and key in text:
            text = text.replace(key, plain)
    return text


def _english(kind: str, size: int) -> str:
    """A key of that kind with so many letters: `__password`."""
    return next(word for word in _ENGLISH[kind] if len(word) <= size).rjust(size, "_")


# The longest that fits stands for a key, so that every character stays where it is.
_ENGLISH: Final = {"secret": ("password", "passwd", "pwd", "pw"), "user": ("user", "usr", "uñ"), "code": ("otp",)}
_TRANSLATED: Final = {
    spelt: _english(kind, len(key))
    for key, kind in sorted(
        ((key, kind) for kind, keys in TRANSLATED.items() for key in keys), key=lambda pair: -len(pair[0])
    )
    for spelt in {key, key.capitalize(), key.upper(), key.replace(" ", "_")}
    if len(spelt) == len(key)
}


_FIRST_LETTERS: Final = frozenset(key[0] for key in _TRANSLATED)


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
    if _ESCAPE.find(data)[0] < 0:
        return None
    plainer = View(b"", view)
    position = 0
    for start, end in _ESCAPE.spans(data):
        plainer.add(position, data[position:start])
        escapes = data[start:end]
        if escapes in _SIMPLE:
            plainer.add(start, _SIMPLE[escapes])
        else:
            _undo(plainer, start, escapes)
        position = end
    return plainer.finish(position, data[position:])


def _undo(view: View, start: int, escapes: bytes) -> None:
    """Append what a run of escapes stands for."""
    spend(ESCAPE_STEPS)
    lead = escapes[:1]
    if lead == b"\\":
        view.add(start, *_from_backslash(escapes))
    elif lead == b"%":
        _undo_percent(view, start, escapes)
    elif lead == b"&":
        view.add(start, fold(html.unescape(escapes.decode("ascii")))[:1])
    elif lead not in b"\x1b\x00\xad":
        _unfold(view, start, escapes)


def _from_backslash(escapes: bytes) -> tuple[bytes, int]:
    kind = escapes[1:2]
    if kind == b"x":
        return bytes.fromhex(escapes.replace(b"\\x", b"").decode("ascii")), _BYTE
    if kind != b"u":
        return escapes[1::2].translate(_CONTROLS), _CHARACTER
    hexes = escapes.decode("ascii")
    codes = (int(hexes[at : at + 4], 16) for at in range(2, len(hexes), _UNICODE))
    return fold("".join(map(chr, codes))), _UNICODE


def _undo_percent(view: View, start: int, escapes: bytes) -> None:
    """Bytes; no-break and zero-width spaces in UTF-8 are a space and nothing."""
    if _WIDE_SPACE.find(escapes)[0] < 0:
        view.add(start, bytes.fromhex(escapes.replace(b"%", b"").decode("ascii")), _PERCENT)
        return
    for first, end in _ONE_PERCENT.spans(escapes):
        one = escapes[first:end]
        byte = bytes.fromhex(one[1:].decode("ascii")) if len(one) == _PERCENT else b" " * (one.upper() == b"%C2%A0")
        view.add(start + first, byte)


def _unfold(view: View, start: int, escapes: bytes) -> None:
    """Append the characters on both sides of a break."""
    before = len(escapes) - len(escapes.lstrip(_RUN_BYTES))
    after = len(escapes.rstrip(_RUN_BYTES))
    view.add(start, escapes[:before])
    view.add(start + after, escapes[after:])
