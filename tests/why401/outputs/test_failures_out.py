"""Failures to other systems: what they look like there, by the published schemas, and what becomes of a destination that fails."""

from __future__ import annotations

import json
import logging
import stat
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from kafka import KafkaConsumer
from msgspec.structs import replace

from analyzer.alerts import otlp_json
from collector.errors import ConfigurationError
from collector.events import NO_TIMES, Origin, Outcome, Request, TokenFacts
from collector.pipeline import Collector
from collector.redaction.pseudonyms import Pseudonyms
from collector.settings import KafkaSettings, Settings, load
from collector.sources.otlp import json_decoder
from collector.telemetry import Telemetry
from collector.token.verification import KeySets, Verifier
from tests.analyzer.alerts.sinks import free_port, web
from tests.analyzer.alerts.test_delivery import alert as some_alert
from tests.analyzer.verdict_samples import failing, passing, unread
from tests.brokers import Broker
from tests.collector.sources.otlp.rig import fresh_harvest
from tests.waiting import HANG_S, eventually
from why401.outputs import ecs, failure_log, ocsf
from why401.outputs.carriers import File, Http, Kafka, Refused, Unavailable
from why401.outputs.leaving import leaving, outlets
from why401.outputs.outlet import Outlet

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ECS: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "fixtures" / "export" / "ecs-9.4.yaml").read_text())


def full():
    """Everything that an event can say."""
    return failing(trace_id=TRACE, span_id=SPAN, request_id="r-1", client="203.0.113.0/24", user_agent="okhttp", user_agent_version="4.12")  # fmt: skip


def sparse():
    """Next to nothing."""
    verdict = failing()
    event = replace(
        verdict.event,
        request=Request(),
        token=TokenFacts(),
        times=NO_TIMES,
        outcome=Outcome.ERROR,
        origin=Origin("file"),
    )
    diagnosis = replace(verdict.diagnosis, evidence=(), fix=(), near_miss="")
    return replace(verdict, event=event, diagnosis=diagnosis, group=None)


def strange():
    """Ids and a client of other systems' forms, a method that is none, an opaque token of a known client."""
    verdict = failing(
        method="PURGE", trace_id="Root=1-67891233-abcdef", span_id="x", client="2001:db8::/48", status=407
    )
    return replace(verdict, event=replace(verdict.event, token=TokenFacts(client="shop")))


CASES = pytest.mark.parametrize("made", [full, sparse, strange])


def decoded(body: bytes) -> Any:
    """As a receiver of OTLP/JSON reads it."""
    harvest = fresh_harvest()
    json_decoder.decode(body, harvest)
    (record,) = harvest.checked().records
    return record


@CASES
def test_a_log_record_is_valid_otlp(made: Any) -> None:
    """In its request's trace and span, named, with the event's own keys and the diagnosis."""
    verdict = made()

    record = decoded(failure_log.request([verdict]))

    is_full = made is full
    assert (
        (TRACE, SPAN) == (record.trace_id, record.span_id) if is_full else ("", "") == (record.trace_id, record.span_id)
    )
    assert ("why401.auth_failure", verdict.diagnosis.title) == (record.attributes["event.name"], record.text)
    assert ("audience_mismatch", "issuer") == (record.attributes["why401.code"], record.attributes["why401.cause"])
    assert verdict.event.time_ns == record.time_ns
    if is_full:
        known = {"http.request.method": "GET", "http.response.status_code": 401, "gateway.name": "envoy", "token.iss": "https://idp.example.com"}  # fmt: skip
        assert known == {key: record.attributes[key] for key in known}
        assert {"sub": "string", "aud": "array"} == record.attributes["token.claims"]


def test_an_alert_is_a_log_record() -> None:
    """That it fires, and that it is over."""
    fires = decoded(json.dumps(otlp_json.request([otlp_json.alert(some_alert())])).encode())

    assert ("why401.alert", "firing") == (fires.attributes["event.name"], fires.attributes["why401.alert.state"])


def test_what_comes_back_is_no_failure() -> None:
    """A pipeline that brings our own events back must not make more of them; a foreign event is read as ever."""
    settings = Settings()
    keys = KeySets((), Path(), Telemetry())
    collector = Collector(settings, Verifier(settings, keys), Pseudonyms(b"k" * 32, 0), Telemetry())
    ours = decoded(failure_log.request([full()]))

    assert ("unread", "not_auth") == (collector.collect(ours).outcome, collector.collect(ours).words.reason)
    ours.attributes["event.name"] = "gateway.auth_failure"
    assert "denied" == collector.collect(ours).outcome


