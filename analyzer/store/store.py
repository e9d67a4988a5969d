"""The writer's side of the lake: one connection, one lock, and what becomes of its failures."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import duckdb

from analyzer.heap import give_back
from analyzer.lake.attach import connect, place, secrets, writer
from analyzer.lake.errors import DamagedCatalog, LakeError, LostCatalog
from analyzer.lake.trouble import named, reason
from analyzer.store import group_state, habits, places
from analyzer.store.changes import Change
from analyzer.store.conflicts import MAX_TRIES, is_conflict, pause
from analyzer.store.deltas import Given, Plan, learn
from analyzer.store.group_state import Decision, State
from analyzer.store.habits import MAX_CLIENTS, Seen, Sent, Sight
from analyzer.store.maintain import BY_AGE, STEPS, Step, Upkeep
from analyzer.store.migrate import migrate, rollback
from analyzer.store.side_by_side import alone
from analyzer.store.turn import in_turn, lease, release
from analyzer.store.wall_clock import Clock
from analyzer.store.write import Work, transaction
from analyzer.store.writer_state import MAX_AFFECTED, MAX_SUBJECTS, WriterState
from analyzer.verdicts import Verdict
from analyzer.writer_name import next_name
from collector.errors import SinkUnavailable
from collector.records import FilePlace, Position
from collector.settings import Settings
from collector.telemetry import Telemetry

_SUBJECTS: Final = f"SELECT kind, subject, detail FROM store.changes ORDER BY changed_at DESC LIMIT {3 * MAX_SUBJECTS}"  # noqa: S608
_AFFECTED: Final = (
    f"SELECT DISTINCT value FROM store.deltas WHERE kind = 'member' AND name = 'user' LIMIT {MAX_AFFECTED}"  # noqa: S608
)
# What clients sent in the last day, for their habits: samples of what passed.
_SENT: Final = f"""
SELECT issuer, client_id, user_agent, coalesce(client_version, ''), coalesce(user_agent_version, ''), audiences, map_keys(claims), count(*),
    epoch_us(min(event_time)), epoch_us(max(event_time))
