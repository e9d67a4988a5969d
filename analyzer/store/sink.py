"""The sink that diagnoses events and commits their verdicts to the store.

It keeps what it was given until the store's transaction that holds it is committed; only then are the batches'
futures resolved, and only then does a source acknowledge.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from analyzer.pipeline import Analyzer
from analyzer.store.deltas import Given, together
from analyzer.store.store import Store
from analyzer.verdicts import Verdict
from collector.counted import Allowed
from collector.errors import Fenced
from collector.events import Event, Outcome, Words, gateway
from collector.records import Batch, joined
from collector.safe import FAILED
from collector.settings import Settings
from collector.telemetry import Telemetry

# A commit costs much that does not depend on its rows: the next one waits so many times what the last one took, but no
# longer than this. So a process that is short of time commits seldom, and one that has it commits when it was told to.
WAITS: Final = 9
LONGEST_WAIT_S: Final = 1.0


def _failed(event: Event) -> Event:
    """What is stored in place of an event that could not be judged."""
    return Event(
        time_ns=event.time_ns,
        observed_ns=event.observed_ns,
        origin=event.origin,
        gateway=gateway(event.gateway.kind),
        outcome=Outcome.UNREAD,
        words=Words(reason=FAILED),
        time_known=event.time_known,
    )


class StoreSink:
    """A collector.sinks.Sink that diagnoses and commits to the store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        telemetry: Telemetry,
        committed: Callable[[Verdict, int], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`committed` is called with every verdict once it is stored, and with how many records it is about."""
        self._store = store
        self._clock = clock
        self._committed = committed
        self._telemetry = telemetry
        self._analyzer = Analyzer(settings)
        self._rows = settings.store.commit_rows
        self._interval_s = settings.store.commit_interval_ms / 1000
        self._took_s = 0.0  # the last commit
        self._maintain_s = settings.store.maintenance_seconds
        self._batches: list[tuple[Batch[Event], Given]] = []
        self._pending = 0
        self._oldest = 0.0
        self._maintained = self._clock()
        telemetry.gauge("why401.cache.size", lambda: self._analyzer.diagnoser.cached, cache="diagnoses")

    def write(self, batch: Batch[Event]) -> None:
        """Diagnose now, commit with the next tick that is due."""
        if not self._batches:
            self._oldest = self._clock()
        given = Given(
            allowed=[self._counted(each) for each in batch.allowed],
            verdicts=[self._judged(event) for event in batch.items],
            samples=[self._analyzer.sample(event) for event in batch.samples],
        )
        self._batches.append((batch, given))
        self._pending += given.entries

    def tick(self) -> None:
        """Commit when enough rows wait or the oldest waited long enough; then see to maintenance."""
        if self._batches and (self._pending >= self._rows or self._clock() - self._oldest >= self._wait_s):
            self.flush()
        if self._clock() - self._maintained >= self._maintain_s:
            self._maintained = self._clock()
            self._store.maintain()

    def flush(self) -> None:
        """Commit everything. A fenced partition's batches are failed and the rest is committed without them."""
        while self._batches:
            try:
                self._commit()
            except Fenced as fenced:
                self._telemetry.count("why401.errors", stage="store", kind="Fenced")
                self._fail(fenced)
            else:
                self._resolve()

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        """As committed in the lake."""
        return self._store.positions(topic, partitions)

    def close(self) -> None:
        """Close the store. Idempotent."""
        self._store.close()

    def _judged(self, event: Event) -> Verdict:
        """An event that no rule was made for must not come again and again: it is stored as a failed one, and counted."""
        try:
            return self._analyzer.judge(event)
        except Exception as error:
            self._telemetry.count("why401.errors", stage="analyze", kind=type(error).__name__)
            self._telemetry.count("why401.records.dropped", reason="failed")
            return Verdict(_failed(event))

    def _counted(self, allowed: Allowed) -> Allowed:
        """Counted all the same when it cannot be learned from."""
        try:
            return self._analyzer.count(allowed)
        except Exception as error:
            self._telemetry.count("why401.errors", stage="analyze", kind=type(error).__name__)
            return allowed

    @property
    def _wait_s(self) -> float:
        """How old the oldest row may become."""
        return max(self._interval_s, min(WAITS * self._took_s, LONGEST_WAIT_S))

    def _commit(self) -> None:
        given = together([one for _, one in self._batches])
        positions = joined(position for batch, _ in self._batches for position in batch.positions)
        started = self._clock()
        files = [place for batch, _ in self._batches for place in batch.places]
        self._store.commit(given, positions, {("received", ""): given.records}, files)
        self._took_s = self._clock() - started

    def _resolve(self) -> None:
        for batch, given in self._batches:
            batch.done.set_result(None)
            if self._committed is not None:
                for allowed in given.allowed:
                    self._committed(Verdict(allowed.event), allowed.count)
                for verdict in given.verdicts:
                    self._committed(verdict, 1)
        self._clear([])

    def _fail(self, fenced: Fenced) -> None:
        def is_fenced(batch: Batch[Event]) -> bool:
            return any((p.topic, p.partition) == (fenced.topic, fenced.partition) for p in batch.positions)

        kept = [pair for pair in self._batches if not is_fenced(pair[0])]
        failed = [batch for batch, _ in self._batches if is_fenced(batch)]
        self._clear(kept)
        for batch in failed:
            batch.done.set_exception(fenced)

    def _clear(self, kept: list[tuple[Batch[Event], Given]]) -> None:
        self._batches = kept
        self._pending = sum(given.entries for _, given in kept)