@pytest.fixture(scope="module")
def published() -> dict[int, Any]:
    """OCSF's own schema of the two classes; unknown attributes are errors there."""
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    made = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=ocsf.VERSION))
    classes = {uid: made.get_class_schema(class_name=made.lookup_class_name_from_uid(class_uid=uid)) for uid in (ocsf.AUTHENTICATION, ocsf.API_ACTIVITY)}  # fmt: skip
    return {uid: jsonschema.Draft202012Validator(schema) for uid, schema in classes.items()}


@CASES
def test_an_ocsf_event_is_valid(made: Any, published: dict[int, Any]) -> None:
    """By the schema that OCSF publishes; with a user it is Authentication, else API Activity."""
    event = json.loads(json.dumps(ocsf.event(made())))

    assert [] == [f"{error.json_path}: {error.message}" for error in published[event["class_uid"]].iter_errors(event)]
    assert (ocsf.AUTHENTICATION if made is full else ocsf.API_ACTIVITY) == event["class_uid"]
    assert list(
        published[event["class_uid"]].iter_errors(event | {"colour": "red"})
    )  # it does refuse what it does not know


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, each in value.items():
        name = f"{path}.{key}" if path else key
        if isinstance(each, dict) and name != "labels":
            yield from leaves(each, name)
        else:
            yield name, each


TYPES = {"keyword": str, "wildcard": str, "match_only_text": str, "long": int, "object": dict, "date": str}


@CASES
def test_an_ecs_document_has_only_fields_of_ecs(made: Any) -> None:
    """Of the types and values that the schema allows; what ECS has no name for is under `why401`."""
    found = dict(leaves(ecs.document(made())))
    ours = {name for name in found if name.startswith("why401.")}

    for name, value in found.items():
        if name not in ours:
            about = ECS[name]
            values = value if about.get("array") else [value]
            assert all(type(each) is TYPES[about["type"]] for each in values), name
            assert set(values) <= set(about["allowed"]) if "allowed" in about else True, name
    assert datetime.fromisoformat(found["@timestamp"]).tzinfo is not None
    expected = {kind for category in found["event.category"] for kind in ECS["event.category"]["types"][category]}
    assert set(found["event.type"]) <= expected
    assert all(isinstance(value, str) for value in found["labels"].values())


