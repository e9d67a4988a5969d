"""Detaches damaged files from the lake: their rows are gone, everything else can be read, merged and aged out again.

The catalog's rows about a file are deleted, not ended with a snapshot: no older snapshot could read it either. A file
whose list of deleted rows is damaged goes with it, because the deleted rows would come back, and sums count twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb

from analyzer.lake.attach import connect, on_s3, place
from analyzer.lake.damage import META, Damage, access
from analyzer.lake.errors import LakeError, NotDecided
from analyzer.lake.trouble import named
from analyzer.store.conflicts import MAX_TRIES, is_conflict, pause
from analyzer.store.migrate import rollback
from collector.settings import Settings

FOLDER: Final = "damaged"  # below data_dir
# Without these rows more would be wrong than missing: they are not detached.
NEEDED: Final = MappingProxyType(
    {
        "applied": "says which version the lake has",
        "offsets": "holds the positions of Kafka partitions; without them records would be stored twice",
        "watermarks": "holds what came from which raw partition; without it records would be stored twice",
    }
)
_ABOUT_FILE: Final = (
    "ducklake_file_column_stats", "ducklake_file_variant_stats", "ducklake_file_partition_value", "ducklake_delete_file",
)  # fmt: skip
_SUMS: Final = f"""
UPDATE {META}.ducklake_table_stats
SET record_count = greatest(record_count - $rows, 0), file_size_bytes = greatest(file_size_bytes - $size, 0)
WHERE table_id IN (SELECT table_id FROM {META}.ducklake_data_file WHERE data_file_id = $file)
"""  # noqa: S608  # a name of ours


def detach(settings: Settings, damages: Sequence[Damage]) -> tuple[Damage, ...]:
    """Forget these files; those that were. Local ones are kept in `data_dir`/damaged. Writers may run meanwhile.

    Raises LakeError when the catalog refuses; then nothing was detached.
    """
    chosen = tuple(damage for damage in damages if damage.table not in NEEDED)
    with closing(connect(settings, replace(access(settings.store.memory_mib), write=True))) as con:
        for attempt in range(MAX_TRIES):
            try:
                _forget(con, chosen)
                break
            except duckdb.Error as error:
                rollback(con)
                if not is_conflict(error) or attempt == MAX_TRIES - 1:
                    raise _refused(settings, error) from None
            pause(attempt)
    if not on_s3(settings):
        _keep(settings.data_path / FOLDER, (Path(damage.path) for damage in chosen))
    return chosen


def _refused(settings: Settings, error: duckdb.Error) -> LakeError:
    return named(error, place(settings)) or NotDecided(place(settings), type(error).__name__)


def _forget(con: duckdb.DuckDBPyConnection, damages: Iterable[Damage]) -> None:
    con.execute("BEGIN")
    for damage in damages:
        con.execute(_SUMS, {"file": damage.file_id, "rows": damage.rows, "size": damage.size})
        for table in (*_ABOUT_FILE, "ducklake_data_file"):
            con.execute(f"DELETE FROM {META}.{table} WHERE data_file_id = $file", {"file": damage.file_id})  # noqa: S608
    con.execute("COMMIT")


def _keep(folder: Path, files: Iterable[Path]) -> None:
    """Out of the lake's folder, where upkeep would delete them as files of no snapshot."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in files:
        if file.exists():
            file.rename(folder / file.name)
