"""How far files were read: rows that are replaced in the transaction of the records before that place.

A file is one content under one inode: of a file that was truncated the old place stays, because a copy of the old content may be
read yet. As with offsets, a deleted row may come back (fence.py): the one with the highest number is the latest. Nobody else
reads the same file into the same lake, so there is no fence.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

import duckdb

from analyzer.store.rows import LONG, TEXT, table
from collector.records import FilePlace

MAX_PLACES: Final = 10_000
_COLUMNS: Final = {
    "path": TEXT, "device": LONG, "inode": LONG, "position": LONG, "checked": LONG, "head": TEXT, "last": TEXT, "number": LONG,
}  # fmt: skip
_KNOWN: Final = f"""
SELECT path, device, inode, position, checked, head, last FROM store.files
QUALIFY row_number() OVER (PARTITION BY device, inode, head ORDER BY number DESC) = 1 ORDER BY number DESC LIMIT {MAX_PLACES}
"""  # noqa: S608  # a number of ours
_LAST: Final = "SELECT coalesce(max(number), 0) FROM store.files"
_LEAVE: Final = "DELETE FROM store.files WHERE (device, inode, head) IN (SELECT (device, inode, head) FROM step)"
_ARRIVE: Final = "INSERT INTO store.files BY NAME SELECT *, now() AS moved_at FROM step"


def known(con: duckdb.DuckDBPyConnection) -> tuple[FilePlace, ...]:
    """Of each content the latest place, of the most recent ones."""
    names = ("path", "device", "inode", "position", "checked", "head", "last")
    return tuple(FilePlace(**dict(zip(names, row, strict=True))) for row in con.execute(_KNOWN).fetchall())


def move(con: duckdb.DuckDBPyConnection, places: Iterable[FilePlace]) -> None:
    """Within a transaction: the last place of each content replaces what is there."""
    latest = {(place.device, place.inode, place.head): place for place in places}
    if not latest:
        return
    ((last,),) = con.execute(_LAST).fetchall()
    number = max(last + 1, time.time_ns())  # also after the clock was set back
    con.register("step", table(_COLUMNS, [_row(place, number) for place in latest.values()]))
    con.execute(_LEAVE)
    con.execute(_ARRIVE)


def _row(place: FilePlace, number: int) -> tuple[object, ...]:
    return (
        place.path, place.device, place.inode, place.position, place.checked, place.head, place.last, number,
    )  # fmt: skip
