"""Pub/Sub against Google's own fake server: delivery, acknowledgement after storing, backpressure, shutdown."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from benchmarks.live.pubsub_server import PROGRAM
from collector.errors import SinkUnavailable
from collector.settings import PubsubSettings
from collector.telemetry import Telemetry
from tests.brokers import free_ports
from tests.intakes import LedgerIntake, running
from tests.waiting import eventually

# google-api-core's own: it asks which Python runs.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if lacking := PROGRAM.missing():
        pytest.skip(lacking)
    (port,) = free_ports(1)
    with subprocess.Popen([str(PROGRAM.binary), str(port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


class Topic:
    """One topic with one subscription, on the fake server."""

    def __init__(self) -> None:
        from google.cloud import pubsub_v1

        name = f"t{uuid4().hex[:12]}"
        self.publisher = pubsub_v1.PublisherClient()
        self.path = self.publisher.topic_path("shop", name)
        self.subscription = f"projects/shop/subscriptions/{name}"
        self.publisher.create_topic(name=self.path)
        with pubsub_v1.SubscriberClient() as subscriber:
            subscriber.create_subscription(name=self.subscription, topic=self.path, ack_deadline_seconds=10)

    def publish(self, *texts: str) -> None:
        for text in texts:
            self.publisher.publish(self.path, text.encode()).result(timeout=60)

    def close(self) -> None:
        self.publisher.stop()


@pytest.fixture
def topic(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server)
    assert os.environ["PUBSUB_EMULATOR_HOST"]
    made = Topic()
    yield made
    made.close()


def reading(topic: Topic, intake: LedgerIntake, telemetry: Telemetry | None = None, **settings: Any):
    from collector.sources.pubsub import PubsubSource

    table = PubsubSettings(subscriptions=(topic.subscription,), **settings)
    return running(PubsubSource(table, telemetry or Telemetry()), intake)


def texts(intake: LedgerIntake) -> list[str]:
    return sorted(item.text for item in intake.items)


def test_messages_are_delivered_and_acknowledged(topic: Topic):
    """Lines and batches in a message become records; what is stored does not come again."""
    first, second = LedgerIntake(), LedgerIntake()
    topic.publish("one", "two\nthree", '{"records":[{"a":1},{"a":2}]}')
    with reading(topic, first):
        eventually(lambda: len(first.items) == 5, "the records")
    topic.publish("later")
    with reading(topic, second):
        eventually(lambda: second.items, "what came later")

    assert ["one", "three", "two", '{"a":1}', '{"a":2}'] == texts(first)
    assert {topic.subscription} == {item.origin.source for item in first.items}
    assert all(item.time_ns for item in first.items)
    assert ["later"] == texts(second)


def test_what_was_not_stored_comes_again(topic: Topic):
    """Given back when the store refuses it, and when the source stops before it is stored."""
    intake = LedgerIntake(manual=True)
    topic.publish("one")
    with reading(topic, intake):
        eventually(lambda: intake.waiting, "the message")
        intake.fail_waiting(SinkUnavailable("store", "away"))
        eventually(lambda: intake.waiting, "the message again")
        intake.commit_waiting()

    assert ["one"] == texts(intake)


def test_no_more_is_delivered_than_fits(topic: Topic):
    """Of what is not acknowledged, `max_messages` at most is out at once; the rest follows."""
    intake = LedgerIntake(manual=True)
    topic.publish(*map(str, range(30)))
    with reading(topic, intake, max_messages=5):
        eventually(lambda: sum(len(batch.items) for batch in intake.waiting) >= 5, "the first messages")
        seen = []
        for _ in range(40):
            seen.append(sum(len(batch.items) for batch in intake.waiting))
            intake.commit_waiting()
            if len({item.text for item in intake.items}) == 30:
                break
            eventually(lambda: intake.waiting, "more messages")
        intake.manual = False
        eventually(lambda: len({item.text for item in intake.items}) == 30, "all messages")

    assert max(seen) <= 10  # the library asks for more while the last ones are being acknowledged


def test_a_subscription_that_is_not_there_is_asked_for_again(topic: Topic):
    """Counted and said; the other subscription is read meanwhile."""
    from collector.sources.pubsub import PubsubSource

    intake, telemetry = LedgerIntake(), Telemetry()
    settings = PubsubSettings(subscriptions=("projects/shop/subscriptions/none", topic.subscription))
    topic.publish("one")
    with running(PubsubSource(settings, telemetry), intake):
        eventually(lambda: intake.items, "the message")
        eventually(lambda: telemetry.by("why401.errors", "kind"), "the refusal")

    assert ["one"] == texts(intake)
    assert "NotFound" in telemetry.by("why401.errors", "kind")


def test_a_log_entry_of_cloud_logging_is_a_record(topic: Topic):
    """The line is taken out of the sink's LogEntry, and its refusal is understood as it is in a file."""
    from collector.settings import load
    from why401.explainer import Explainer

    line = '2026/11/30 10:00:00 [info] 7#7: *9 JWT signature validation failed, client: 192.0.2.7, server: api, request: "GET /orders HTTP/1.1", host: "api"'
    entry = {
        "insertId": "1x", "logName": "projects/shop/logs/stderr", "receiveTimestamp": "2026-11-30T10:00:01Z", "severity": "ERROR",
        "resource": {"type": "k8s_container", "labels": {"container_name": "nginx"}}, "textPayload": line, "timestamp": "2026-11-30T10:00:00Z",
    }  # fmt: skip
    intake = LedgerIntake()
    topic.publish(json.dumps(entry))
    with reading(topic, intake):
        eventually(lambda: intake.items, "the entry")
    explainer = Explainer(load(environ={}))

    assert (
        explainer.explain(line).diagnosis.code
        == explainer.explain(intake.items[0].text).diagnosis.code
        != "unclassified"
    )
