"""Copies one moment of the lake to a folder or to S3, while writers append, and reads the copy back."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from analyzer.lake import manifest
from analyzer.lake.attach import Access, connect, data_path, on_s3, place
from analyzer.lake.errors import LakeError, NoStore, NotCopied
from analyzer.lake.manifest import File, Manifest, Table
from analyzer.lake.snapshot import CHANGED, current, is_kept
from analyzer.lake.trouble import named, reason
from analyzer.lake.view_files import quoted
from analyzer.store.migrate import applied_migrations, rollback
from analyzer.store.pinned import Pin, pinned
from collector.settings import Settings

# Files of a size that can be digested in memory, and row groups as the writer makes them (store.py says why).
_COPY: Final = """
COPY (FROM store.{name}) TO {path} (
    FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, FILE_SIZE_BYTES '64MiB', FILENAME_PATTERN 'part-{{i}}'
)
"""
WITHIN: Final = "it is within {data}, the lake's own data, and would be lost with it; name a place elsewhere"
_PRESENT: Final = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'store'"
_EPOCHS: Final = "SELECT DISTINCT key_epoch FROM store.events WHERE key_epoch > 0 ORDER BY key_epoch"


def access(settings: Settings, target: str) -> Access:
    """To read all of the lake and a place outside of it."""
    bucket = manifest.folder_of(target) if manifest.is_s3(target) else ""
    return Access(memory_mib=settings.store.memory_mib, spill=True, locked=False, bucket=bucket)


def backup(settings: Settings, target: str, say: Callable[[str], None]) -> Manifest:
    """Copy the lake as of now to `target`, a folder or s3://…, which must be empty. Writers may append meanwhile.

    `say` is called with a sentence when it must wait. Raises NoStore, NotCopied, DamagedFile and other LakeErrors; then what
    is in `target` is no backup, because its last file is missing.
    """
    folder = manifest.folder_of(target)
    if is_within_data(settings, folder):
        raise NotCopied(folder, WITHIN.format(data=data_path(settings)))
    with closing(connect(settings, access(settings, target))) as con:
        try:
            _expect_empty(con, folder)
            with pinned(settings, say) as pin:
                made = _copied(con, settings, folder, pin)
            manifest.write(con, folder, made)
            _sync(folder, made)
            return manifest.check(con, folder)
        except (duckdb.Error, OSError) as error:
            raise _refused(settings, folder, error) from None


def is_within_data(settings: Settings, folder: str) -> bool:
    """Whether a backup there would lie among the lake's own files."""
    data = data_path(settings)
    if not (manifest.is_s3(folder) or on_s3(settings)):
        folder, data = (f"{Path(path).resolve()}/" for path in (folder, data))
    return folder.startswith(data)


def _copied(con: duckdb.DuckDBPyConnection, settings: Settings, folder: str, pin: Pin) -> Manifest:
    con.execute("BEGIN")
    try:
        snapshot = current(con)
        made_at = datetime.now(UTC)
        present = {row[0] for row in con.execute(_PRESENT).fetchall()}
        if "events" not in present:
            raise NoStore(place(settings))
        applied = applied_migrations(con)
        rows = {name: _write(con, folder, name) for name in manifest.TABLES if name in present}
        epochs = tuple(row[0] for row in con.execute(_EPOCHS).fetchall())
    finally:
        rollback(con)
    if not (pin.is_held() and is_kept(con, snapshot)):
        raise NotCopied(folder, CHANGED)
    names = manifest.listed(con, folder)
    return Manifest(
        format=manifest.FORMAT,
        made_at=made_at,
        snapshot=snapshot,
        applied=applied,
        key_epochs=epochs,
        tables={name: Table(rows=count, files=_files(con, folder, name, names)) for name, count in rows.items()},
    )


def _write(con: duckdb.DuckDBPyConnection, folder: str, name: str) -> int:
    """Rows of a table, as counted and as written. Raises NotCopied when these differ."""
    ((expected,),) = con.execute(f"SELECT count(*) FROM store.{name}").fetchall()  # noqa: S608  # a name of ours
    if not manifest.is_s3(folder):
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    ((written,),) = con.execute(_COPY.format(name=name, path=quoted(folder + name))).fetchall()
    if written != expected:
        raise NotCopied(folder, f"{name} has {expected:,} rows, and {written:,} were written")
    return int(written)


def _files(con: duckdb.DuckDBPyConnection, folder: str, table: str, names: list[str]) -> tuple[File, ...]:
    return tuple(manifest.digested(con, folder, name) for name in names if name.startswith(f"{table}/"))


def _expect_empty(con: duckdb.DuckDBPyConnection, folder: str) -> None:
    if found := manifest.listed(con, folder):
        raise NotCopied(folder, f"it is not empty ({found[0]}); each backup has a folder of its own")


def _sync(folder: str, made: Manifest) -> None:
    """A backup that a power failure takes is none."""
    if manifest.is_s3(folder):
        return
    for name in {manifest.NAME, "", *(file.name for file in made.files), *made.tables}:
        handle = os.open(folder + name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _refused(settings: Settings, folder: str, error: duckdb.Error | OSError) -> LakeError:
    if isinstance(error, OSError):
        return NotCopied(folder, error.strerror or type(error).__name__)
    # DuckDB's text may quote a password: only the kind goes on.
    return named(error, place(settings)) or NotCopied(
        folder, f"it cannot be written, or the lake not read ({reason(error)})"
    )
