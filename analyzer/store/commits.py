"""Commits on a thread of their own: while one is made, the next is collected and diagnosed.

One at a time and in order. What waits for the next commit is bounded, and what a failed commit held goes before it again, so nothing
overtakes: the fence, the offsets and the places in files stay those of an unbroken sequence. Upkeep is done by the same thread,
a step between two commits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from analyzer.store.deltas import Given, together
from analyzer.store.store import Store
from analyzer.verdicts import Verdict
from collector.errors import Fenced
from collector.events import Event
from collector.records import Batch, joined
from collector.settings import StoreSettings
from collector.telemetry import Telemetry

# A commit costs much that does not depend on its rows: the next one waits so many times what the last one took, but no
# longer than this. So a process that is short of time commits seldom, and one that has it commits when it was told to.
WAITS: Final = 9
LONGEST_WAIT_S: Final = 1.0
Judged = tuple[Batch[Event], Given]


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnderWay:
    """The commit that the thread is making."""

    batches: list[Judged]
    oldest: float
    ended: Future[None]


class Commits:
    """Takes batches, commits them in order, resolves them on its thread. One worker owns it."""

    def __init__(
        self,
        settings: StoreSettings,
        store: Store,
        telemetry: Telemetry,
        committed: Callable[[Verdict, int], None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        thread: Executor | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._committed = committed
        self._telemetry = telemetry
        self._thread = thread or ThreadPoolExecutor(1, "commits")
        self._rows = settings.commit_rows
        self._interval_s = settings.commit_interval_ms / 1000
        self._took_s = 0.0  # the last commit
        self._waiting: list[Judged] = []
        self._entries = 0
        self._oldest = 0.0
        self._under_way: _UnderWay | None = None
        self._is_away = False  # the last commit failed: nothing is taken until one succeeds
        self._maintain_s = settings.maintenance_seconds
        self._maintained = self._clock()
        self._upkeep: Generator[None] | None = None
        self._step: Future[bool] | None = None  # of upkeep; whether it was the last

    def add(self, batch: Batch[Event], given: Given) -> None:
        """Take a batch for the next commit."""
        if not self._waiting:
            self._oldest = self._clock()
        self._waiting.append((batch, given))
        self._entries += given.entries

    def tick(self) -> None:
        """Begin a commit when enough rows wait or the oldest waited long enough; then see to upkeep.

        Waits for the commit under way when as many rows wait as one takes. Raises what a commit raises but Fenced; what it held
        is committed by a later call, before everything else.
        """
        self._look()
        if self._under_way is None and self._is_due():
            self._begin()
            if self._is_away:
                self._settle(self._under_way)
        self._see_to_upkeep()

    def flush(self) -> None:
        """Commit everything, and wait for it. Raises as `tick`."""
        while self._under_way or self._waiting:
            if self._under_way is None:
                self._begin()
            self._settle(self._under_way)

    def close(self) -> None:
        """End the thread after what it is doing. Idempotent."""
        if self._upkeep is not None:
            self._thread.submit(self._upkeep.close)  # gives the lease back
            self._upkeep = None
        self._thread.shutdown()

    def _is_full(self) -> bool:
        return self._entries >= self._rows

    def _is_due(self) -> bool:
        wait_s = max(self._interval_s, min(WAITS * self._took_s, LONGEST_WAIT_S))
        return bool(self._waiting) and (self._is_full() or self._clock() - self._oldest >= wait_s)

    def _look(self) -> None:
        if self._under_way is None:
            return
        if not self._under_way.ended.done():
            if not self._is_full():
                return
            self._telemetry.count("why401.store.waits")
        self._settle(self._under_way)

    def _begin(self) -> None:
        batches, oldest = self._waiting, self._oldest
        self._keep([])
        ended = self._thread.submit(self._commit, batches)
        self._under_way = _UnderWay(batches=batches, oldest=oldest, ended=ended)

    def _settle(self, under_way: _UnderWay | None) -> None:
        """Wait for the end of a commit. A fenced partition's batches are failed, and the rest goes on without them."""
        if under_way is None:
            return
        self._under_way = None
        try:
            under_way.ended.result()
        except Exception as error:
            self._keep(under_way.batches + self._waiting)
            self._oldest = under_way.oldest
            self._is_away = not isinstance(error, Fenced)
            if not isinstance(error, Fenced):
                raise
            self._telemetry.count("why401.errors", stage="store", kind="Fenced")
            self._fail(error)
        else:
            self._is_away = False

    def _commit(self, batches: list[Judged]) -> None:
        """On the thread: all of them in one transaction."""
        given = together([one for _, one in batches])
        positions = joined(position for batch, _ in batches for position in batch.positions)
        files = [place for batch, _ in batches for place in batch.places]
        started = self._clock()
        self._store.commit(given, positions, {("received", ""): given.records}, files)
        self._took_s = self._clock() - started
        for batch, one in batches:
            batch.done.set_result(None)
            self._tell(one)

    def _tell(self, given: Given) -> None:
        if self._committed is None:
            return
        for allowed in given.allowed:
            self._committed(Verdict(allowed.event), allowed.count)
        for verdict in given.verdicts:
            self._committed(verdict, 1)

    def _fail(self, fenced: Fenced) -> None:
        """Also what came later: it continues what was not committed."""

        def is_fenced(batch: Batch[Event]) -> bool:
            return any((p.topic, p.partition) == (fenced.topic, fenced.partition) for p in batch.positions)

        failed = [batch for batch, _ in self._waiting if is_fenced(batch)]
        self._keep([pair for pair in self._waiting if not is_fenced(pair[0])])
        for batch in failed:
            batch.done.set_exception(fenced)

    def _keep(self, waiting: list[Judged]) -> None:
        self._waiting = waiting
        self._entries = sum(given.entries for _, given in waiting)

    def _see_to_upkeep(self) -> None:
        if self._step is not None:
            if not self._step.done():
                return
            step, upkeep = self._step, self._upkeep
            self._step = self._upkeep = None
            self._upkeep = None if step.result() else upkeep
        if self._upkeep is None and self._clock() - self._maintained >= self._maintain_s:
            self._maintained = self._clock()
            self._upkeep = self._store.upkeep()
        if self._upkeep is not None:
            self._step = self._thread.submit(_is_last, self._upkeep)


def _is_last(upkeep: Generator[None]) -> bool:
    """Do a step; whether there are no more."""
    return next(upkeep, upkeep) is upkeep
