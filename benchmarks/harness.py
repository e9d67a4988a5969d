"""Runs a scenario in a process of its own and reports medians: events/s, CPU µs per event, peak memory."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

ROUNDS = 5
HANG_SECONDS = 180.0


@dataclass(frozen=True)
class Result:
    """Medians over the rounds after one warm-up; memory is the process's peak in MiB."""

    name: str
    events: int
    per_second: float
    cpu_us: float
    spread: float  # slowest round over fastest
    peak_mib: float
    note: str = ""


def measure(name: str, run: Callable[[], int], *, rounds: int = ROUNDS, warmup: bool = True, note: str = "") -> Result:
    """`run` does the work once and returns how many events it handled."""
    if warmup:
        run()
    samples = [_once(run) for _ in range(rounds)]
    rates = [events / wall for events, wall, _ in samples]
    cpu = statistics.median(used / events * 1e6 for events, _, used in samples)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Result(name, samples[0][0], statistics.median(rates), cpu, max(rates) / min(rates), peak, note)


def _once(run: Callable[[], int]) -> tuple[int, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    events = run()
    return events, time.perf_counter() - wall, time.process_time() - cpu


def in_own_process(name: str, timeout_s: float | None = HANG_SECONDS) -> Result | None:
    """The scenario's result, or None when it could not run or hung; what it said of it is on stderr."""
    command = [sys.executable, "-m", "benchmarks", "--one", name]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return None
    line = done.stdout.strip().rpartition("\n")[2]
    return Result(**json.loads(line)) if done.returncode == 0 and line.startswith("{") else None


def report(result: Result) -> str:
    """One row of the table."""
    row = f"{result.name:<22} {result.per_second:>10,.0f}/s {result.cpu_us:>9.1f} µs {result.peak_mib:>7.0f} MiB   ×{result.spread:.2f}"
    return f"{row}   {result.note}".rstrip()


def as_json(result: Result) -> str:
    """For the parent process."""
    return json.dumps(asdict(result))
