"""A reader that learned from labelled messages: character n-grams of words and pairs of words, a weight per code for each.

The array (learned.bin) is made by `python -m benchmarks.training` (docs/decisions/0022): a header, an index from the hash
of an n-gram to its row, and rows of one byte per code. A text's score for a code is the sum of its rows over the root
of their number. Rows are added as integers of many lanes, so a sentence costs a few hundred additions and no array library;
what a word adds up to is remembered. The names of products are silent words: who speaks says nothing of what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Final, NamedTuple
from zlib import crc32

import orjson

from analyzer.knowledge.splitting import split_words

FILE: Final = "learned.bin"
MAX_FILE: Final = 3 << 20  # bytes
CONSIDERED: Final = 2048  # characters of a message
GRAMS: Final = (2, 3, 4, 5)  # characters
PAIR: Final = 3  # what a pair of words counts, against an n-gram
BIAS: Final = 128  # a weight of 0, as a byte
_NONE: Final = 0  # in the index: no row
_PIECES: Final = 512  # of one text
_REMEMBERED: Final = 8192  # words and pairs, about 400 bytes each


class Piece(NamedTuple):
    """What a word or a pair adds: sums of bytes in 32-bit lanes, codes 0, 4, 8 … in the first; rows found; square of its length."""

    lanes: tuple[int, int, int, int]
    rows: int
    square: int


def pieces(text: str, silent: frozenset[str] = frozenset()) -> list[tuple[str, ...]]:
    """The distinct words of a text but for `silent` ones, and its distinct pairs of neighbours, in order; at most _PIECES.

    >>> pieces("Token has expired")
    [('token',), ('has',), ('expired',), ('token', 'has'), ('has', 'expired')]
    """
    words = [word.text for word in split_words(text[:CONSIDERED]) if word.text not in silent]
    found = dict.fromkeys([*((word,) for word in words), *pairwise(words)])
    return list(found)[:_PIECES]


def grams(word: str) -> set[bytes]:
    """The n-grams of a word between blanks, as bytes of UTF-8."""
    padded = f" {word} ".encode("utf-8", "surrogatepass")
    return {padded[at : at + size] for size in GRAMS for at in range(len(padded) - size + 1)}


def buckets(piece: tuple[str, ...], count: int) -> list[int]:
    """Where the rows of a word's n-grams, or of a pair, are looked up; `count` is a power of two."""
    if len(piece) == 1:
        return [crc32(gram) & (count - 1) for gram in grams(piece[0])]
    return [crc32("\0".join(piece).encode("utf-8", "surrogatepass")) & (count - 1)]


class Learned:
    """An array, ready to score texts. Immutable but for its memory of words; threads may share it.

    Raises ValueError when the bytes are no such array.
    """

    def __init__(self, data: bytes) -> None:
        head, _, rest = data.partition(b"\n")
        header = orjson.loads(head)
        self.codes: tuple[str, ...] = tuple(header["codes"])
        self._silent = frozenset(header["silent"])
        self._buckets, self._scale = int(header["buckets"]), float(header["scale"])
        self._width = -(-len(self.codes) // 4) * 4
        view = memoryview(rest)
        self._index = view[: 2 * self._buckets].cast("H")
        self._rows = view[2 * self._buckets :]
        if len(self._rows) != header["rows"] * self._width:
            raise ValueError(f"{FILE}: {len(self._rows)} bytes of rows, not {header['rows']} times {self._width}")
        self._bytes = int.from_bytes(b"\xff\x00" * (self._width // 2), "little")
        self._shorts = int.from_bytes(b"\xff\xff\x00\x00" * (self._width // 4), "little")
        self._piece = lru_cache(maxsize=_REMEMBERED)(self._sum)

    def scores(self, text: str) -> list[float]:
        """A score per code, in the order of `codes`; each about 1 for a code that is certain, about 0 for the others."""
        return self._added(map(self._piece, pieces(text, self._silent)))

    def _added(self, some: Iterable[Piece]) -> list[float]:
        first = second = third = fourth = rows = square = 0
        for (one, two, three, four), found, length in some:
            first, second, third, fourth = first + one, second + two, third + three, fourth + four
            rows, square = rows + found, square + length
        lanes = [memoryview(lane.to_bytes(self._width, "little")).cast("I") for lane in (first, second, third, fourth)]
        factor, zero = self._scale / math.sqrt(square or 1), BIAS * rows
        return [(lanes[at % 4][at // 4] - zero) * factor for at in range(len(self.codes))]

    def _sum(self, piece: tuple[str, ...]) -> Piece:
        even = odd = rows = 0
        found = buckets(piece, self._buckets)
        for bucket in found:
            at = self._index[bucket]
            if at != _NONE:
                row = int.from_bytes(self._rows[(at - 1) * self._width : at * self._width], "little")
                even += row & self._bytes
                odd += (row >> 8) & self._bytes
                rows += 1
        times = 1 if len(piece) == 1 else PAIR
        mask = self._shorts
        lanes = (even & mask, odd & mask, (even >> 16) & mask, (odd >> 16) & mask)
        first, second, third, fourth = lanes if times == 1 else tuple(times * lane for lane in lanes)
        return Piece((first, second, third, fourth), times * rows, times * times * len(found))


@cache
def shipped() -> Learned:
    """The array of this package, read when a text is first scored."""
    return Learned(files("analyzer.knowledge").joinpath(FILE).read_bytes())
