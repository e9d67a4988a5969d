"""A real Apache Kafka for tests: KRaft, one node, from Maven Central, on free loopback ports.

`find_or_start` gives a broker or says why there can be none. The jars are kept in `$WHY401_CACHE` (`~/.cache/why401`),
the log segments in a temporary folder that goes with the broker.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from tests.waiting import HANG_S, eventually

VERSION = "4.3.0"
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>why401</groupId><artifactId>test-broker</artifactId><version>1</version><dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{version}</version>
</dependency></dependencies></project>
"""
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
log.dirs={logs}
num.network.threads=2
num.io.threads=2
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
log.cleaner.enable=false
"""


class BrokerUnavailable(Exception):
    """There can be no broker here; says what is missing."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, never given twice by one process.

    Below the kernel's ephemeral ports (32768 on Linux): one of those may become some client's before it is listened on.
    """
    free: list[int] = []
    while len(free) < count:
        port = next(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            free.append(port)
    return free


def _ports() -> Iterator[int]:
    """All of this process's: pytest-xdist's workers have ranges of their own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw3").removeprefix("gw")) % _RANGES
    ports = range(_FIRST_PORT + worker * _PORTS_EACH, _FIRST_PORT + (worker + 1) * _PORTS_EACH)
    start = random.randrange(len(ports))  # another run of the suite begins elsewhere
    return cycle([*ports[start:], *ports[:start]])


_FIRST_PORT, _PORTS_EACH, _RANGES = 20_000, 3_000, 4
_PORTS: Final = _ports()


@dataclass(slots=True)
class Broker:
    """One broker at `bootstrap`; `stop` and `start` keep port and data, when it is ours."""

    bootstrap: str
    classpath: str = ""
    folder: Path = Path()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def is_ours(self) -> bool:
        """False for a broker that was named in the environment."""
        return bool(self.classpath)

    def start(self) -> None:
        """Start, and return when it answers."""
        assert self.process is None, "the broker runs already"
        with (self.folder / "broker.log").open("ab") as log:
            command = [*self.java("-Xmx512m", "-Xms128m"), "kafka.Kafka", "server.properties"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        eventually(self._answers, f"the broker; its log is {self.folder / 'broker.log'}")

    def stop(self, *, hard: bool = False) -> None:
        """End the process by its own id; `hard` is SIGKILL."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill() if hard else process.terminate()
        try:
            process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def remove(self) -> None:
        """Stop and delete the data."""
        if self.is_ours:
            self.stop(hard=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def java(self, *options: str) -> list[str]:
        """The command line up to the class."""
        log4j = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        return ["java", *options, "-XX:+UseSerialGC", log4j, "-cp", self.classpath]

    def topic(self, partitions: int = 1, *, name: str = "", configs: dict[str, str] | None = None) -> str:
        """Create a topic of a name never used before."""
        name = name or f"raw-{uuid4().hex[:12]}"
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        about = {"num_partitions": partitions, "replication_factor": 1, "configs": configs or {}}
        try:
            admin.create_topics({name: about}, wait_for_metadata=True)
        finally:
            admin.close()
        return name

    def widen(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.create_partitions({topic: partitions})
        finally:
            admin.close()

    def produce(self, topic: str, values: list[bytes], *, partition: int = 0, **options: Any) -> None:
        """Append values to one partition and wait for the acknowledgements."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=20, **options)
        try:
            sent = [producer.send(topic, value, partition=partition) for value in values]
            for future in sent:
                future.get(timeout=HANG_S)
        finally:
            producer.close()

    def messages(self, topic: str, count: int, partitions: int = 1) -> list[Any]:
        """Exactly the messages of a topic, in partition order; fails when there are not `count`."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        try:
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            eventually(lambda: sum(consumer.end_offsets(places).values()) >= count, f"{count} messages in {topic}")
            ends = consumer.end_offsets(places)
            found: list[Any] = []
            while any(consumer.position(place) < ends[place] for place in places):
                found += [message for batch in consumer.poll(200).values() for message in batch]
            return sorted(found, key=lambda message: (message.partition, message.offset))
        finally:
            consumer.close()

    def count(self, topic: str, partitions: int = 1) -> int:
        """How many messages a topic has now."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        try:
            return sum(consumer.end_offsets([TopicPartition(topic, n) for n in range(partitions)]).values())
        finally:
            consumer.close()

    def commit(self, group: str, place: TopicPartition, offset: int) -> None:
        """Commit an offset in the name of a group without members."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False)
        try:
            consumer.assign([place])
            consumer.commit({place: OffsetAndMetadata(offset, "", -1)}, timeout_ms=int(HANG_S * 1000))
        finally:
            consumer.close()

    def committed(self, group: str, topic: str, partition: int = 0) -> int | None:
        """The group's committed offset."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False)
        try:
            offset: int | None = consumer.committed(TopicPartition(topic, partition))
            return offset
        finally:
            consumer.close()

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            log = (self.folder / "broker.log").read_text(errors="replace")[-2000:]
            raise BrokerUnavailable(f"the broker ended by itself: {log}")
        try:
            KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=1000).close()
        except Exception:
            return False
        return True


