"""Two analyzers' stores on one lake, while PostgreSQL restarts and one of them is stopped for a while, or killed.

A round stops a writer (SIGSTOP) for longer than Kafka would wait for it, restarts PostgreSQL (`fast`, `immediate`, or not at all), and lets the
writer go on, or kills it (SIGKILL) in the middle of whatever it does. With a SQLite catalog there is nothing to restart. Both write to both partitions and do the upkeep as often as they can, as if every rebalance had gone wrong. It
passes when every record is stored once, and each partition's position is the end of what is stored of it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import duckdb

from analyzer.lake import LakeError, connect_reader
from analyzer.lake.attach import CATALOG_FILE
from benchmarks.chaos.report import Report
from benchmarks.chaos.surroundings import Server
from benchmarks.chaos.writer import PARTITIONS, settings_of
from collector.settings import Settings

FAULTS: Final = {"postgres": ("none", "kill", "fast", "immediate"), "sqlite": ("none", "kill")}
PATIENCE_S: Final = 600.0
STORED: Final = "SELECT origin_partition, count(*), count(DISTINCT origin_offset) FROM store.events GROUP BY ALL"
POSITIONS: Final = "SELECT partition, next FROM positions"


def run(server: Server | None, folder: Path, seconds: float, chance: random.Random) -> Report:
    """Rounds until the time is over; then the writers end in order, and the lake is looked at."""
    catalog = server.catalog if server else f"sqlite:{folder / 'data' / CATALOG_FILE}"
    settings = settings_of(str(folder / "data"), catalog)
    report = Report()
    with _writers(folder, settings) as writers:
        _await_ends(settings, {})
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            _await_commit(folder)
            _round(server, writers, report, chance)
            # DuckLake brings deleted rows back; an epoch makes them harmless (docs/store.md).
            report.notes["deleted positions seen again"] += len(_asked(settings, "SELECT 1 FROM store.offsets")) > len(
                PARTITIONS
            )
        _await_ends(settings, dict(_asked(settings, POSITIONS)))
        report.outage_s = _longest_pause(folder)
    report.restarts = (folder / "log").read_text(errors="replace").count("the working process was ended by")
    report.crashes = max(0, report.restarts - report.rounds["kill"])
    _compare(settings, report)
    return report


def _compare(settings: Settings, report: Report) -> None:
    """What is stored with the positions, before which everything must be."""
    ends, stored = dict(_asked(settings, POSITIONS)), _asked(settings, STORED)
    report.records = sum(ends.values())
    report.lost = sum(abs(ends.get(partition, 0) - records) for partition, _, records in stored)
    report.doubled = sum(rows - records for _, rows, records in stored)
    if {partition for partition, _, _ in stored} != set(PARTITIONS) or set(ends) != set(PARTITIONS):
        report.broken.append("a partition has no records, or no position")


def _await_commit(folder: Path) -> None:
    """Until somebody commits again: on a slow machine nobody would come back between two faults, and nothing would be tried."""
    progress, deadline = folder / "progress", time.monotonic() + PATIENCE_S
    before = progress.stat().st_size
    while progress.stat().st_size == before and time.monotonic() < deadline:
        time.sleep(0.1)


def _round(
    server: Server | None, writers: list[subprocess.Popen[bytes]], report: Report, chance: random.Random
) -> None:
    time.sleep(chance.uniform(0.2, 1.0))
    stopped, fault = _child(chance.choice(writers)), chance.choice(FAULTS["postgres" if server else "sqlite"])
    with suppress(ProcessLookupError):
        os.kill(stopped, signal.SIGSTOP)
    time.sleep(chance.uniform(0.0, 1.0))
    if server and fault in ("fast", "immediate"):
        server.stop(fault)
        time.sleep(chance.uniform(0.0, 0.5))
        server.start()
    time.sleep(chance.uniform(0.5, 2.0))
    with suppress(ProcessLookupError):
        os.kill(stopped, signal.SIGKILL if fault == "kill" else signal.SIGCONT)
    report.rounds[fault] += 1


@contextmanager
def _writers(folder: Path, settings: Settings) -> Iterator[list[subprocess.Popen[bytes]]]:
    arguments = [settings.data_dir, settings.store.catalog, str(folder / "progress")]
    with (folder / "log").open("ab") as log:
        command = [sys.executable, "-m", "benchmarks.chaos.writer", *arguments]
        writers = [subprocess.Popen(command, stdout=log, stderr=log) for _ in PARTITIONS]
    try:
        yield writers
    finally:
        for writer in writers:
            writer.terminate()
        for writer in writers:
            try:
                writer.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                writer.kill()


def _child(writer: subprocess.Popen[bytes]) -> int:
    """The process in which the supervised writer works; between two of them, the next."""
    while not (children := Path(f"/proc/{writer.pid}/task/{writer.pid}/children").read_text(encoding="ascii").split()):
        time.sleep(0.1)
    return int(children[0])


def _await_ends(settings: Settings, beyond: dict[int, int]) -> None:
    """Until every partition has come further: whoever was in the way of a fault is back."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(duckdb.Error, LakeError):
            now = dict(_asked(settings, "SELECT partition, next FROM positions"))
            if all(now.get(partition, 0) > beyond.get(partition, 0) for partition in PARTITIONS):
                return
        time.sleep(0.5)
    raise SystemExit("nobody writes any more")


def _asked(settings: Settings, sql: str) -> list[Any]:
    for attempt in range(20):
        try:
            with connect_reader(settings, memory_mib=512) as con:
                return con.execute(sql).fetchall()
        except (duckdb.Error, LakeError):  # PostgreSQL is starting, or nobody wrote yet
            if attempt == 19:
                raise
            time.sleep(0.5)
    return []


def _longest_pause(folder: Path) -> float:
    times = sorted(float(line) for line in (folder / "progress").read_text(encoding="ascii").split())
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)
