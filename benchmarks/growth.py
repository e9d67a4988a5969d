"""`python -m benchmarks growth [EVENTS …]`: what a commit and each step of upkeep take on stores of so many events, made by `benchmarks.page`.

A commit has 2,000 rows. The first round of upkeep takes over what the maker left; what counts is the second one, after COMMITS more.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from analyzer.pipeline import Analyzer
from analyzer.store import Store, open_store
from analyzer.store.maintain import STEPS
from analyzer.verdicts import Verdict
from benchmarks.page import build
from benchmarks.scenarios import collector
from benchmarks.services import peak_mib
from benchmarks.traffic import envoy_json, records
from collector.records import Position
from collector.settings import Settings
from collector.telemetry import Telemetry

COMMITS: Final = 10
ROWS: Final = 2_000
DAYS: Final = 30


def main(arguments: list[str]) -> int:
    """A line per size: CPU ms."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks growth")
    parser.add_argument("events", nargs="*", type=int, default=[1_000_000, 10_000_000])
    stages, analyzer = collector(), Analyzer(Settings())
    verdicts = [analyzer.judge(stages.collect(record)) for record in records(envoy_json(ROWS, tokens=20))]
    print("| events | commit | commit after upkeep | " + " | ".join(name for name, _ in STEPS) + " | peak MiB |")
    print("|---" * (len(STEPS) + 4) + "|")
    for events in parser.parse_args(arguments).events:
        with tempfile.TemporaryDirectory() as folder:
            settings = replace(Settings(), data_dir=folder)
            build(settings, events, DAYS, datetime.now(UTC).replace(second=0, microsecond=0))
            store = open_store(settings, Telemetry())
            found = _measured(store, verdicts)
            store.close()
        print(f"| {events:,} | " + " | ".join(f"{ms:,.0f}" for ms in found) + f" | {peak_mib():,.0f} |", flush=True)
    return 0


def _measured(store: Store, verdicts: list[Verdict]) -> list[float]:
    place = 0

    def commit() -> None:
        nonlocal place
        store.append(verdicts, [Position("raw", 0, place, place + ROWS)], {("received", ""): ROWS})
        place += ROWS

    def commits() -> float:
        return statistics.median(_cpu_ms(commit) for _ in range(COMMITS))

    commits()
    store.maintain()
    before, upkeep = commits(), store.upkeep()
    steps = [_cpu_ms(lambda: next(upkeep)) for _ in STEPS]
    upkeep.close()
    return [before, commits(), *steps]


def _cpu_ms(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return (time.process_time() - started) * 1000
