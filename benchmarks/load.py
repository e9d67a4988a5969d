"""The load test: a real `why401 up` under mixed good, bad and hostile OTLP and Kafka input at full speed.

    python -m benchmarks load --minutes 10

It passes when the process lives, its memory stays flat, every answer to a hostile request was a refusal, and the numbers
agree to the record: senders = received; received = stored + dropped by reason, on the Prometheus page and in the lake;
every id that was acknowledged is in the lake, once.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from analyzer.lake import connect_reader
from collector.settings import Settings, load
from tests.brokers import BrokerUnavailable, find_or_start, free_ports
from tests.waiting import eventually

MAX_GROWTH_MIB_PER_MINUTE: Final = 1.0  # at the end; a leak of a kilobyte a request is thirty times that
SETTLE_SECONDS: Final = 180.0
STOP_SECONDS: Final = 60.0
PAGE: Final = ("received", "dropped", "stored")


@dataclass
class Outcome:
    """What was sent, what why401 says of it, and how its memory went."""

    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    page: dict[str, Counter[str]] = field(default_factory=dict)
    lake: Counter[str] = field(default_factory=Counter)
    ids: tuple[int, int] = (0, 0)  # rows with an id, distinct ids
    memory: list[tuple[float, float]] = field(default_factory=list)  # (seconds, MiB)
    ended: int | None = None  # exit code, when it ended before it was told to

    def total(self, what: str) -> int:
        """Over all senders."""
        return sum(int(sent[what]) for sent in self.sent.values())

    def slope(self) -> float:
        """MiB a minute between the medians of the last two quarters: upkeep takes memory for a second, three times a minute."""
        quarter = len(self.memory) // 4
        if not quarter:
            return 0.0
        third, last = self.memory[-2 * quarter : -quarter], self.memory[-quarter:]
        minutes = (statistics.mean(t for t, _ in last) - statistics.mean(t for t, _ in third)) / 60
        return (statistics.median(m for _, m in last) - statistics.median(m for _, m in third)) / minutes

    def complaints(self, minutes: float) -> Iterator[str]:
        """What is not as promised."""
        if self.ended is not None:
            yield f"the process ended with {self.ended}"
        received, dropped = self.page["received"].total(), self.page["dropped"].total()
        if received != self.page["stored"].total() + dropped:
            yield f"page: received {received} is not stored {self.page['stored'].total()} + dropped {dropped}"
        sent = self.total("good") + self.total("bad")
        if received - self.page["dropped"]["replayed"] != sent:
            yield f"page: received {received} without replays is not the {sent} that were acknowledged"
        if self.lake["received"] != self.lake["stored"] + self.lake["dropped"]:
            yield f"lake: {dict(self.lake)} does not add up"
        if self.ids != (self.total("good"),) * 2:
            yield f"lake: {self.ids[0]} rows and {self.ids[1]} ids of {self.total('good')} acknowledged records"
        if minutes >= 2 and self.slope() > MAX_GROWTH_MIB_PER_MINUTE:
            yield f"memory grows {self.slope():+.1f} MiB a minute"
        yield from (f"{name}: {what}, {n} times" for name, s in self.sent.items() for what, n in s["wrong"].items())


def main(arguments: list[str]) -> int:
    """Run it and print the report; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="benchmarks load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args(arguments).minutes
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        outcome = run(Path(folder), minutes * 60, stack)
    complaints = list(outcome.complaints(minutes))
    print("\n".join(_report(outcome, minutes)))
    print("\n".join(f"BROKEN  {complaint}" for complaint in complaints) or "every promise kept")
    return 1 if complaints else 0


def run(folder: Path, seconds: float, stack: ExitStack) -> Outcome:
    """Start broker, why401 and senders; wait, settle, ask, stop."""
    grpc, otlp, prometheus = free_ports(3)
    kafka, topic = _kafka(stack)
    config = _configure(folder, grpc, otlp, prometheus, kafka, topic)
    outcome = Outcome()
    with _why401(config, folder / "log") as process:
        eventually(lambda: process.poll() is not None or _scraped(prometheus), "why401 listens")
        senders = {"http": f"127.0.0.1:{otlp}", "http 2": f"127.0.0.1:{otlp}", "hostile": f"127.0.0.1:{otlp}"}
        senders |= {"grpc": f"127.0.0.1:{grpc}", "grpc 2": f"127.0.0.1:{grpc}"}
        senders |= {"kafka": kafka} if kafka else {}
        running = {name: _sender(name, address, seconds, topic) for name, address in senders.items()}
        _watch(process, running, outcome, seconds + SETTLE_SECONDS)
        outcome.sent = {name: _said(sender) for name, sender in running.items()}
        _settle(prometheus, outcome)
        outcome.ended = process.poll()
    if outcome.ended is not None:
        print((folder / "log").read_text(errors="replace")[-3000:], file=sys.stderr)
    settings = load(config, {})
    outcome.lake = Counter(dict(_rows(settings, "SELECT counter, sum(value)::BIGINT FROM pipeline GROUP BY counter")))
    outcome.ids = _rows(
        settings, "SELECT count(*), count(DISTINCT request_id) FROM failures WHERE request_id LIKE '%-0000-4000-8000-%'"
    )[0]
    return outcome


