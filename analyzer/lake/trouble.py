"""DuckDB's error texts → what is wrong with the lake, where a person can do something about it.

DuckDB has no error class for a damaged file, so its words are read; the texts are those of 1.5.5, and each has a test that
makes the damage.
"""

from __future__ import annotations

import re
from typing import Final

import duckdb

from analyzer.lake.errors import DamagedCatalog, DamagedFile, LakeError, NoStore, OtherFormat

# DuckLake names its files by UUID; no path of a person's looks so.
_FILE: Final = re.compile(r"ducklake-[0-9a-f-]{36}(?:-delete)?\.parquet")
_VERSIONS: Final = re.compile(r"catalog version is (\S+), but the extension requires version (\S+?)\.? ")
_NO_LAKE: Final = "creating a new DuckLake is explicitly disabled"
# SQLite's own words, PostgreSQL's for a damaged page, and DuckLake's when tables of the catalog are gone.
_DAMAGED: Final = (
    "database disk image is malformed", "file is not a database", "invalid page in block", "no such table: ducklake_",
    "Table with name ducklake_",
)  # fmt: skip
_GONE: Final = re.compile(
    r'relation "(?:\w+\.)?ducklake_\w+" does not exist'
)  # one that exists already: two processes create the lake
_CUT: Final = (
    "No such file or directory", "404", "No magic bytes", "too small to be a Parquet", "Corrupt", "corrupt", "TProtocol",
    "decompress", "Decompress", "Invalid", "out of buffer", "Out of buffer", "footer", "Failed to read Parquet", "Unexpected",
)  # fmt: skip


def named(error: duckdb.Error, place: str) -> LakeError | None:
    """The error of errors.py for DuckDB's text; None when it is not about damage, loss or a format. `place` is the catalog's."""
    text = str(error)
    if _NO_LAKE in text:
        return NoStore(place)
    if versions := _VERSIONS.search(text):
        return OtherFormat(versions[1], versions[2])
    if _GONE.search(text) or any(words in text for words in _DAMAGED):
        return DamagedCatalog(place)
    return _file(text)


def _file(text: str) -> DamagedFile | None:
    found = _FILE.search(text)
    if not found:
        return None
    # The name itself must not count as words.
    words = _FILE.sub("", text)
    return DamagedFile(found[0]) if any(word in words for word in _CUT) else None
