"""What is done with every verdict once it is committed. None of it can hold up or undo the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from analyzer.verdicts import Verdict
from collector.settings import Settings
from collector.telemetry import Telemetry
from why401.outputs.counts import Counts

Committed = Callable[[Verdict, int], None]


@contextmanager
def leaving(settings: Settings, telemetry: Telemetry, also: Committed | None = None) -> Iterator[Committed]:
    """What the store's sink calls with each verdict and how many requests it stands for; `also` is the caller's own."""
    takers: list[Committed] = [Counts(settings, telemetry).add]
    if also is not None:
        takers.append(also)
    yield _each(takers, telemetry)


def _each(takers: Sequence[Committed], telemetry: Telemetry) -> Committed:
    def tell(verdict: Verdict, count: int) -> None:
        for take in takers:
            try:
                take(verdict, count)
            except Exception as error:  # the rows are committed: whoever fails here must not make them come again
                telemetry.count("why401.errors", stage="outputs", kind=type(error).__name__)

    return tell