def named() -> Broker | None:
    """The broker of `WHY401_TEST_KAFKA`."""
    address = os.environ.get("WHY401_TEST_KAFKA")
    return Broker(address) if address else None


def find_or_start() -> Broker:
    """The broker of `WHY401_TEST_KAFKA`, or a new one. Raises BrokerUnavailable."""
    if found := named():
        return found
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise BrokerUnavailable(f"{tool} is not installed and WHY401_TEST_KAFKA is not set")
    return _start_new(_jars())


@dataclass(frozen=True)
class More:
    """Listeners beside the plain one, as Kafka's configuration names them, and users for `kafka-storage format`."""

    listeners: str = ""  # ",SASL_SSL://127.0.0.1:9093"
    advertised: str = ""
    properties: str = ""
    scram: tuple[str, ...] = ()  # "SCRAM-SHA-512=[name=…,password=…]"


def start_with(more: More) -> Broker:
    """A new broker with more listeners. Raises BrokerUnavailable."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise BrokerUnavailable(f"{tool} is not installed")
    return _start_new(_jars(), more)


def _start_new(jars: Path, more: More | None = None) -> Broker:
    more = more or More()
    folder = Path(tempfile.mkdtemp(prefix="why401-kafka-"))
    port, controller = free_ports(2)
    text = _PROPERTIES.format(
        port=port,
        controller=controller,
        logs=folder / "logs",
        listeners=more.listeners,
        advertised=more.advertised,
    )
    (folder / "server.properties").write_text(text + more.properties)
    (folder / "log4j2.properties").write_text("rootLogger.level=warn\n")
    broker = Broker(f"127.0.0.1:{port}", f"{jars}/*", folder)
    formatting = ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", "server.properties"]
    formatting += [word for user in more.scram for word in ("--add-scram", user)]
    try:
        subprocess.run(
            broker.java("-Xmx256m") + formatting, check=True, cwd=folder, capture_output=True, timeout=HANG_S
        )
        broker.start()
    except BaseException:
        broker.remove()
        raise
    return broker


def _jars() -> Path:
    """The broker's jars; fetched by Maven into a folder that appears whole or not at all."""
    cache = Path(os.environ.get("WHY401_CACHE", Path.home() / ".cache" / "why401"))
    jars = cache / f"kafka-{VERSION}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        folder = Path(name)
        (folder / "pom.xml").write_text(_POM.format(version=VERSION))
        command = [
            "mvn",
            "-q",
            "-B",
            "dependency:copy-dependencies",
            "-DoutputDirectory=jars",
            "-DincludeScope=runtime",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise BrokerUnavailable(f"Maven could not fetch Kafka {VERSION}: {done.stdout[-500:]}")
        try:
            (folder / "jars").rename(jars)
        except OSError:  # another process was faster
            assert jars.is_dir()
    return jars