class Scripted:
    """A destination that answers as it is told; `carried` is what it took."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.carried: list[bytes] = []
        self.hold = threading.Event()
        self.hold.set()

    def carry(self, body: list[bytes]) -> None:
        self.hold.wait(HANG_S)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.carried += body

    def close(self) -> None:
        pass


def outlet(carrier: Scripted, telemetry: Telemetry, most: int = 100) -> Outlet:
    return Outlet("ecs", lambda verdicts: [str(len(verdicts)).encode()], carrier, telemetry, most)


def test_a_destination_that_is_away_delays_and_never_blocks(caplog: pytest.LogCaptureFixture) -> None:
    """What fits waits for it, what does not is dropped and counted; said once; requests that passed are none of its business."""
    telemetry, carrier = Telemetry(), Scripted(Unavailable("HTTP 503"), None)
    made = outlet(carrier, telemetry, most=3)
    with caplog.at_level(logging.WARNING, logger="why401"):
        for verdict in (failing(), passing(), unread(), failing(), failing(), failing(), failing()):
            made.add(verdict, 1)
        made.start()
        eventually(lambda: carrier.carried, "it is back")
    made.stop()

    assert [b"3"] == carrier.carried
    assert {"sent": 3, "dropped": 2} == telemetry.by("why401.exports", "result")
    assert 1 == len(caplog.records)


def test_what_is_refused_or_cannot_be_written_blocks_nothing_behind_it() -> None:
    """It is counted, and the next batch goes out."""
    telemetry, carrier = Telemetry(), Scripted(Refused("HTTP 400"), ValueError("secret"), None)
    made = outlet(carrier, telemetry)
    made.start()
    for n in range(3):
        made.add(failing(), 1)
        eventually(lambda n=n: sum(telemetry.by("why401.exports", "result").values()) == n + 1, "it is settled")
    made.stop()

    assert {"refused": 2, "sent": 1} == telemetry.by("why401.exports", "result")
    assert 1 == telemetry.value("why401.errors", stage="outputs", kind="ValueError")


def test_at_the_end_what_waits_is_sent_or_counted() -> None:
    """Nothing is lost without a count when the process stops."""
    telemetry, away = Telemetry(), Scripted(*[Unavailable("gone")] * 99)
    made = outlet(away, telemetry)
    made.start()
    made.add(failing(), 1)
    made.stop()

    assert {"dropped": 1} == telemetry.by("why401.exports", "result")


def test_http_says_who_it_is_and_what_it_sends() -> None:
    """The header that was configured; 5xx may be tried again, 4xx may not, and a redirect is not followed."""
    with web() as server:
        carrier = Http(f"http://127.0.0.1:{server.port}/in?x=1", "Bearer s3cret", "application/json")
        carrier.carry([b'{"a":1}'])
        ((path, headers, body),) = server.requests
        assert ("/in?x=1", "Bearer s3cret", {"a": 1}) == (path, headers["Authorization"], body)
        for status, raised in ((503, Unavailable), (429, Unavailable), (400, Refused), (302, Refused)):
            server.status = status
            with pytest.raises(raised, match=str(status)):
                carrier.carry([b"{}"])
    with pytest.raises(Unavailable, match="ConnectionRefusedError"):
        Http(f"http://127.0.0.1:{free_port()}/", "", "application/json").carry([b"{}"])


def test_a_file_is_private_and_bounded(tmp_path: Path) -> None:
    """Mode 0600; beyond its size it becomes FILE.1; a folder that is not there is a matter of time."""
    path = tmp_path / "out.jsonl"
    carrier = File(path, most=10)
    carrier.carry([b"123\n", b"456\n"])
    assert (b"123\n456\n", 0o600) == (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    carrier.carry([b"789\n"])
    carrier.carry([b"new\n"])

    assert (b"new\n", b"123\n456\n789\n") == (path.read_bytes(), path.with_name("out.jsonl.1").read_bytes())
    with pytest.raises(Unavailable):
        File(tmp_path / "none" / "out").carry([b"x"])


@pytest.mark.kafka
def test_a_topic_gets_a_message_per_failure(kafka: Broker) -> None:
    """Without the line's end."""
    topic = kafka.topic()
    carrier = Kafka(KafkaSettings(bootstrap=(kafka.bootstrap,)), topic)
    carrier.carry([b'{"n":1}\n', b'{"n":2}\n'])
    carrier.close()
    consumer = KafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=int(HANG_S * 1000))  # fmt: skip
    try:
        assert [b'{"n":1}', b'{"n":2}'] == [next(consumer).value for _ in range(2)]
    finally:
        consumer.close()


WRONG = {
    "a password in the address": ({"export.otlp": "https://user:pw@collector.example.com"}, "without user and password"),
    "no such scheme": ({"export.ecs": "s3://bucket"}, "file:PATH"),
    "a header in the clear": ({"export.ecs": "http://logs.example.com", "export.ecs_authorization": "Basic eA=="}, "https"),
    "no brokers": ({"export.ocsf": "kafka:failures"}, "brokers"),
    "a topic that is read": ({"export.ocsf": "kafka:logs", "kafka.bootstrap": ["b:1"], "kafka.topics": ["logs"]}, "does not read"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_destination_that_cannot_work_stops_the_start(name: str) -> None:
    """With what is expected, and without the header."""
    flags, expected = WRONG[name]
    with pytest.raises(ConfigurationError, match=expected) as refused:
        outlets(load(None, {}, flags), Telemetry())
    assert "eA==" not in str(refused.value)
    assert "pw@" not in str(refused.value)


def test_committed_failures_reach_every_destination(tmp_path: Path) -> None:
    """From the settings to the bytes; off by default."""
    with web() as server:
        flags = {"export.otlp": f"http://127.0.0.1:{server.port}", "export.ocsf": f"file:{tmp_path}/o", "export.ecs": f"file:{tmp_path}/e"}  # fmt: skip
        with leaving(load(None, {}, flags), Telemetry()) as tell:
            tell(full(), 1)
        ((path, _, body),) = server.requests

    assert "/v1/logs" == path
    assert "audience_mismatch" in json.dumps(body)
    assert {"audience_mismatch"} == {json.loads((tmp_path / "o").read_text())["status_code"], json.loads((tmp_path / "e").read_text())["event"]["code"]}  # fmt: skip
    assert [] == outlets(Settings(), Telemetry())
