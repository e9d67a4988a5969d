"""Content codings: decoded within the limit or refused."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable

import zstandard

from collector.sources.otlp.encodings import CODINGS, sniffed
from collector.sources.otlp.receiver import Refused
from fuzz.stages import must

LIMIT = 1 << 16
_DECODERS = (*dict.fromkeys(CODINGS.values()), sniffed)


def check(data: bytes) -> None:
    """Every decoder."""
    for decode in _DECODERS:
        try:
            must(len(decode(data, LIMIT)) <= LIMIT, "no more than the limit")
        except Refused:
            continue


def seeds() -> Iterable[bytes]:
    """Each coding, twice, cut, and a bomb."""
    text = b"\n\x00" * 100
    packed = (
        gzip.compress(text, mtime=0),
        zlib.compress(text),
        zstandard.compress(text),
        gzip.compress(bytes(1 << 18), mtime=0),
    )
    for one in packed:
        yield one
        yield one + one
        yield one[: len(one) // 2]
