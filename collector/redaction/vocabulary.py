"""Whether a word is one that programs write, or a name that people have: three Bloom filters (rules/learned.bin).

`python -m benchmarks.redaction.vocabulary` makes the file: words from the texts of installed packages and from
their translations, names from Faker's lists.
A filter never forgets a member and takes one stranger in about 200 for one, the same on every machine.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from pathlib import Path
from typing import Final

PATH: Final = Path(__file__).parent / "rules" / "learned.bin"
HASHES: Final = 6
_SIZE_BYTES: Final = 4
MAX_WORD: Final = 24
MIN_NAME: Final = 3


def bits(word: bytes, size: int) -> list[int]:
    """The bits of a word in a filter of so many.

    >>> len(bits(b"token", 1024))
    6
    """
    first, step = zlib.crc32(word), zlib.adler32(word) * 2 + 1
    return [(first + n * (step ^ (first >> 7))) % size for n in range(HASHES)]


def _read() -> tuple[bytes, ...]:
    data = zlib.decompress(PATH.read_bytes())
    filters = []
    while data:
        size = int.from_bytes(data[:_SIZE_BYTES], "big")
        filters.append(data[_SIZE_BYTES : _SIZE_BYTES + size])
        data = data[_SIZE_BYTES + size :]
    return tuple(filters)


_WORDS, _FIRST, _TRANSLATED = _read()


def _holds(members: bytes, word: bytes) -> bool:
    return all(members[bit >> 3] & (1 << (bit & 7)) for bit in bits(word, len(members) * 8))


@lru_cache(maxsize=8192)
def is_known(word: bytes) -> bool:
    """A word of programs and their messages, in any case.

    >>> is_known(b"Certificate"), is_known(b"zielinski")
    (True, False)
    """
    return len(word) <= MAX_WORD and _holds(_WORDS, word.lower())


@lru_cache(maxsize=8192)
def is_translated(word: bytes) -> bool:
    """A word of programs' messages in another language with Latin letters; in Latin-1.

    >>> is_translated("désactivé".encode("latin-1")), is_translated(b"zielinski")
    (True, False)
    """
    return len(word) <= MAX_WORD and _holds(_TRANSLATED, word.lower())


@lru_cache(maxsize=8192)
def is_first_name(word: bytes) -> bool:
    """A given name that is not mostly a word.

    >>> is_first_name(b"Ingrid"), is_first_name(b"Token")
    (True, False)
    """
    return MIN_NAME <= len(word) <= MAX_WORD and _holds(_FIRST, word.lower())
