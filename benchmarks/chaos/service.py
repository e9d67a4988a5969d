"""The whole service under faults: `why401 up` with Kafka and files, or `collect` and two `analyze` on PostgreSQL.

Every arrangement gets records all the time, and somebody who starts again whatever ends, as systemd would. A round waits for a
commit and does one fault. At the end the topic and the written files are what must be stored, each record once, also in the sums.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from benchmarks.chaos.faults import SESSION_S, possible
from benchmarks.chaos.logs import Log, line
from benchmarks.chaos.report import Report
from benchmarks.chaos.rig import FILES, PATIENCE_S, Process, Rig, asked
from benchmarks.chaos.surroundings import Server, clock, disk
from collector.settings import load

if TYPE_CHECKING:
    from tests.brokers import Broker

PARTITIONS: Final = (0, 1)
LAST_PATIENCE_S: Final = 600.0
LINES: Final = 10  # at once, to each partition and to the files
PAUSE_S: Final = 0.1
FLUSH_S: Final = 30.0
TOPIC: Final = """
SELECT origin_partition, count(*), count(DISTINCT origin_offset) FROM store.events WHERE origin_kind = 'kafka' GROUP BY ALL
"""
SUMS: Final = """
SELECT (SELECT count(*) FROM store.events), (SELECT sum(requests) FROM trend)::BIGINT,
    (SELECT sum(value) FROM pipeline WHERE counter = 'stored')::BIGINT
"""


def run(folder: Path, server: Server | None, seconds: float, chance: random.Random, only: list[str]) -> Report:
    """Faults until the time is over; then everything is read, and compared. Raises SystemExit when nothing moves any more."""
    from tests.brokers import BrokerUnavailable, More, start_with

    with ExitStack() as stack:
        try:
            broker = start_with(More())
        except BrokerUnavailable as error:
            raise SystemExit(str(error)) from None
        stack.callback(broker.remove)
        rig = _rig(folder, server, broker, stack)
        faults = possible(rig, only)
        stopped = threading.Event()
        with _traffic(rig, stopped):
            for process in rig.processes:
                stack.callback(process.kill)
                process.start()
            deadline, left = time.monotonic() + seconds, list[str]()
            while time.monotonic() < deadline:
                rig.await_commit()
                time.sleep(chance.uniform(0.2, 1.5))
                # Each once before any comes again: on a slow machine chance alone would leave some out.
                left = left or chance.sample(sorted(faults), len(faults))
                name = left.pop()
                faults[name](rig, chance)
                rig.report.rounds[name] += 1
        _compare(rig)
    return rig.report


def _rig(folder: Path, server: Server | None, broker: Broker, stack: ExitStack) -> Rig:
    topic = broker.topic(len(PARTITIONS))
    small, faked = stack.enter_context(disk(folder / "data")), clock(folder)
    log = None if server else Log(folder / "logs")
    lines = [
        f'data_dir = "{folder / "data"}"', 'otlp = { grpc = "", http = "" }', 'telemetry = { prometheus = "", log_level = "info" }',
        f'store = {{ maintenance_seconds = 5, catalog = "{server.catalog if server else ""}" }}',
    ]  # fmt: skip
    events = f', events_topic = "{broker.topic(len(PARTITIONS))}"' if server else ""
    lines.append(
        f'kafka = {{ bootstrap = ["{broker.bootstrap}"], topics = ["{topic}"], group = "{topic}",'
        f" session_timeout_seconds = {SESSION_S}{events} }}"
    )
    if log:
        lines.append(f'files = {{ paths = ["{log.pattern}"] }}')
    config = folder / "why401.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    names = ("collect", "analyze-1", "analyze-2") if server else ("up",)
    processes = [Process(name, config, faked.environment if faked else {}) for name in names]
    return Rig(load(config, {}), processes, broker, topic, server, small, faked, log)


@contextmanager
def _traffic(rig: Rig, stopped: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=_send, args=(rig, stopped), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(PATIENCE_S)


def _send(rig: Rig, stopped: threading.Event) -> None:
    """Whatever the broker took of it is what counts: the topic itself is asked at the end."""
    producer: KafkaProducer | None = None
    while not stopped.wait(PAUSE_S):
        if rig.log:
            rig.log.write(LINES)
        try:
            producer = producer or KafkaProducer(bootstrap_servers=rig.broker.bootstrap, acks="all", max_block_ms=1000)
            _send_lines(rig, producer)
        except KafkaError:  # a producer whose broker was away does not always come back
            _drop(producer)
            producer = None
    _drop(producer)


def _send_lines(rig: Rig, producer: KafkaProducer) -> None:
    for partition in PARTITIONS:
        for _ in range(LINES):
            rig.sent += 1
            producer.send(rig.topic, line("0f", rig.sent).encode(), partition=partition)
    producer.flush(timeout=FLUSH_S)


def _drop(producer: KafkaProducer | None) -> None:
    if producer:
        with suppress(KafkaError):
            producer.close(timeout=1)


def _compare(rig: Rig) -> None:
    """What must be there with what is there."""
    report, ends, written = rig.report, _ends(rig), rig.log.written if rig.log else 0
    report.records = sum(ends.values()) + written
    rig.await_stored(lambda: sum(n for _, _, n in asked(rig.settings, TOPIC)), sum(ends.values()), LAST_PATIENCE_S)
    rig.await_files()
    report.broken += [wrong for process in rig.processes if (wrong := process.end())]
    kept = {partition: (rows, records) for partition, rows, records in asked(rig.settings, TOPIC)}
    found = [(*kept.get(partition, (0, 0)), end) for partition, end in ends.items()]
    found.append((*asked(rig.settings, FILES)[0], written))
    report.lost = sum(max(0, end - records) for _, records, end in found)
    report.doubled = sum(rows - records for rows, records, _ in found)
    report.broken += _sums(rig)
    report.crashes = max(0, _crashes(rig) - report.rounds["crash"])


def _sums(rig: Rig) -> Iterator[str]:
    rows, trend, counted = asked(rig.settings, SUMS)[0]
    if not rows == trend == counted:
        yield f"{rows:,} rows, but {trend:,} requests in trend and {counted:,} stored in pipeline"


def _ends(rig: Rig) -> dict[int, int]:
    consumer = KafkaConsumer(bootstrap_servers=rig.broker.bootstrap)
    try:
        found = consumer.end_offsets([TopicPartition(rig.topic, partition) for partition in PARTITIONS])
        return {place.partition: end for place, end in found.items()}
    finally:
        consumer.close()


def _crashes(rig: Rig) -> int:
    return sum(p.log.read_text(errors="replace").count("the working process was ended by") for p in rig.processes)
