"""Rule `opaque`, of the profile `strict` alone: every word that no program or person would read goes, whatever it may be good for.

Request ids, key ids, pods and hashes go too. What stays: words, numbers of at most five digits, versions, times, hosts, paths of words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction import shapes
from collector.redaction.chosen import is_named, is_numbered_word
from collector.redaction.hits import SECRET, Hit, is_mask
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled
from collector.redaction.vocabulary import is_known

MIN_SIZE: Final = 6
MAX_READ: Final = 64
MAX_STATUS: Final = 5
_WORD: Final = compiled(rb"[A-Za-z0-9!#$%^*+~@_\-\x80-\xff]{6,}")
_DIGITS: Final = b"0123456789"
_DATE: Final = compiled(rb"(?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9](?:[T_\-].*)?")


def find(data: bytes) -> Iterator[Hit]:
    """Words with digits or signs in them, and letters in no order of words."""
    for start, end in _WORD.spans(data):
        spend(1)
        text = data[start:end].strip(b"-_!~*")
        if len(text) >= MIN_SIZE and not is_mask(text) and not _is_readable(text[:MAX_READ]):
            yield Hit(start, end, "entropy", SECRET)


def _is_readable(text: bytes) -> bool:
    """A word, joined words, a date, a short number, the name of an algorithm or an error.

    >>> [_is_readable(text) for text in (b"refresh_token", b"AADSTS50126", b"2026-01-31", b"7f9c2ba4", b"orders-x7Kq2")]
    [True, True, True, False, False]
    """
    if not text.translate(None, _DIGITS):
        return len(text) <= MAX_STATUS
    if _DATE.fits(text) or is_named(text):
        return True
    letters = text.translate(None, _DIGITS + b"_-")
    if letters.isalpha() and letters.isascii() and len(text) - len(letters) == 0:
        return is_known(text) or shapes.is_word(text)
    return shapes.is_word(text) and not is_numbered_word(text)
