"""A writer in a process of its own: commits batches of a partition one after the other and says how far it is."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from analyzer.store import open_store
from collector.errors import Fenced
from collector.events import Origin
from collector.records import Position
from collector.settings import Settings, StoreSettings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import failing, passing


def batch(topic: str, partition: int, first: int, rows: int):
    """Verdicts of raw offsets first … first + rows - 1, every tenth one passing."""
    for offset in range(first, first + rows):
        origin = Origin("kafka", topic, partition, offset)
        yield passing(offset % 60, origin=origin) if offset % 10 == 0 else failing(offset % 60, origin=origin)


def write(data_dir: str, catalog: str, partition: int, rows: int, until: int) -> None:
    """Commit batches of `rows` until offset `until`; prints the offset after each commit."""
    about = Settings()
    settings = replace(about, data_dir=data_dir, store=replace(StoreSettings(), catalog=catalog, sample_allowed=1))
    store = open_store(settings, Telemetry())
    at = store.positions("raw", [partition]).get(partition, 0)
    while at < until:
        try:
            store.append(
                list(batch("raw", partition, at, rows)),
                [Position("raw", partition, at, at + rows)],
                {("received", ""): rows},
            )
        except Fenced as fence:
            print(f"fenced {fence.found}", flush=True)
            at = fence.found
            continue
        at += rows
        print(at, flush=True)
        if at % (rows * 10) == 0:
            store.maintain()
    store.close()


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
