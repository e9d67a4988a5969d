"""Sinks: where batches become durable. The store (analyzer) and the event topic (Kafka) are the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from collector.events import Event
from collector.records import Batch


class Sink(Protocol):
    """Called by the pipeline's one worker thread only."""

    def write(self, batch: Batch[Event]) -> None:
        """Take a batch; it need not be durable yet."""

    def tick(self) -> None:
        """Called at least every 100 ms: make durable what is due and resolve the batches' futures.

        May raise SinkUnavailable; the pipeline then waits with backoff and calls again, and takes nothing meanwhile.
        """

    def flush(self) -> None:
        """Make everything durable now (at shutdown)."""

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        """The next offset to read per partition; thread-safe."""

    def close(self) -> None:
        """Release connections. Idempotent."""
