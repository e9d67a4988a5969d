r"""The records of an S3 object, as it streams in: compressed or not, lines, JSON documents one behind the other, OTLP in JSON.

What it is compressed with is told by its first bytes, because names promise what they like: Firehose writes the gzip of CloudWatch's
gzip, CloudFront's objects end in .gz, and a browser's download may have been unpacked. Memory is bounded whatever the object holds.

>>> import gzip
>>> b"".join(plain([gzip.compress(gzip.compress(b"twice"))], Limit(100)))
b'twice'
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import zstandard

from collector.events import Origin
from collector.records import RawRecord
from collector.redaction import fixed, safe_text
from collector.shippers.batches import unbatched
from collector.sources.kafka.decoding import Message, decode_raw
from collector.sources.lines import Lines, MultiLine

CHUNK_BYTES: Final = 1 << 18
MAX_LAYERS: Final = 3
MAX_NAME: Final = 1100  # "s3://", a bucket and a key
ERRORS: Final = (zlib.error, zstandard.ZstdError, EOFError)
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_PARQUET: Final = b"PAR1"
_KIND: Final = fixed("s3")
_OTLP: Final = b'"resourceLogs"'
_HEAD: Final = 4096
_SEAM: Final = b"}{"


class Unsupported(Exception):
    """An object that holds no lines: Parquet."""


@dataclass(slots=True)
class Limit:
    """How many bytes may still come out of an object; `is_cut` says that there were more."""

    left: int
    is_cut: bool = False


class ObjectRecords:
    """Turns an object's bytes into records; `cut` counts those that kept their beginning only."""

    def __init__(self, address: str, gateway: str) -> None:
        self._address = safe_text(address, MAX_NAME)  # whoever may write an object names it
        self._gateway = gateway
        self._lines, self._records, self._seams = Lines(), MultiLine(), Seams()

    @property
    def cut(self) -> int:
        """Records shortened so far."""
        return self._lines.cut + self._records.cut

    def feed(self, chunk: bytes) -> list[RawRecord]:
        """Those that end in the chunk."""
        lines = self._lines.feed(self._seams.opened(chunk))
        return [item for at, line in lines for pair in self._records.feed(at, line) for item in self._items(*pair)]

    def rest(self) -> list[RawRecord]:
        """Those that the object's end ends."""
        lines = [*self._lines.feed(self._seams.held), *self._lines.rest()]
        pairs = [pair for at, line in lines for pair in self._records.feed(at, line)]
        return [item for pair in (*pairs, *self._records.rest()) for item in self._items(*pair)]

    def _items(self, offset: int, record: bytes) -> Iterable[RawRecord]:
        if not record.strip():
            return ()
        origin, now = Origin(kind=_KIND, source=self._address, offset=offset), time.time_ns()
        if _OTLP in record[:_HEAD]:
            return decode_raw(self._gateway)(record, Message(origin, observed_ns=now))
        text = record.decode("utf-8", "replace").rstrip("\r")
        return [RawRecord(origin, now, text=each, gateway=self._gateway) for each in unbatched(text)]


class Seams:
    r"""Firehose writes JSON documents without a line break between them: one is put there. Strings are left alone.

    >>> Seams().opened(b'{"a":"}{"}{"b":1}\n')
    b'{"a":"}{"}\n{"b":1}\n'
    """

    def __init__(self) -> None:
        self._is_json: bool | None = None  # whether the object begins as JSON does
        self._in_string = False
        self.held = b""  # the last byte of a chunk, when the next one decides what it is

    def opened(self, chunk: bytes) -> bytes:
        """The chunk with a line break in each seam; its last byte waits when the next one decides what it is."""
        chunk = self.held + chunk
        if self._is_json is None and chunk.strip():
            self._is_json = chunk.lstrip()[:1] == b"{"
        self.held = b""
        if not self._is_json:
            return chunk
        backslashes = len(chunk) - len(chunk.rstrip(b"\\"))
        if backslashes % 2 or chunk.endswith(_SEAM[:1]):
            chunk, self.held = chunk[:-1], chunk[-1:]
        return b"".join(self._pieces(chunk))

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        begun, looked = 0, 0
        while (at := chunk.find(_SEAM, looked)) >= 0:
            self._pass(chunk[looked : at + 1])
            looked = at + 1
            if not self._in_string:
                yield chunk[begun:looked] + b"\n"
                begun = looked
        self._pass(chunk[looked:])
        yield chunk[begun:]

    def _pass(self, piece: bytes) -> None:
        r"""Whether a string is open behind the piece. A raw line break is in no string, so it closes what a broken line left open."""
        bare = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        line = bare.rpartition(b"\n")
        if line[1]:
            self._in_string = False
        if line[2].count(b'"') % 2:
            self._in_string = not self._in_string


def plain(chunks: Iterable[bytes], limit: Limit, layers: int = MAX_LAYERS) -> Iterator[bytes]:
    """What is left when all compression is taken off. Raises one of ERRORS when it is broken, Unsupported for Parquet."""
    head, rest = _beginning(iter(chunks))
    whole = chain((head,), rest)
    if head.startswith(_PARQUET):
        raise Unsupported
    if layers and head.startswith(_GZIP):
        yield from plain(_gunzipped(whole), limit, layers - 1)
    elif layers and head.startswith(_ZSTD):
        yield from plain(_unzstd(whole), limit, layers - 1)
    else:
        yield from _limited(whole, limit)


def _beginning(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    head = b""
    while len(head) < len(_ZSTD) and (chunk := next(chunks, None)) is not None:
        head += chunk
    return head, chunks


def _limited(chunks: Iterable[bytes], limit: Limit) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) > limit.left:
            limit.is_cut = True
            yield chunk[: limit.left]
            return
        limit.left -= len(chunk)
        yield chunk


def _gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Through the ends of members, a bounded piece at a time."""
    member: Any = zlib.decompressobj(31)
    for chunk in chunks:
        raw = chunk
        while raw:
            if member.eof:
                raw = raw.lstrip(b"\0")  # padding behind a member
                member = zlib.decompressobj(31) if raw else member
                continue
            yield member.decompress(raw, CHUNK_BYTES)
            raw = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        yield member.flush()
        raise EOFError("the compressed data ends too early")


def _unzstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    source: Any = _Readable(chunks)
    with zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True) as reader:
        while piece := reader.read(CHUNK_BYTES):
            yield piece


class _Readable:
    """Chunks as a file, for a library that reads files."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""

    def read(self, size: int) -> bytes:
        """Up to so many bytes."""
        if not self._held:
            self._held = next((chunk for chunk in self._chunks if chunk), b"")
        piece, self._held = self._held[:size], self._held[size:]
        return piece