FROM store.events
WHERE outcome = 'allowed' AND event_time > (SELECT max(event_time) - INTERVAL 1 DAY FROM store.events)
GROUP BY ALL
LIMIT {10 * MAX_CLIENTS}
"""  # noqa: S608
_INLINED: Final = "CALL lake.set_option('data_inlining_row_limit', {limit}, schema => 'store', table_name => 'events')"
# Merging holds a row group of 60 columns in memory, and reads what it merges: DuckDB's 122,880 rows took 400 MiB, and
# files up to its 512 MB would be written again and again for every few new rows.
OPTIONS: Final = (
    "CALL lake.set_option('parquet_row_group_size', 20480)",
    "CALL lake.set_option('target_file_size', '64MiB')",
)
# DuckLake remembers the statistics of every snapshot that it planned with until its database is closed, 40 KiB a commit
# with our columns (1.5.5; tests/analyzer/store/test_memory.py). Connecting anew takes a quarter of a second.
MAX_CALLS: Final = 500
_MAX_INLINED_EVENTS: Final = 100  # 60 columns as SQL text: inlining 500 rows takes 190 ms, their Parquet file 40 ms
MAX_SAID: Final = 100
Made = TypeVar("Made")
log = logging.getLogger("why401.store")


class Store:
    """Appends verdicts exactly once. Thread-safe; a failed call leaves nothing behind and the next one reconnects."""

    def __init__(self, settings: Settings, telemetry: Telemetry, *, on_close: Callable[[], None] | None = None) -> None:
        self.settings = settings
        self._telemetry = telemetry
        self._lock = threading.RLock()
        self._con: duckdb.DuckDBPyConnection | None = None
        self._calls = 0  # on this connection
        self._state = WriterState()
        self._upkeep = Upkeep()
        self._clock = Clock()
        self._said: set[str] = set()
        self._name = next_name()
        self._on_close = on_close

    def open(self) -> None:
        """Connect, create and migrate what is missing. Raises SinkUnavailable or NewerStore."""
        self._look_at_clock(datetime.now(UTC), self._retried("open", _newest))

    def append(
        self, verdicts: Sequence[Verdict], positions: Sequence[Position], counts: Mapping[tuple[str, str], int]
    ) -> None:
        """`commit` of verdicts on events alone."""
        self.commit(Given(verdicts=verdicts), positions, counts)

    def commit(
        self,
        given: Given,
        positions: Sequence[Position],
        counts: Mapping[tuple[str, str], int],
        files: Sequence[FilePlace] = (),
    ) -> None:
        """Commit rows, sums, counts, offsets and places in files in one transaction, or nothing.

        `counts` maps (counter, reason) to a number; the store itself adds `stored` and the drops that it decides on.
        Raises Fenced when a position does not continue the stored offset, PositionsBroken when the stored one cannot be
        trusted, SinkUnavailable when the lake refuses.
        """
        is_shared = bool(self.settings.store.catalog) or not self.settings.share.is_all
        work = Work(given=given, positions=positions, counts=counts, is_shared=is_shared, places=files)
        sample = self.settings.store.sample_allowed
        started = time.perf_counter()
        with alone(self.settings.share), self._lock:
            done = self._retried("append", lambda con: transaction(con, work, self._state, sample))
            learn(self._state, done.plan)
            self._state.places.update(done.moves.places)
        if done.moves.came_back:
            self._telemetry.count("why401.errors", done.moves.came_back, stage="store", kind="resurrected")
        self._count(done.plan, time.perf_counter() - started, given.arrival_ns)

    def positions(self, topic: str, partitions: Sequence[int]) -> dict[int, int]:
        """The next offset to read per partition; a partition never seen is left out."""
        rows = self.rows("SELECT partition, next FROM positions WHERE topic = ?", [topic])
        return {partition: following for partition, following in rows if partition in partitions}

    def files(self) -> tuple[FilePlace, ...]:
        """How far files were read. Raises SinkUnavailable."""
        return self._retried("read", places.known)

    def decide(self, decision: Decision) -> None:
        """Append what a person decided or wrote about a group. Raises SinkUnavailable."""
        self._retried("note", lambda con: in_turn(con, decision.statement()))

    def decisions(self, group_id: str) -> tuple[Decision, ...]:
        """The audit trail of a group, the oldest first. Raises SinkUnavailable."""
        return self._retried("read", lambda con: group_state.decisions(con, group_id))

    def group_state(self, group_id: str) -> State:
        """The state that the latest decision set; open when there is none. Raises SinkUnavailable."""
        return self._retried("read", lambda con: group_state.current(con, group_id))

    def record(self, change: Change) -> None:
        """Append a change that logs do not show. Raises SinkUnavailable."""
        self._retried("change", lambda con: in_turn(con, change.statement()))

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query on the writer's connection; for small questions only, it stops appends meanwhile."""
        return self._retried("read", lambda con: con.execute(sql, list(params)).fetchall())

    def maintain(self, now: datetime | None = None) -> None:
        """One round of upkeep, at once."""
        for _ in self.upkeep(now):
            pass

    def upkeep(self, now: datetime | None = None) -> Generator[None]:
        """One round of upkeep, a step at a time: retention, compaction, flushing, merging, expiry, the size cap.

        Appends run between its steps. A step that meets another writer's work is counted and left to the next round.
        Without `now` the clock decides, if it can be believed (wall_clock.py).
        """
        moment = now or datetime.now(UTC)
        if now is None:
            self._look_at_clock(moment, None)
        steps = STEPS if now or self._clock.is_believed else [step for step in STEPS if step[0] not in BY_AGE]
        is_ours = False
        try:
            for name, step in steps:
                is_ours = self._kept_up(f"maintain_{name}", step, moment)
                if not is_ours:
                    return
                yield
        finally:  # also when it is closed half-way
            if is_ours:
                self._upkept("maintain_release", lambda con: release(con, self._name))

    def _look_at_clock(self, now: datetime, newest: datetime | None) -> None:
        if wrong := self._clock.look(now, time.monotonic(), newest):
            self._telemetry.count("why401.errors", stage="store", kind="clock")
            log.warning("%s", wrong)

    def _kept_up(self, kind: str, step: Step, moment: datetime) -> bool:
        """Run a step when the lease is ours; False when another writer has it."""

        def call(con: duckdb.DuckDBPyConnection) -> bool:
            if not lease(con, self._name):
                return False
            step(con, self.settings.store, moment, self._upkeep)
            return True

        return self._upkept(kind, call) is not False

    def _upkept(self, kind: str, call: Callable[[duckdb.DuckDBPyConnection], Made]) -> Made | None:
        try:
            with alone(self.settings.share), self._lock:
                return self._called(call)
        except duckdb.Error as error:
            if is_conflict(error):
                self._telemetry.count("why401.errors", stage="store", kind="conflict")
            else:
                self._say_once(str(self._failed("maintain", error, kind=kind)))
            return None
        except LakeError as error:
            self._telemetry.count("why401.errors", stage="store", kind=kind)
            self._say_once(str(error))
            return None

    def _say_once(self, words: str) -> None:
        """A damaged file stops a step in every round."""
        if words not in self._said and len(self._said) < MAX_SAID:
            self._said.add(words)
            log.warning("upkeep: %s", words)

    def close(self) -> None:
        """Release the connection. Idempotent."""
        with self._lock:
            self._disconnect()
            on_close, self._on_close = self._on_close, None
        if on_close:
            on_close()

    def _retried(self, stage: str, call: Callable[[duckdb.DuckDBPyConnection], Made]) -> Made:
        for attempt in range(MAX_TRIES):
            try:
                with self._lock:
                    return self._called(call)
            except duckdb.Error as error:
                if not is_conflict(error):
                    raise self._failed(stage, error) from None
                last = error
                self._telemetry.count("why401.errors", stage="store", kind="conflict")
            pause(attempt)
        raise self._failed(stage, last)

    def _called(self, call: Callable[[duckdb.DuckDBPyConnection], Made]) -> Made:
        con = self._connected()
        self._calls += 1
        try:
            made = call(con)
        except BaseException:
            rollback(con)
            raise
        if self._calls >= MAX_CALLS:
            self._disconnect()
            give_back()
        return made

    def _connected(self) -> duckdb.DuckDBPyConnection:
        if self._con is None:
            self._con = self._opened()
        return self._con

    def _opened(self) -> duckdb.DuckDBPyConnection:
        try:
            con = connect(self.settings, writer(self.settings))
        except OSError as error:
            raise duckdb.IOException(f"{error.strerror}: {error.filename}") from None
        except (DamagedCatalog, LostCatalog) as error:  # it may be put back while we wait
            raise SinkUnavailable("store", str(error)) from None
        try:
            migrate(con)
            limit = min(self.settings.store.inline_rows, _MAX_INLINED_EVENTS)
            for sql in (_INLINED.format(limit=limit), *OPTIONS):
                con.execute(sql)
            self._recall(con)
        except BaseException:
            con.close()
            raise
        return con

    def _recall(self, con: duckdb.DuckDBPyConnection) -> None:
        for subject in con.execute(_SUBJECTS).fetchall():
            self._state.learn_subject(subject)
        if not self._state.habits.clients:
            self._recall_habits(con)
        if not self._state.affected:
            self._state.learn_affected(row[0] for row in con.execute(_AFFECTED).fetchall())

    def _recall_habits(self, con: duckdb.DuckDBPyConnection) -> None:
        seen: dict[Sight, Seen] = {}
        for *sent, samples, first, last in con.execute(_SENT).fetchall():
            times = Seen(samples, first, last, samples * self.settings.store.sample_allowed)
            for sight in habits.sights(Sent(*sent), is_trusted=True):
                seen[sight] = seen[sight].and_also(times) if sight in seen else times
        self._state.habits.recall(seen)

    def _failed(self, stage: str, error: duckdb.Error, *, kind: str = "unavailable") -> SinkUnavailable:
        self._telemetry.count("why401.errors", stage="store", kind=kind)
        with self._lock:
            self._disconnect()
        found = named(error, place(self.settings))
        return SinkUnavailable("store", str(found) if found else f"{stage}: {_told(error, self.settings)}")

    def _disconnect(self) -> None:
        con, self._con, self._calls = self._con, None, 0
        if con is not None:
            with contextlib.suppress(duckdb.Error):
                con.close()

    def _count(self, done: Plan, seconds: float, arrival_ns: int) -> None:
        stored = done.pipeline["stored", ""]
        self._telemetry.count("why401.events.stored", stored)
        for why in ("duplicate", "unstorable"):
            if n := done.pipeline["dropped", why]:
                self._telemetry.count("why401.records.dropped", n, reason=why)
        self._telemetry.observe("why401.store.commit.duration", seconds)
        self._telemetry.observe("why401.store.commit.rows", stored)
        if arrival_ns:
            self._telemetry.observe("why401.event.delay", max(0.0, time.time() - arrival_ns / 1e9))


def _newest(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """When the latest event arrived; DuckLake knows it from its statistics."""
    ((newest,),) = con.execute("SELECT max(observed_time) FROM store.events").fetchall()
    return newest if isinstance(newest, datetime) else None


def _told(error: duckdb.Error, settings: Settings) -> str:
    """What is wrong, if that is known, and DuckDB's first line without the secrets that it likes to quote."""
    text, why = str(error), reason(error)
    for secret in secrets(settings):
        text = text.replace(secret, "…")
    said = f"{type(error).__name__}: {text.splitlines()[0][:300] if text else ''}"
    return said if said.startswith(why) else f"{why} ({said})"
