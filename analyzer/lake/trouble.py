"""DuckDB's error texts → what is wrong with the lake, where a person can do something about it.

DuckDB has no error class for a damaged file, so its words are read; the texts are those of 1.5.5, and each has a test that
makes the damage.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

import duckdb

from analyzer.lake.errors import DamagedCatalog, DamagedFile, LakeError, NoStore, OtherFormat

RESTORING: Final = "restoring"  # the only migration that is noted while a backup is restored
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
    "No such file or directory", "Not a directory", "Is a directory", "404", "No magic bytes", "too small to be a Parquet", "Corrupt", "corrupt", "TProtocol",
    "decompress", "Decompress", "Invalid", "out of buffer", "Out of buffer", "footer", "Failed to read Parquet", "Unexpected",
)  # fmt: skip

# What else a person can do something about, said in these words only: the text around them may quote a password.
_REASONS: Final = {
    "database or disk is full": "the disk is full", "No space left on device": "the disk is full, or has no inodes left",
    "disk I/O error": "disk I/O error; is the disk full?", "unable to open database file": "the file cannot be opened",
    "readonly database": "it may only be read", "Read-only file system": "it may only be read", "Permission denied": "permission denied",
    "database is locked": "another process holds it", "Connection refused": "connection refused", "timeout expired": "no answer in time",
    "password authentication failed": "the password is refused", "Not a directory": "a part of its path is no folder",
}  # fmt: skip


def is_being_restored(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether a restore began here and has not ended."""
    with suppress(duckdb.Error):
        return con.execute("SELECT DISTINCT name FROM store.applied").fetchall() == [(RESTORING,)]
    return False


def reason(error: duckdb.Error) -> str:
    """Why the lake cannot be used, in a few words that hold nothing of a connection string; else the class of the error.

    >>> reason(duckdb.IOException("Could not write to .../catalog.sqlite: No space left on device"))
    'the disk is full, or has no inodes left'
    """
    text = str(error)
    return next((words for sign, words in _REASONS.items() if sign in text), type(error).__name__)


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
