"""Scenarios with real services around the pipeline: OTLP, Kafka, the store; and the soak."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analyzer.pipeline import Analyzer
from analyzer.store import open_store
from analyzer.store.sink import StoreSink
from benchmarks.harness import Result
from benchmarks.traffic import envoy_json, records
from collector.intake import BoundedIntake
from collector.joining.stage import Joining
from collector.pipeline import Collector
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import KafkaSettings, OtlpSettings, Settings, StoreSettings
from collector.sources import Source
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier
from collector.worker import Worker

OTLP_CLIENT = """
import gzip, sys, urllib.request
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from benchmarks.traffic import envoy_json
url, count = sys.argv[1], int(sys.argv[2])
lines = envoy_json(count, tokens=200)
for at in range(0, count, 1000):
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for line in lines[at:at + 1000]:
        scope.log_records.add().body.string_value = line
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    body = gzip.compress(request.SerializeToString(), 1)
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST"), timeout=60).read()
"""


@contextmanager
def running(source: Source, settings: Settings, telemetry: Telemetry) -> Iterator[None]:
    """A source, the collector, the analyzer and a real store, in threads of this process."""
    stages = Collector(
        settings, Verifier(settings, KeySets((), Path(), telemetry)), Pseudonyms(b"k" * 32, 1), telemetry
    )
    sink = StoreSink(settings, open_store(settings, telemetry), telemetry)
    intake = BoundedIntake(settings.queue, sink, telemetry)
    stop_source, stop_worker = threading.Event(), threading.Event()
    worker = Worker(intake, Joining(stages, settings.joining, telemetry), sink, telemetry)
    threads = [
        threading.Thread(target=source.run, args=(intake, stop_source), daemon=True),
        threading.Thread(target=worker.run, args=(stop_worker,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop_source.set()
        threads[0].join(30)
        stop_worker.set()
        threads[1].join(30)
        sink.close()


def otlp_in(count: int = 60_000) -> Result:
    """Two client processes send gzipped protobuf requests of 1,000 records and wait for each acknowledgement."""
    from collector.sources.otlp.http_source import OtlpHttpSource

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=folder, otlp=OtlpSettings(http="127.0.0.1:0"), store=StoreSettings(commit_interval_ms=100)
        )
        telemetry = Telemetry()
        source = OtlpHttpSource(settings.otlp, telemetry)
        with running(source, settings, telemetry):
            source.ready.wait(30)
            command = [sys.executable, "-c", OTLP_CLIENT, f"http://{source.address}/v1/logs", str(count // 2)]
            clients = [subprocess.Popen([*command, str(n)], env={**os.environ, "PYTHONPATH": "."}) for n in range(2)]
            return _until_stored(
                "otlp", telemetry, count, [client.wait for client in clients], "2 clients share the cores"
            )


def kafka_to_store(count: int = 100_000) -> Result:
    """A topic that is full already, read to its end."""
    from collector.sources.kafka.source import KafkaSource, decode_raw
    from tests.brokers import BrokerUnavailable, find_or_start

    try:
        broker = find_or_start()
    except BrokerUnavailable as error:
        raise SystemExit(str(error)) from None
    try:
        topic = broker.topic(2)
        lines = [line.encode() for line in envoy_json(count, tokens=200)]
        for partition in (0, 1):
            broker.produce(topic, lines[partition::2], partition=partition)
        with tempfile.TemporaryDirectory() as folder:
            kafka = KafkaSettings(bootstrap=(broker.bootstrap,), topics=(topic,), group=topic)
            settings = Settings(data_dir=folder, kafka=kafka)
            telemetry = Telemetry()
            source = KafkaSource(kafka, telemetry, topics=(topic,), group=topic, decode=decode_raw(""))
            with running(source, settings, telemetry):
                return _until_stored("kafka", telemetry, count, [], "raw topic → committed rows, one process")
    finally:
        broker.remove()


def _until_stored(name: str, telemetry: Telemetry, count: int, waits: list[Any], note: str) -> Result:
    """From the first stored event on, so that start-up does not count."""
    while telemetry.value("why401.events.stored") == 0:
        time.sleep(0.005)
    before, wall, cpu = telemetry.value("why401.events.stored"), time.perf_counter(), time.process_time()
    while telemetry.value("why401.events.stored") < count:
        time.sleep(0.01)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    for wait in waits:
        wait()
    events = int(count - before)
    return Result(name, events, events / wall, cpu / events * 1e6, 1.0, peak_mib(), note)


def soak(millions: int = 10) -> Result:
    """Memory after each million; the growth from the second to the last is the figure that matters."""
    stages = Collector(
        Settings(), Verifier(Settings(), KeySets((), Path(), Telemetry())), Pseudonyms(b"k" * 32, 1), Telemetry()
    )
    analyzer = Analyzer(Settings())
    lines = envoy_json(20_000, tokens=2_000)
    started, memory = time.perf_counter(), []
    for million in range(millions):
        for turn in range(50):
            salted = [
                line.replace("0f0f0f0f", f"{million:04d}{turn:04d}").replace("/orders/", f"/r{million}-{turn}/")
                for line in lines
            ]
            for record in records(salted):
                analyzer.judge(stages.collect(record))
        memory.append(now_mib())
        print(f"{million + 1} M events, {memory[-1]:.0f} MiB", file=sys.stderr, flush=True)
    count = millions * 1_000_000
    wall = time.perf_counter() - started
    growth = memory[-1] - memory[min(1, len(memory) - 1)]
    return Result(
        "soak",
        count,
        count / wall,
        wall / count * 1e6,
        1.0,
        peak_mib(),
        f"memory grew {growth:+.0f} MiB from 2 M to {millions} M",
    )


def peak_mib() -> float:
    """This process's, from its start."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def now_mib() -> float:
    """This process's, resident."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20
