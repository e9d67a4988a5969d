"""What a backup consists of: Parquet files by table, and `backup.json`, which is written last and names each with its size and digest.

A folder without that file is no backup: whatever cut it, restoring says so. Nothing in it depends on DuckLake's format, on the kind of
catalog, or on where the data was: the tables' rows are all there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from analyzer.lake.errors import BrokenBackup, StoreUnavailable
from analyzer.lake.trouble import reason
from analyzer.lake.view_files import quoted

NAME: Final = "backup.json"
FORMAT: Final = 1
TABLES: Final = (
    "events", "rollups", "deltas", "descriptions", "changes", "notes", "alerts", "offsets", "watermarks", "files",
)  # fmt: skip
_PATTERNS: Final = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})
_DIGEST: Final = "SELECT size, sha256(content) FROM read_blob($path)"
# QUOTE '' writes the text as it is.
_WRITE: Final = "COPY (SELECT $text) TO {path} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '')"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A Parquet file below the backup's folder."""

    name: str  # TABLE/part-N.parquet
    size: int  # bytes
    sha256: str  # hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the lake."""

    rows: int
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole backup: one moment of the lake."""

    format: int
    made_at: datetime
    snapshot: int  # DuckLake's number of the moment
    applied: tuple[str, ...]  # migrations that the tables have
    key_epochs: tuple[int, ...]  # of the pseudonym keys under which users are stored; no key is in a backup
    tables: dict[str, Table]

    @property
    def files(self) -> tuple[File, ...]:
        """All of them."""
        return tuple(file for table in self.tables.values() for file in table.files)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in self.files)


def folder_of(target: str) -> str:
    """A path or s3://… as the beginning of the names of files: absolute, with a slash at its end."""
    return (target if is_s3(target) else str(Path(target).absolute())).rstrip("/") + "/"


def is_s3(target: str) -> bool:
    """Whether a place is in object storage."""
    return target.startswith("s3://")


def listed(con: duckdb.DuckDBPyConnection, folder: str) -> list[str]:
    """Names of all files below a folder, in the order in which they were numbered."""
    if not is_s3(folder) and not Path(folder).exists():
        return []
    rows = con.execute("SELECT file FROM glob($pattern)", {"pattern": f"{_literal(folder)}**"}).fetchall()
    names = [name.removeprefix(folder) for (name,) in rows]
    return sorted(names, key=lambda name: (name.partition("/")[0], len(name), name))


def digested(con: duckdb.DuckDBPyConnection, folder: str, name: str) -> File:
    """Read a file whole."""
    ((size, digest),) = con.execute(_DIGEST, {"path": _literal(folder) + name}).fetchall()
    return File(name=name, size=size, sha256=digest)


def write(con: duckdb.DuckDBPyConnection, folder: str, manifest: Manifest) -> None:
    """Write what makes the folder a backup."""
    con.execute(_WRITE.format(path=quoted(folder + NAME)), {"text": msgspec.json.encode(manifest).decode()})


def read(con: duckdb.DuckDBPyConnection, folder: str) -> Manifest:
    """What a backup says of itself. Raises BrokenBackup, StoreUnavailable."""
    try:
        rows = con.execute("SELECT content FROM read_text($path)", {"path": _literal(folder) + NAME}).fetchall()
    except duckdb.Error as error:
        if is_s3(folder) and "404" not in str(error):
            raise StoreUnavailable(folder, reason(error)) from None
        rows = []
    if not rows:
        raise BrokenBackup(folder, f"there is no {NAME}, which is written last; it was cut, or is still being made")
    with suppress(msgspec.MsgspecError):
        found = msgspec.json.decode(rows[0][0], type=dict[str, Any])
        if found.get("format", 0) > FORMAT:
            raise BrokenBackup(
                folder, f"it has format {found['format']}, and this why401 knows {FORMAT}; use the one that made it"
            )
        manifest = msgspec.convert(found, Manifest)
        if _is_sound(manifest):
            return manifest
    raise BrokenBackup(folder, f"{NAME} is cut or was changed")


def check(con: duckdb.DuckDBPyConnection, folder: str) -> Manifest:
    """Read every file whole and compare it with what was written. Raises BrokenBackup, StoreUnavailable."""
    manifest = read(con, folder)
    present = set(listed(con, folder))
    for file in manifest.files:
        if file.name not in present:
            raise BrokenBackup(folder, f"{file.name} is missing")
        found = digested(con, folder, file.name)
        if found.size != file.size:
            raise BrokenBackup(folder, f"{file.name} has {found.size:,} bytes instead of {file.size:,}")
        if found.sha256 != file.sha256:
            raise BrokenBackup(folder, f"{file.name} is not what was written (its SHA-256 differs)")
    return manifest


def paths(folder: str, files: Iterable[File]) -> list[str]:
    """As read_parquet takes them."""
    return [_literal(folder) + file.name for file in files]


def _is_sound(manifest: Manifest) -> bool:
    """No file outside of the folder, no table that is none of ours."""
    names = [(table, file.name) for table, about in manifest.tables.items() for file in about.files]
    return set(manifest.tables) <= set(TABLES) and all(_is_part(table, name) for table, name in names)


def _is_part(table: str, name: str) -> bool:
    number = name.removeprefix(f"{table}/part-").removesuffix(".parquet")
    return number.isdecimal() and name == f"{table}/part-{number}.parquet"


def _literal(path: str) -> str:
    """A path in which no character is a pattern."""
    return path.translate(_PATTERNS)
