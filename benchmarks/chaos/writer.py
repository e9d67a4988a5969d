"""A writer of chaos: commits to every partition in turn where the store says that it ends, until SIGTERM.

Nothing native may be loaded before the supervisor forks, so what works is imported where it works.
"""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collector.errors import Fenced, SinkUnavailable
from collector.settings import Settings, StoreSettings
from why401.restarting import supervised

if TYPE_CHECKING:
    from analyzer.store import Store
    from analyzer.verdicts import Verdict

TOPIC: Final = "why401.events"
PARTITIONS: Final = (0, 1)
ROWS: Final = 30  # a commit
UPKEEP_EVERY: Final = 3  # commits


def settings_of(data_dir: str, catalog: str) -> Settings:
    """Of the lake that all writers share."""
    return replace(Settings(), data_dir=data_dir, store=StoreSettings(catalog=catalog))


def write(settings: Settings, progress: Path) -> None:
    """Until SIGTERM; a line with the time goes to `progress` for each commit."""
    from analyzer.store import Store
    from collector.telemetry import Telemetry

    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    store = Store(settings, Telemetry())
    ends: dict[int, int] = {}
    turn = 0
    while not stop:
        turn += 1
        try:
            _commit(store, PARTITIONS[turn % len(PARTITIONS)], ends)
            with progress.open("a", encoding="ascii") as file:
                print(time.time(), file=file)
            if turn % UPKEEP_EVERY == 0:
                store.maintain()
        except (Fenced, SinkUnavailable):
            time.sleep(0.1)
    store.close()


def _commit(store: Store, partition: int, ends: dict[int, int]) -> None:
    from collector.records import Position

    first = ends.pop(partition, None)  # after a failure the store is asked
    if first is None:
        first = store.positions(TOPIC, [partition]).get(partition, 0)
    end = first + ROWS
    verdicts = [_verdict(partition, offset) for offset in range(first, end)]
    store.append(verdicts, [Position(TOPIC, partition, first, end)], {("received", ""): ROWS})
    ends[partition] = end


def _verdict(partition: int, offset: int) -> Verdict:
    from analyzer.verdicts import Verdict
    from collector.events import Event, Gateway, Origin, Outcome
    from collector.redaction import fixed

    return Verdict(
        Event(
            time_ns=time.time_ns(),
            observed_ns=time.time_ns(),
            origin=Origin(kind=fixed("kafka"), source=fixed(TOPIC), partition=partition, offset=offset),
            gateway=Gateway(kind=fixed("envoy")),
            outcome=Outcome.DENIED,
        )
    )


if __name__ == "__main__":
    supervised(lambda: write(settings_of(sys.argv[1], sys.argv[2]), Path(sys.argv[3])))
