"""The sink that diagnoses events and commits their verdicts to the store.

It keeps what it was given until the store's transaction that holds it is committed; only then are the batches'
futures resolved, and only then does a source acknowledge.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from analyzer.pipeline import Analyzer
from analyzer.store.commits import Commits
from analyzer.store.deltas import Given
from analyzer.store.store import Store
from analyzer.verdicts import Verdict
from collector.counted import Allowed
from collector.events import Event, Outcome, Words, gateway
from collector.records import Batch
from collector.safe import FAILED
from collector.settings import IssuerSettings, Settings
from collector.telemetry import Telemetry


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
        *,
        clock: Callable[[], float] = time.monotonic,
        thread: Executor | None = None,
    ) -> None:
        """`committed` is called with every verdict once it is stored, and with how many records it is about; on the thread of commits."""
        self._store = store
        self._telemetry = telemetry
        self._analyzer = Analyzer(settings)
        self._commits = Commits(settings.store, store, telemetry, committed, clock=clock, thread=thread)
        telemetry.gauge("why401.cache.size", lambda: self._analyzer.diagnoser.cached, cache="diagnoses")

    def expect(self, issuers: Sequence[IssuerSettings], since_ns: int) -> None:
        """Requests from then on are judged by these. From any thread."""
        self._analyzer.diagnoser.expect(issuers, since_ns)

    def write(self, batch: Batch[Event]) -> None:
        """Diagnose now, commit with the next tick that is due."""
        given = Given(
            allowed=[self._counted(each) for each in batch.allowed],
            verdicts=[self._judged(event) for event in batch.items],
            samples=[self._analyzer.sample(event) for event in batch.samples],
        )
        self._commits.add(batch, given)

    def tick(self) -> None:
        """Begin a commit when one is due, unless one is under way; then see to upkeep. Raises what the last commit raised."""
        self._commits.tick()

    def flush(self) -> None:
        """Commit everything, and wait for it."""
        self._commits.flush()

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        """As committed in the lake."""
        return self._store.positions(topic, partitions)

    def close(self) -> None:
        """End the thread of commits and close the store. Idempotent."""
        self._commits.close()
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
