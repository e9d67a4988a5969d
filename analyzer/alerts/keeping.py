"""The ledger in the lake: read beside the writers, appended to in a turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb

from analyzer.alerts.ledger import COLUMNS, GIVE_UP, Step
from analyzer.lake.reader import Reader
from analyzer.store.deciding import written
from analyzer.store.migrate import rollback
from analyzer.store.turn import take_turn
from collector.settings import Settings

_KNOWN: Final = GIVE_UP + timedelta(hours=24)  # what ended before needs no message any more
_NAMES: Final = ", ".join(COLUMNS)
# Of what is open everything, else the last two days; a silence may have been set long ago.
_READ: Final = f"""
SELECT {_NAMES} FROM store.alerts
WHERE noted_at > $since OR until > $now
    OR alert_id IN (SELECT alert_id FROM store.alerts GROUP BY alert_id HAVING count(*) FILTER (step = 'resolved') = 0)
ORDER BY noted_at LIMIT 200000
"""  # noqa: S608  # names of ours
_APPEND: Final = f"INSERT INTO store.alerts ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
Decide = Callable[[Sequence[Step]], Sequence[Step]]


def read(reader: Reader, now: datetime) -> list[Step]:
    """The steps that still matter. Raises LakeError, duckdb.Error."""
    return [_step(row) for row in reader.table(_READ, _span(now)).to_pylist()]


def append(settings: Settings, now: datetime, decide: Decide) -> Sequence[Step]:
    """Append what `decide` makes of the steps, both in one transaction that conflicts with every other writer's; what it was.

    Raises NoStore, NewerStore, OlderStore, NotDecided.
    """

    def call(con: duckdb.DuckDBPyConnection) -> Sequence[Step]:
        con.execute("BEGIN")
        try:
            take_turn(con)
            found = con.execute(_READ, _span(now)).fetchall()
            made = decide([_step(dict(zip(COLUMNS, row, strict=True))) for row in found])
            _insert(con, made)
            con.execute("COMMIT" if made else "ROLLBACK")
        except BaseException:
            rollback(con)
            raise
        return made

    return written(settings, call)


def _span(now: datetime) -> dict[str, Any]:
    return {"since": now - _KNOWN, "now": now}


def _insert(con: duckdb.DuckDBPyConnection, steps: Iterable[Step]) -> None:
    for step in steps:
        con.execute(_APPEND, step.values())


def _step(row: dict[str, Any]) -> Step:
    return Step(
        **{name: value for name, value in row.items() if value is not None and name != "groups"},
        groups=tuple(row["groups"] or ()),
    )
