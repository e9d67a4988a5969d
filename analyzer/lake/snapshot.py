"""A copy of the lake in one plain DuckDB file: tables, the same views, and a comment on every column."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from analyzer.lake.attach import Access, connect
from analyzer.lake.view_files import create_views, quoted
from collector.settings import Settings

TABLES: Final = ("events", "rollups", "deltas", "descriptions", "changes", "notes", "alerts", "offsets", "watermarks")


def snapshot(settings: Settings, path: str | Path) -> None:
    """Write the lake as of now to `path`, all tables of one moment; an existing file is replaced when done."""
    part = Path(f"{path}.part")
    part.unlink(missing_ok=True)
    # Not locked: the copy is a file outside of the lake.
    con = connect(settings, Access(memory_mib=settings.store.memory_mib, threads=2, spill=True, locked=False))
    try:
        con.execute(f"ATTACH {quoted(str(part))} AS copy")
        con.execute("CREATE SCHEMA copy.store")
        con.execute("BEGIN")
        for name in TABLES:
            con.execute(f"CREATE TABLE copy.store.{name} AS FROM lake.store.{name}")
        con.execute("COMMIT")
        con.execute("USE copy")
        create_views(con)
        con.execute("USE memory")
        con.execute("DETACH copy")
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        con.close()
    part.replace(path)