def _kafka(stack: ExitStack) -> tuple[str, str]:
    """A broker's address and a topic, or nothing where there can be no broker."""
    try:
        broker = find_or_start()
    except BrokerUnavailable as error:
        print(f"without Kafka: {error}", file=sys.stderr)
        return "", ""
    stack.callback(broker.remove)
    return broker.bootstrap, broker.topic(2, configs={"retention.bytes": str(1 << 30)})


def _configure(folder: Path, grpc: int, otlp: int, prometheus: int, kafka: str, topic: str) -> Path:
    lines = [
        f'data_dir = "{folder}/lake"', f'otlp = {{ grpc = "127.0.0.1:{grpc}", http = "127.0.0.1:{otlp}" }}',
        f'telemetry = {{ prometheus = "127.0.0.1:{prometheus}", log_level = "warning" }}', "store = { maintenance_seconds = 20 }",
    ]  # fmt: skip
    if kafka:
        lines.append(f'kafka = {{ bootstrap = ["{kafka}"], topics = ["{topic}"], group = "{topic}" }}')
    (folder / "why401.toml").write_text("\n".join(lines))
    return folder / "why401.toml"


@contextmanager
def _why401(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "why401", "up", "--config", str(config)], stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _sender(name: str, address: str, seconds: float, topic: str) -> subprocess.Popen[str]:
    kind = name.split(maxsplit=1)[0]
    command = [
        sys.executable,
        "-m",
        "benchmarks.senders",
        kind,
        address,
        str(seconds),
        topic if kind == "kafka" else name,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."})


def _watch(
    process: subprocess.Popen[bytes], senders: dict[str, subprocess.Popen[str]], outcome: Outcome, limit_s: float
) -> None:
    """Memory once a second until every sender is done, why401 has died, or the limit has passed."""
    begin = time.monotonic()
    while process.poll() is None and any(sender.poll() is None for sender in senders.values()):
        passed = time.monotonic() - begin
        if passed > limit_s:
            break
        outcome.memory.append((passed, _memory_mib(process.pid)))
        time.sleep(1)
    for sender in senders.values():
        if sender.poll() is None:
            sender.kill()


def _said(sender: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = sender.communicate()
    line = out.strip().rpartition("\n")[2]
    return (
        json.loads(line)
        if line
        else {"good": 0, "bad": 0, "hostile": 0, "answers": {}, "wrong": {"the sender did not end": 1}}
    )


def _settle(prometheus: int, outcome: Outcome) -> None:
    """Until all that was received is accounted for; what is not after SETTLE_SECONDS will be complained about."""
    wanted = outcome.total("good") + outcome.total("bad")
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        page = outcome.page = _scraped(prometheus) or outcome.page or {name: Counter() for name in PAGE}
        received, done = page["received"].total(), page["stored"].total() + page["dropped"].total()
        if received == done and received - page["dropped"]["replayed"] >= wanted:
            return
        time.sleep(0.5)


def _scraped(port: int) -> dict[str, Counter[str]]:
    """The three counters of the Prometheus page by their one label; nothing while there is no page."""
    from prometheus_client.parser import text_string_to_metric_families

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    except OSError:
        return {}
    finally:
        connection.close()
    names = {
        "why401_records_received_total": "received",
        "why401_records_dropped_total": "dropped",
        "why401_events_stored_total": "stored",
    }
    page: dict[str, Counter[str]] = {name: Counter() for name in PAGE}
    for sample in (sample for family in text_string_to_metric_families(text) for sample in family.samples):
        if sample.name in names:
            labels = sample.labels.get("reason") or sample.labels.get("source") or ""
            page[names[sample.name]][labels] += int(sample.value)
    return page


def _memory_mib(pid: int) -> float:
    """Of the process and of the one that it supervises, in which the work is done."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        pages = sum(
            int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1]) for each in (pid, *children)
        )
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _rows(settings: Settings, sql: str) -> list[Any]:
    connection = connect_reader(settings, memory_mib=1024)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def _report(outcome: Outcome, minutes: float) -> Iterator[str]:
    received = outcome.page["received"].total()
    yield f"{minutes:g} minutes, {received:,} records, {received / minutes / 60:,.0f} a second"
    for name, sent in outcome.sent.items():
        yield f"  {name:<8} {sent['good']:>9,} good {sent['bad']:>8,} bad {sent['hostile']:>5,} hostile   {sent['answers']}"
    for name in PAGE:
        yield f"  {name:<8} {outcome.page[name].total():>9,}   {dict(sorted(outcome.page[name].items()))}"
    yield f"  lake     {dict(outcome.lake)}; {outcome.ids[0]:,} rows with an id, {outcome.ids[1]:,} ids"
    sizes = [size for _, size in outcome.memory]
    middle = sizes[len(sizes) // 2] if sizes else 0
    yield f"  memory   {middle:.0f} MiB half way, {sizes[-1]:.0f} at the end, {max(sizes):.0f} at most; {outcome.slope():+.2f} MiB a minute"
