"""Chaos: two analyzers' stores on one lake, while PostgreSQL restarts and one of them is stopped for a while, or killed.

    python -m benchmarks chaos --minutes 10 --catalog sqlite

A round stops a writer (SIGSTOP) for longer than Kafka would wait for it, restarts PostgreSQL (`fast`, `immediate`, or not at all), and lets the
writer go on, or kills it (SIGKILL) in the middle of whatever it does. With a SQLite catalog there is nothing to restart. Both write to both partitions and do the upkeep as often as they can, as if every rebalance had gone wrong. It
passes when every record is stored once, and each partition's position is the end of what is stored of it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import duckdb

from analyzer.lake import LakeError, connect_reader
from analyzer.lake.attach import CATALOG_FILE
from benchmarks.chaos_writer import PARTITIONS, settings_of
from collector.settings import Settings

POSTGRES: Final = Path("/usr/lib/postgresql")
FAULTS: Final = {"postgres": ("none", "kill", "fast", "immediate"), "sqlite": ("none", "kill")}
PATIENCE_S: Final = 600.0
STORED: Final = """
SELECT origin_partition, count(*), count(DISTINCT origin_offset), max(origin_offset) + 1 FROM store.events GROUP BY ALL ORDER BY ALL
"""


@dataclass(slots=True)
class Report:
    """What happened, and what is in the lake at the end."""

    rounds: Counter[str] = field(default_factory=Counter)  # by kind of restart
    came_back: int = 0  # rounds after which a deleted position was seen
    crashes: int = 0  # of writers, by a signal that was neither SIGKILL of ours nor SIGSTOP
    outage_s: float = 0.0  # the longest time in which nobody committed
    stored: list[tuple[int, int, int, int]] = field(default_factory=list)  # partition, rows, records, end
    positions: list[tuple[int, int]] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Records before a position that are not stored, or a position behind what is."""
        ends = dict(self.positions)
        return sum(abs(ends.get(partition, 0) - records) for partition, _, records, _ in self.stored)

    @property
    def doubled(self) -> int:
        """Rows too many."""
        return sum(rows - records for _, rows, records, _ in self.stored)


def main(arguments: list[str]) -> int:
    """Run it and print the report; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="benchmarks chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--catalog", choices=sorted(FAULTS), action="append", help="one kind only [both in turn]")
    about = parser.parse_args(arguments)
    kinds = about.catalog or sorted(FAULTS)
    chance = random.Random(about.seed)  # chooses faults
    return max(_told(kind, about.minutes * 60 / len(kinds), chance) for kind in kinds)


def _told(kind: str, seconds: float, chance: random.Random) -> int:
    """Run it with this kind of catalog and print the report; 1 when a promise is broken."""
    with tempfile.TemporaryDirectory() as folder, _postgres() if kind == "postgres" else nullcontext() as server:
        outcome = run(server, Path(folder), seconds, chance)
    print(
        f"{kind}: rounds {outcome.rounds.total()} {dict(outcome.rounds)}, records {sum(n for _, _, n, _ in outcome.stored):,}, lost {outcome.lost}, "
        f"doubled {outcome.doubled}, deleted positions seen again {outcome.came_back}, crashes {outcome.crashes}, "
        f"longest outage {outcome.outage_s:.1f} s",
        flush=True,
    )
    return 1 if outcome.lost or outcome.doubled or len(outcome.positions) != len(PARTITIONS) else 0


def run(server: _Server | None, folder: Path, seconds: float, chance: random.Random) -> Report:
    """Rounds until the time is over; then the writers end in order, and the lake is looked at."""
    catalog = server.catalog if server else f"sqlite:{folder / 'data' / CATALOG_FILE}"
    settings = settings_of(str(folder / "data"), catalog)
    outcome = Report()
    with _writers(folder, settings) as writers:
        _await_ends(settings, {})
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            _await_commit(folder)
            _round(server, writers, outcome, chance)
            outcome.came_back += len(_asked(settings, "SELECT 1 FROM store.offsets")) > len(PARTITIONS)
        _await_ends(settings, dict(_asked(settings, "SELECT partition, next FROM positions")))
        outcome.outage_s = _longest_pause(folder)
    ended = (folder / "log").read_text(errors="replace").count("the working process was ended by")
    outcome.crashes = max(0, ended - outcome.rounds["kill"])
    outcome.stored, outcome.positions = (
        _asked(settings, sql) for sql in (STORED, "SELECT partition, next FROM positions")
    )
    return outcome


def _await_commit(folder: Path) -> None:
    """Until somebody commits again: on a slow machine nobody would come back between two faults, and nothing would be tried."""
    progress, deadline = folder / "progress", time.monotonic() + PATIENCE_S
    before = progress.stat().st_size
    while progress.stat().st_size == before and time.monotonic() < deadline:
        time.sleep(0.1)


def _round(
    server: _Server | None, writers: list[subprocess.Popen[bytes]], outcome: Report, chance: random.Random
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
    outcome.rounds[fault] += 1


@contextmanager
def _writers(folder: Path, settings: Settings) -> Iterator[list[subprocess.Popen[bytes]]]:
    arguments = [settings.data_dir, settings.store.catalog, str(folder / "progress")]
    with (folder / "log").open("ab") as log:
        command = [sys.executable, "-m", "benchmarks.chaos_writer", *arguments]
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
    """The process in which the supervised writer works; between two of them, the supervisor."""
    children = Path(f"/proc/{writer.pid}/task/{writer.pid}/children").read_text(encoding="ascii").split()
    return int(children[0]) if children else writer.pid


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


@dataclass(frozen=True, slots=True)
class _Server:
    """A PostgreSQL server of our own."""

    command: list[str]
    catalog: str
    folder: str

    def start(self) -> None:
        """Return when it answers, after crash recovery."""
        self._run("-w", "start")

    def stop(self, mode: str) -> None:
        """`fast` ends sessions in order, `immediate` as a crash does."""
        self._run("-m", mode, "-w", "stop")

    def _run(self, *words: str) -> None:
        subprocess.run([*self.command, *words], check=True, stdout=subprocess.DEVNULL, cwd=self.folder)


@contextmanager
def _postgres() -> Iterator[_Server]:
    from tests.brokers import free_ports

    versions = sorted(POSTGRES.glob("*/bin/initdb"))
    if not versions:
        raise SystemExit(f"no PostgreSQL server's binaries below {POSTGRES}")
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # PostgreSQL refuses to run as root
    folder = tempfile.mkdtemp(prefix="chaos-")
    if user:
        shutil.chown(folder, "postgres")
    (port,) = free_ports(1)
    words = [
        *user,
        str(versions[-1]),
        "-D",
        f"{folder}/cluster",
        "-U",
        "why401",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
    ctl = [
        *user,
        str(versions[-1].with_name("pg_ctl")),
        "-D",
        f"{folder}/cluster",
        "-o",
        options,
        "-l",
        f"{folder}/log",
    ]
    server = _Server(ctl, f"postgres:host=127.0.0.1 port={port} user=why401 dbname=postgres", folder)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
