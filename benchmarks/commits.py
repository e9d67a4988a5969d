"""The store's soak: thousands of small commits, which is what a quiet gateway makes of a day."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from typing import Final

from analyzer.pipeline import Analyzer
from analyzer.store import open_store
from benchmarks.harness import Result
from benchmarks.scenarios import collector
from benchmarks.services import now_mib, peak_mib
from benchmarks.traffic import envoy_json, records
from collector.records import Position
from collector.settings import Settings
from collector.telemetry import Telemetry

COMMITS: Final = 3_000
ROWS: Final = 100
UPKEEP_EVERY: Final = 100  # commits


def small_commits() -> Result:
    """Memory after each commit; the medians of the second and of the last third are compared."""
    stages, analyzer = collector(), Analyzer(Settings())
    verdicts = [analyzer.judge(stages.collect(record)) for record in records(envoy_json(ROWS, tokens=20))]
    memory = []
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Settings(data_dir=folder), Telemetry())
        started = time.perf_counter()
        for commit in range(COMMITS):
            store.append(verdicts, [Position("raw", 0, commit * ROWS, (commit + 1) * ROWS)], {("received", ""): ROWS})
            if commit % UPKEEP_EVERY == UPKEEP_EVERY - 1:
                store.maintain()
                print(f"{commit + 1} commits, {now_mib():.0f} MiB", file=sys.stderr, flush=True)
            memory.append(now_mib())
        wall = time.perf_counter() - started
        store.close()
    third, rows = COMMITS // 3, COMMITS * ROWS
    growth = statistics.median(memory[-third:]) - statistics.median(memory[third : 2 * third])
    note = f"{COMMITS:,} commits; memory grew {growth:+.0f} MiB from the second third to the last"
    return Result("soak-store", rows, rows / wall, wall / rows * 1e6, 1.0, peak_mib(), note)
