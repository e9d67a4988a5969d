"""Content codings of OTLP requests, decoded in bounded steps: a bomb is refused before it is inflated."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

import zstandard

from collector.sources.otlp.receiver import Refusal, Refused, Unpack, too_large

_GZIP: Final = 16 + zlib.MAX_WBITS
_MEMBERS: Final = 16  # gzip members or zstd frames; each costs a copy of the rest of the body
_ZSTD_STEP: Final = 256  # bytes in: four bytes can stand for a block of 128 KiB, so one step makes 8 MiB at most
_ZSTD_WINDOW: Final = 8 << 20  # RFC 8878: what a decoder should support, and need not exceed


def identity(body: bytes, limit: int) -> bytes:
    """The body itself."""
    _check(len(body), limit)
    return body


def gunzip(body: bytes, limit: int) -> bytes:
    """RFC 1952, several members allowed."""
    return _inflate(body, limit, _GZIP)


def inflate(body: bytes, limit: int) -> bytes:
    """The `deflate` coding of RFC 9110, which is the zlib format."""
    return _inflate(body, limit, zlib.MAX_WBITS)


def unzstd(body: bytes, limit: int) -> bytes:
    """RFC 8878, several frames allowed."""
    try:
        return _frames(body, limit)
    except zstandard.ZstdError:
        raise Refused(Refusal.BAD_DATA, "the body is not valid zstd") from None


def sniffed(body: bytes, limit: int) -> bytes:
    """Decode gzip or zlib, told by the first byte; else the body itself.

    An ExportLogsServiceRequest begins with 0x0a; 0x1f is no protobuf tag, and 0x78 is a field that it does not have.
    """
    decode = {0x1F: gunzip, 0x78: inflate}.get(body[0] if body else 0, identity)
    return decode(body, limit)


CODINGS: Final[Mapping[str, Unpack]] = {
    "": identity,
    "identity": identity,
    "gzip": gunzip,
    "x-gzip": gunzip,
    "deflate": inflate,
    "zstd": unzstd,
}
ACCEPTED: Final = "gzip, deflate, zstd, identity"


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise too_large(limit)


def _inflate(body: bytes, limit: int, window_bits: int) -> bytes:
    pieces: list[bytes] = []
    room = limit
    for _ in range(_MEMBERS):
        stream = zlib.decompressobj(window_bits)
        try:
            pieces.append(stream.decompress(body, room + 1))
        except zlib.error:
            raise Refused(Refusal.BAD_DATA, "the body is not valid in its Content-Encoding") from None
        room -= len(pieces[-1])
        _check(limit - room, limit)
        if not stream.eof:
            raise Refused(Refusal.BAD_DATA, "the compressed body ends early")
        body = stream.unused_data
        if not body:
            return b"".join(pieces)
    raise Refused(Refusal.BAD_DATA, f"more than {_MEMBERS} compressed members")


def _frames(body: bytes, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = position = 0
    for _ in range(_MEMBERS):
        frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        while not frame.eof:
            if position >= len(body):
                raise Refused(Refusal.BAD_DATA, "the compressed body ends early")
            pieces.append(frame.decompress(body[position : position + _ZSTD_STEP]))
            position += _ZSTD_STEP
            size += len(pieces[-1])
            _check(size, limit)
        position = min(position, len(body)) - len(frame.unused_data)
        if position == len(body):
            return b"".join(pieces)
    raise Refused(Refusal.BAD_DATA, f"more than {_MEMBERS} compressed members")
