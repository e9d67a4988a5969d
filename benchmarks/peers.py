"""`python -m benchmarks peers [--rounds N] [MIX …]`: why401 and the OpenTelemetry Collector read one full Kafka topic, in turns.

The Collector redacts by two patterns and writes a file; why401 finds out what became of each request, reads its token, diagnoses refusals and
commits to its lake. Each is the program itself in a process of its own. Mixes, all of Envoy's JSON: `real` (2 % refused, each token used
50 times, 200 routes, an id in each path), `storm` (all refused, 200 tokens), `distinct` (all refused, every token new).
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.live.golang import BuildFailed
from benchmarks.otelcol import otelcol
from benchmarks.traffic import mixed
from tests.brokers import Broker, BrokerUnavailable, find_or_start, free_ports

HANG_S: Final = 180.0
POLL_S: Final = 0.5  # what why401 has done is read from its metrics, which costs it 3 ms
WARM: Final = 0.2  # of the records are read before the clock starts
TICKS: Final = os.sysconf("SC_CLK_TCK")
COUNTS: Final = {"real": 150_000, "storm": 60_000, "distinct": 60_000}
_WHY401: Final = """
data_dir = "{folder}"
[otlp]
grpc = ""
http = ""
[kafka]
bootstrap = ["{bootstrap}"]
topics = ["{topic}"]
group = "{group}"
[telemetry]
prometheus = "127.0.0.1:{port}"
"""
_OTELCOL: Final = """
receivers:
  kafka:
    brokers: ["{bootstrap}"]
    group_id: "{group}"
    initial_offset: earliest
    logs: {{topics: ["{topic}"], encoding: text}}
processors:
  batch: {{send_batch_size: 1000, timeout: 100ms}}
  redaction:
    allow_all_keys: true
    blocked_values: ['(?i)bearer\\s+[A-Za-z0-9._~+/=-]+', 'eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]*']
exporters:
  file: {{path: "{folder}/out.jsonl"}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines:
    logs: {{receivers: [kafka], processors: [redaction, batch], exporters: [file]}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One program that read the topic to its end."""

    per_second: float
    cpu_us: float
    peak_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A program: its command for a configuration file, that file's text, and how many records it is done with, given its folder and port."""

    name: str
    command: tuple[str, ...]
    config: str
    done: Callable[[Path, int], int]


def main(arguments: Sequence[str]) -> int:
    """A row per mix and program, and the ratios. 1 when there is no broker or no Collector here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks peers")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("mixes", nargs="*", default=list(COUNTS), choices=list(COUNTS))
    options = parser.parse_args(arguments)
    try:
        peers = (
            Peer(name="why401", command=_why401(), config=_WHY401, done=_stored),
            Peer(name="Collector", command=(str(otelcol()), "--config"), config=_OTELCOL, done=_written()),
        )
        broker = find_or_start()
    except (BuildFailed, BrokerUnavailable) as error:
        print(error)
        return 1
    try:
        print("| mix | program | events/s | CPU µs per event | peak MiB |\n|---|---|---|---|---|")
        for mix in options.mixes:
            _compare(broker, mix, peers, options.rounds)
    finally:
        broker.remove()
    return 0


def _why401() -> tuple[str, ...]:
    return (sys.executable, "-m", "why401", "up", "--config")


def _compare(broker: Broker, mix: str, peers: Sequence[Peer], rounds: int) -> None:
    topic, count = broker.topic(), COUNTS[mix]
    broker.produce(topic, [line.encode() for line in mixed(mix, count)])
    runs: dict[str, list[Run]] = {peer.name: [] for peer in peers}
    for turn in range(rounds):
        for peer in peers:
            runs[peer.name].append(_run(peer, broker, topic, f"{topic}-{peer.name}-{turn}", count))
    medians = {name: _median(found) for name, found in runs.items()}
    for name, run in medians.items():
        print(f"| {mix} | {name} | {run.per_second:,.0f} | {run.cpu_us:.1f} | {run.peak_mib:.0f} |", flush=True)
    ours, theirs = medians.values()
    speed, cost = ours.per_second / theirs.per_second, ours.cpu_us / theirs.cpu_us
    print(f"| {mix} | ratio | {speed:.2f} | {cost:.2f} | {ours.peak_mib / theirs.peak_mib:.1f} |", flush=True)


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        per_second=statistics.median(run.per_second for run in runs),
        cpu_us=statistics.median(run.cpu_us for run in runs),
        peak_mib=max(run.peak_mib for run in runs),
    )


def _run(peer: Peer, broker: Broker, topic: str, group: str, count: int) -> Run:
    with tempfile.TemporaryDirectory() as name:
        folder, (port,) = Path(name), free_ports(1)
        config = folder / "config"
        values = {"folder": folder, "bootstrap": broker.bootstrap, "topic": topic, "group": group, "port": port}
        config.write_text(peer.config.format(**values), encoding="utf-8")
        with _running((*peer.command, str(config)), folder) as started_pid:
            done = lambda: peer.done(folder, port)  # noqa: E731  # a partial would not read better
            first = _until(done, int(WARM * count))
            pid = _worker(started_pid)
            started, cpu = time.perf_counter(), _cpu_s(pid)
            last = _until(done, count)
            seconds, used = time.perf_counter() - started, _cpu_s(pid) - cpu
            events = last - first
            return Run(per_second=events / seconds, cpu_us=used / events * 1e6, peak_mib=_peak_mib(pid))


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[int]:
    """The process id of the program."""
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(HANG_S)


def _worker(pid: int) -> int:
    """The process that does the work: `why401 up` starts it as a child."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return int(children[0]) if children else pid


def _until(done: Callable[[], int], count: int) -> int:
    end = time.monotonic() + HANG_S
    while (now := done()) < count:
        if time.monotonic() > end:
            raise SystemExit(f"{now} of {count} records after {HANG_S:.0f} s")
        time.sleep(POLL_S)
    return now


def _stored(_folder: Path, port: int) -> int:
    """What why401 has committed, by its own metrics."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("why401_events_stored"))


def _written() -> Callable[[Path, int], int]:
    """What the Collector has written: a record each has a body; only what was added since is read again."""
    seen: dict[Path, tuple[int, int]] = {}

    def written(folder: Path, _port: int) -> int:
        path = folder / "out.jsonl"
        at, count = seen.get(path, (0, 0))
        if path.exists():
            with path.open("rb") as file:
                file.seek(at)
                whole = file.read()
            whole = whole[: whole.rfind(b"\n") + 1]
            seen[path] = at + len(whole), count + whole.count(b'"body":')
        return seen.get(path, (0, 0))[1]

    return written


def _cpu_s(pid: int) -> float:
    """User and system time of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
