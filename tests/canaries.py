"""The search for canaries: every form of every secret's parts, in one pass over all bytes, however these are packed."""

from __future__ import annotations

import base64
import gzip
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tests.secrets_of_every_kind import Secret

PIECE: Final = 16  # characters of a secret that nobody may see in a row
_SHORTEST: Final = 8  # encoded forms of a shorter beginning would be found by chance
_SLOT_BITS: Final = 22  # a table of 4 MiB, a twentieth of it set
_SLOTS: Final = 1 << _SLOT_BITS
_CHUNK: Final = 1 << 20
_ENCODED: Final = 18  # characters of a part in its encoded forms; any more follow them


class Found(NamedTuple):
    """One leak: which kind of secret, in which form, where, and the bytes around it."""

    kind: str
    form: str
    where: str
    around: bytes


def forms(part: str) -> Iterator[tuple[str, bytes]]:
    """(name, bytes): the part, its halves and pieces, its beginning and middle as encodings would show them."""
    raw = part.encode()
    yield "whole", raw
    if len(raw) >= 2 * PIECE:
        half = len(raw) // 2
        yield "first half", raw[:half]
        yield "second half", raw[half:]
        yield from (("piece", raw[at : at + PIECE]) for at in range(0, len(raw) - PIECE + 1, PIECE))
    yield from _encoded(part[:_ENCODED])
    if len(part) >= 3 * _ENCODED:  # a beginning may be shared: `{"alg":"RS256"`
        yield from _encoded(part[len(part) // 2 :][:_ENCODED])


def _encoded(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield "percent", quote(text, safe="").encode()
    yield "percent of every byte", "".join(f"%{byte:02X}" for byte in raw).encode()
    yield "percent of every byte", "".join(f"%{byte:02x}" for byte in raw).encode()
    yield "hex", raw.hex().encode()
    yield "hex", raw.hex().upper().encode()
    yield "JSON escapes", "".join(f"\\u{ord(c):04x}" for c in text).encode()
    yield "HTML", "".join(f"&#{ord(c)};" for c in text).encode()
    yield "UTF-16", text.encode("utf-16-le")
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        inner = encoded[(0, 2, 3)[shift] :].rstrip(b"=")[:-1]  # without the characters that neighbours change
        yield "base64", inner
        yield "base64url", inner.replace(b"+", b"-").replace(b"/", b"_")


class Search:
    """Finds any form of any secret.

    An automaton of 200,000 needles takes seconds to build. Here each place in the data is looked up by its first eight bytes,
    most of them in a table of bits, so that building takes a tenth of that.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._needles: dict[int, list[tuple[bytes, tuple[str, str]]]] = {}
        for needle, name in _unshared(secrets).items():
            self._needles.setdefault(int.from_bytes(needle[:_SHORTEST], "little"), []).append((needle, name))
        self._begins = np.zeros(_SLOTS, dtype=bool)
        self._begins[_slots(np.fromiter(self._needles, dtype=np.uint64, count=len(self._needles)))] = True

    def __len__(self) -> int:
        return sum(map(len, self._needles.values()))

    def find(self, where: str, data: bytes) -> list[Found]:
        """Every leak in these bytes."""
        return [found for start in range(0, len(data), _CHUNK) for found in self._find(where, data, start)]

    def _find(self, where: str, data: bytes, start: int) -> Iterator[Found]:
        begins = _eights(data[start : start + _CHUNK + _SHORTEST - 1])
        for at in np.flatnonzero(self._begins[_slots(begins)]):
            for needle, name in self._needles.get(int(begins[at]), ()):
                if data.startswith(needle, start + at):
                    yield Found(*name, where, data[max(0, start + at - 60) : start + at + len(needle) + 40])

    def find_all(self, places: Iterable[tuple[str, bytes]]) -> list[Found]:
        """Every leak in all of these."""
        return [found for where, data in places for found in self.find(where, data)]


def _eights(data: bytes) -> NDArray[np.uint64]:
    """The eight bytes that begin at each place, as one number."""
    octets = np.frombuffer(data, dtype=np.uint8)
    places = max(0, len(octets) - _SHORTEST + 1)
    eights = np.zeros(places, dtype=np.uint64)
    for n in range(_SHORTEST):
        eights |= octets[n : n + places].astype(np.uint64) << np.uint64(8 * n)
    return eights


def _slots(eights: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Where a number's bit is: Fibonacci hashing."""
    return (eights * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _SLOT_BITS)


def _unshared(secrets: Iterable[Secret]) -> dict[bytes, tuple[str, str]]:
    """Needle -> (kind, form). What two secrets have in common (`{"iss":` in base64) betrays neither."""
    uses: Counter[bytes] = Counter()
    names: dict[bytes, tuple[str, str]] = {}
    for secret in dict.fromkeys(secrets):
        mine = {needle: form for part in secret.parts for form, needle in forms(part) if len(needle) >= _SHORTEST}
        uses.update(mine.keys())
        names |= {needle: (secret.kind, form) for needle, form in mine.items()}
    return {needle: name for needle, name in names.items() if uses[needle] == 1}


def on_disk(folder: Path) -> Iterator[tuple[str, bytes]]:
    """(where, bytes) of every file below: as it is, and what is packed in it."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        where = str(path.relative_to(folder))
        data = path.read_bytes()
        yield where, data
        if data[:4] == b"PAR1":
            yield from _parquet(where, path)
        elif data[:15] == b"SQLite format 3":
            yield from _sqlite(where, path)
        elif data[:2] == b"\x1f\x8b":
            yield where + " inflated", gzip.decompress(data)


def _parquet(where: str, path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowInvalid:  # half written when its process was killed: no footer says where its columns are
        return
    yield from (
        (f"{where} {name}", _text(column.to_pylist()))
        for name, column in zip(table.column_names, table.columns, strict=True)
    )
    yield f"{where} metadata", str(pq.ParquetFile(path).metadata.to_dict()).encode()


def _sqlite(where: str, path: Path) -> Iterator[tuple[str, bytes]]:
    """Every row of every table: a value may be torn over two pages of the file, and lie in the write-ahead log."""
    with tempfile.TemporaryDirectory() as name:
        for file in path.parent.glob(path.name + "*"):
            shutil.copy(file, name)
        with closing(sqlite3.connect(Path(name) / path.name)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                yield f"{where} {table}", _text(connection.execute(f'SELECT * FROM "{table}"').fetchall())


def _text(value: object) -> bytes:
    return repr(value).encode("utf-8", "surrogateescape")
