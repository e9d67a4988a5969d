"""The processes of a service, what they stand on, and what happened to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from analyzer.lake import LakeError, connect_reader
from benchmarks.chaos.logs import Log
from benchmarks.chaos.report import Report
from benchmarks.chaos.surroundings import Clock, Disk, Server
from collector.settings import Settings

if TYPE_CHECKING:
    from tests.brokers import Broker

PATIENCE_S: Final = 300.0
STOP_S: Final = 60.0
SHORT_LIFE_S: Final = 1.0  # who starts anything again waits a little
FILES: Final = "SELECT count(*), count(DISTINCT request_id) FROM store.events WHERE origin_kind = 'file'"
POSITIONS: Final = "SELECT coalesce(sum(next), 0)::BIGINT FROM positions"


@dataclass(slots=True)
class Process:
    """`why401 COMMAND`, which is started again whenever it ends."""

    command: str
    config: Path
    environment: dict[str, str]
    running: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it said, all its lives."""
        return self.config.parent / f"{self.command}.log"

    def start(self) -> None:
        """Begin a life."""
        words = [sys.executable, "-m", "why401", self.command.split("-")[0], "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(words, stdout=log, stderr=log, env={**os.environ, **self.environment})

    def signal_worker(self, number: int) -> None:
        """To the process in which the supervised one works; between two of them, to the supervisor."""
        if self.running is None:
            return
        with suppress(OSError):
            children = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children").read_text(encoding="ascii")
            os.kill(int((children.split() or [str(self.running.pid)])[0]), number)

    def kill(self) -> None:
        """The supervisor, and with it who works."""
        if self.running is not None:
            self.signal_worker(signal.SIGKILL)
            self.running.kill()
            self.running.wait()

    def end(self) -> str:
        """In order; what is wrong with how it ended."""
        if self.running is None or self.running.poll() is not None:
            return ""
        self.running.terminate()
        try:
            status = self.running.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"{self.command} did not end within {STOP_S:g} s"
        return f"{self.command} ended with {status}" if status else ""


@dataclass(slots=True)
class Rig:
    """Everything that runs, and what happened to it."""

    settings: Settings
    processes: list[Process]
    broker: Broker
    topic: str
    server: Server | None
    disk: Disk | None
    clock: Clock | None
    log: Log | None
    report: Report = field(default_factory=Report)
    sent: int = 0
    _position: int = 0
    _moved: float = field(default_factory=time.monotonic)

    def keep(self) -> None:
        """Start again what ended by itself, and note what it said."""
        for process in self.processes:
            if process.running is None or process.running.poll() is None:
                continue
            if process.running.returncode:
                self.report.said[f"{process.command}: {_last_words(process.log)}"] += 1
            time.sleep(SHORT_LIFE_S)
            self.restart(process)

    def restart(self, process: Process) -> None:
        """One more life."""
        process.start()
        self.report.restarts += 1

    def await_commit(self) -> None:
        """Until somebody commits again: otherwise nothing would be tried between two faults. Raises SystemExit."""
        before, deadline = self.position(), time.monotonic() + PATIENCE_S
        while self.position() <= before:
            self.keep()
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing was stored for {PATIENCE_S:g} s:\n{_last_lines(self.processes)}")
            time.sleep(0.3)

    def position(self) -> int:
        """How far the topics were read; the longest time in which it stood still is the longest outage."""
        with suppress(duckdb.Error, LakeError):
            found = int(asked(self.settings, POSITIONS)[0][0])
            now = time.monotonic()
            if found > self._position:
                if self._position:
                    self.report.outage_s = max(self.report.outage_s, now - self._moved)
                self._position, self._moved = found, now
        return self._position

    def await_files(self) -> bool:
        """Until every line that was written by now is stored, or nothing comes for a while."""
        wanted = self.log.written if self.log else 0
        return self.await_stored(lambda: int(asked(self.settings, FILES)[0][1]), wanted, PATIENCE_S)

    def await_stored(self, stored: Callable[[], int], wanted: int, patience_s: float) -> bool:
        """Until so many are stored, or nothing comes for `patience_s`."""
        best, deadline = -1, time.monotonic() + patience_s
        while time.monotonic() < deadline:
            self.keep()
            with suppress(duckdb.Error, LakeError):
                found = stored()
                if found >= wanted:
                    return True
                if found > best:
                    best, deadline = found, time.monotonic() + patience_s
            time.sleep(0.5)
        return False


def asked(settings: Settings, sql: str) -> list[Any]:
    """Rows of the lake. Raises duckdb.Error, LakeError."""
    with connect_reader(settings, memory_mib=512) as con:
        return con.execute(sql).fetchall()


def _last_words(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or [""])[-1][-300:]


def _last_lines(processes: list[Process]) -> str:
    return "\n".join(process.log.read_text(errors="replace")[-2000:] for process in processes)
