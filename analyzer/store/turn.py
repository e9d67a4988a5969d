"""Turns: what keeps writers that share a lake apart, by conflicts that DuckLake does find.

DuckLake takes two inserts side by side: right for rows, wrong for the first commit of a partition (both would insert
its offset), and while inlined rows are flushed (an insert beside it is stored twice; duckdb/ducklake issue 650). A
transaction that replaces the turn's row conflicts with every other that does; the loser is retried. Upkeep, whose merging
cannot take part in such a transaction, belongs to the one writer that holds the lease.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import duckdb

from analyzer.store.migrate import rollback

_LEAVE: Final = "DELETE FROM store.turns"
_TAKE: Final = "INSERT INTO store.turns VALUES (now())"
# One that would end later than any lease is of a clock that was ahead.
LEASE: Final = timedelta(minutes=30)  # longer than any one step; a writer that died frees it after that
_HELD: Final = "SELECT count(*) FROM store.leases WHERE holder <> $holder AND expires_at > now() AND expires_at <= now() + $longest"
_CLEAR: Final = "DELETE FROM store.leases"
_LEAVE_LEASE: Final = "DELETE FROM store.leases WHERE holder = $holder"
_HOLD: Final = "INSERT INTO store.leases VALUES ($holder, now() + $span)"


def lease(con: duckdb.DuckDBPyConnection, holder: str, span: timedelta = LEASE) -> bool:
    """Take or renew the lease for upkeep; False while somebody else has it."""
    asked = {"holder": holder, "longest": 2 * LEASE}
    if con.execute(_HELD, asked).fetchall() != [(0,)]:
        return False
    in_turn(con, (_CLEAR, {}), (_HOLD, {"holder": holder, "span": span}))
    return con.execute(_HELD, asked).fetchall() == [(0,)]


def release(con: duckdb.DuckDBPyConnection, holder: str) -> None:
    """Give the lease back, so that the next round may be another writer's."""
    in_turn(con, (_LEAVE_LEASE, {"holder": holder}))


def take_turn(con: duckdb.DuckDBPyConnection) -> None:
    """Within a transaction: make it conflict with every other that takes a turn."""
    con.execute(_LEAVE)
    con.execute(_TAKE)


def in_turn(con: duckdb.DuckDBPyConnection, *statements: tuple[str, object]) -> None:
    """Run statements in one transaction that conflicts with every other writer's."""
    con.execute("BEGIN")
    try:
        take_turn(con)
        for sql, params in statements:
            con.execute(sql, params)
        con.execute("COMMIT")
    except duckdb.Error:
        rollback(con)
        raise
