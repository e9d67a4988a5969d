"""`python -m benchmarks peers [--rounds N] [--over kafka|otlp] [MIX …]`: why401 and the OpenTelemetry Collector read the same records, in turns.

They read one full Kafka topic of four partitions, or what `benchmarks.posting` posts over OTLP/gRPC. The Collector redacts by two patterns and
writes a file, and acknowledges what is in its memory; why401 finds out what became of each request, reads its token, diagnoses refusals,
commits to its lake, and acknowledges then. Each is the program itself in processes of its own; why401 also with two workers. Mixes: `real`
(ten gateways' formats, 2 % refused, each token used 50 times, 200 routes, an id in each path), `envoy` (the same in Envoy's JSON), `storm` (all
refused, 200 tokens), `distinct` (all refused, every token new).
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
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
COUNTS: Final = {"real": 150_000, "envoy": 150_000, "storm": 80_000, "distinct": 60_000}
PARTITIONS: Final = 4
_WHY401: Final = """
data_dir = "{folder}"
[otlp]
grpc = "{otlp}"
http = ""
{kafka}
[telemetry]
prometheus = "127.0.0.1:{port}"
"""
_WHY401_KAFKA: Final = """
[kafka]
bootstrap = ["{bootstrap}"]
topics = ["{topic}"]
group = "{group}"
"""
_OTELCOL: Final = """
receivers:
  {receiver}
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
    logs: {{receivers: [{over}], processors: [redaction, batch], exporters: [file]}}
"""


_RECEIVERS: Final = {
    "kafka": "kafka: {{brokers: [{bootstrap}], group_id: {group}, initial_offset: earliest, logs: {{topics: [{topic}], encoding: text}}}}",
    "otlp": "otlp: {{protocols: {{grpc: {{endpoint: '{otlp}', max_recv_msg_size_mib: 64}}}}}}",
}


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
    config: Callable[[Feed, dict[str, object]], str]
    done: Callable[[Path, int], int]
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Where the records come from: a topic that is full, or a sender."""

    mix: str
    count: int
    broker: Broker | None = None
    topic: str = ""

    @property
    def over(self) -> str:
        """kafka or otlp."""
        return "kafka" if self.broker else "otlp"


