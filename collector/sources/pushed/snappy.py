"""Snappy's block format, in which Loki's clients compress protobuf: its size is known before it is inflated."""

from __future__ import annotations

from typing import Final

from collector.sources.otlp.receiver import Refusal, Refused, too_large

_MOST_PER_BYTE: Final = 24  # 64 bytes of a copy cost three: what claims to be more is no snappy
_MAX_VARINT: Final = 5


def unsnappy(body: bytes, limit: int) -> bytes:
    """The block's content. Raises Refused: before anything is inflated when the block says that it is larger than `limit`."""
    size = _size(body)
    if size > limit:
        raise too_large(limit)
    if size > _MOST_PER_BYTE * len(body):
        raise _broken()
    import pyarrow as pa  # a tenth of a second: only whoever gets such a request pays for it

    try:
        return bytes(pa.decompress(body, decompressed_size=size, codec="snappy", asbytes=True))
    except (pa.ArrowException, OSError, ValueError):
        raise _broken() from None


def _size(body: bytes) -> int:
    """What the block's first bytes say."""
    size = 0
    for n, byte in enumerate(body[:_MAX_VARINT]):
        size |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return size
    raise _broken()


def _broken() -> Refused:
    return Refused(Refusal.BAD_DATA, "the body is not valid snappy (block format)")
