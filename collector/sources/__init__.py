"""Sources: where raw records come from. One protocol per file; a new one is a module with a `Source`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from collector.records import Batch


class Intake(Protocol):
    """The bounded door of the pipeline, handed to every source."""

    def offer(self, batch: Batch[Any], *, timeout_s: float) -> None:
        """Queue a batch. Raises Backpressure when it does not fit within `timeout_s`; then nothing was taken.

        `batch.done` resolves after the sink made the batch durable, and carries Fenced or SinkUnavailable otherwise.
        """

    def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        """The next offset to read per partition, as the sink has it; a partition that it never saw is left out."""


class Source(Protocol):
    """Reads until `stop` is set. Must not raise on bad input, nor when its peer goes away: it reconnects."""

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Called once, in a thread of its own; returns soon after `stop` is set, with nothing half delivered."""