def main(arguments: Sequence[str]) -> int:
    """A row per mix and program, and the ratios. 1 when there is no broker or no Collector here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks peers")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--over", choices=list(_RECEIVERS), action="append", help="one of them only [both in turn]")
    parser.add_argument("mixes", nargs="*", default=list(COUNTS), choices=list(COUNTS))
    options = parser.parse_args(arguments)
    overs = options.over or list(_RECEIVERS)
    try:
        peers = _peers()
        broker = find_or_start() if "kafka" in overs else None
    except (BuildFailed, BrokerUnavailable) as error:
        print(error)
        return 1
    try:
        print("| over | mix | program | events/s | CPU µs per event | peak MiB |\n|---|---|---|---|---|---|")
        for over in overs:
            for mix in options.mixes:
                feed = Feed(mix=mix, count=COUNTS[mix], broker=broker if over == "kafka" else None)
                _compare(_filled(feed), peers, options.rounds)
    finally:
        if broker:
            broker.remove()
    return 0


def _peers() -> tuple[Peer, ...]:
    """The Collector is the last."""
    command = (sys.executable, "-m", "why401", "up", "--config")
    return (
        Peer(name="why401", command=command, config=_why401, done=partial(_stored, 1)),
        Peer(
            name="why401, two workers",
            command=command,
            config=_why401,
            done=partial(_stored, 2),
            more=("--workers", "2"),
        ),
        Peer(name="Collector", command=(str(otelcol()), "--config"), config=_otelcol, done=_written()),
    )


def _filled(feed: Feed) -> Feed:
    if feed.broker is None:
        return feed
    topic, lines = feed.broker.topic(PARTITIONS), [line.encode() for line in mixed(feed.mix, feed.count)]
    for partition in range(PARTITIONS):
        feed.broker.produce(topic, lines[partition::PARTITIONS], partition=partition)
    return replace(feed, topic=topic)


def _why401(feed: Feed, values: dict[str, object]) -> str:
    kafka = _WHY401_KAFKA.format(**values) if feed.broker else ""
    return _WHY401.format(**values | {"kafka": kafka, "otlp": "" if feed.broker else values["otlp"]})


def _otelcol(feed: Feed, values: dict[str, object]) -> str:
    return _OTELCOL.format(**values, over=feed.over, receiver=_RECEIVERS[feed.over].format(**values))


def _compare(feed: Feed, peers: Sequence[Peer], rounds: int) -> None:
    runs: dict[str, list[Run]] = {peer.name: [] for peer in peers}
    for turn in range(rounds):
        for number, peer in enumerate(peers):
            runs[peer.name].append(_run(peer, feed, f"{feed.topic}-{number}-{turn}"))
    medians = {name: _median(found) for name, found in runs.items()}
    about = f"| {feed.over} | {feed.mix} "
    for name, run in medians.items():
        print(f"{about}| {name} | {run.per_second:,.0f} | {run.cpu_us:.1f} | {run.peak_mib:.0f} |", flush=True)
    *ours, theirs = medians.values()
    for (name, _), run in zip(medians.items(), ours, strict=False):
        speed, cost = run.per_second / theirs.per_second, run.cpu_us / theirs.cpu_us
        print(
            f"{about}| ratio of {name} | {speed:.2f} | {cost:.2f} | {run.peak_mib / theirs.peak_mib:.1f} |", flush=True
        )


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        per_second=statistics.median(run.per_second for run in runs),
        cpu_us=statistics.median(run.cpu_us for run in runs),
        peak_mib=max(run.peak_mib for run in runs),
    )


def _run(peer: Peer, feed: Feed, group: str) -> Run:
    with tempfile.TemporaryDirectory() as name:
        folder, (port, otlp) = Path(name), free_ports(2)
        config, address = folder / "config", f"127.0.0.1:{otlp}"
        bootstrap = feed.broker.bootstrap if feed.broker else ""
        values = {
            "folder": folder,
            "bootstrap": bootstrap,
            "topic": feed.topic,
            "group": group,
            "port": port,
            "otlp": address,
        }
        config.write_text(peer.config(feed, values), encoding="utf-8")
        with _sender(feed, address) as send, _running((*peer.command, str(config), *peer.more), folder) as started_pid:
            send()
            done = lambda: peer.done(folder, port)  # noqa: E731  # a partial would not read better
            first = _until(done, int(WARM * feed.count))
            pids = _workers(started_pid)
            started, cpu = time.perf_counter(), sum(map(_cpu_s, pids))
            last = _until(done, feed.count)
            seconds, used = time.perf_counter() - started, sum(map(_cpu_s, pids)) - cpu
            events = last - first
            return Run(per_second=events / seconds, cpu_us=used / events * 1e6, peak_mib=sum(map(_peak_mib, pids)))


@contextmanager
def _sender(feed: Feed, address: str) -> Iterator[Callable[[], None]]:
    """What begins to send; with Kafka everything is there already."""
    if feed.broker:
        yield lambda: None
        return
    command = (sys.executable, "-m", "benchmarks.posting", address, feed.mix, str(feed.count))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        process.stdout.readline()

        def send() -> None:
            _until(lambda: int(_listens(address)), 1)
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()

        yield send
    finally:
        process.kill()
        process.wait(HANG_S)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


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


def _workers(pid: int) -> list[int]:
    """The processes that do the work: `why401 up` starts them as children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children] or [pid]


def _until(done: Callable[[], int], count: int) -> int:
    end = time.monotonic() + HANG_S
    while (now := done()) < count:
        if time.monotonic() > end:
            raise SystemExit(f"{now} of {count} records after {HANG_S:.0f} s")
        time.sleep(POLL_S)
    return now


def _stored(workers: int, _folder: Path, port: int) -> int:
    """What why401 has committed, by its own metrics; nothing until each of its workers has, so that no start falls into the time that counts."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0
    counts = [int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("why401_events_stored_total")]
    return sum(counts) if sum(count > 0 for count in counts) == workers else 0


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
