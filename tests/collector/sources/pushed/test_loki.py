"""Loki's push protocol: what each client sends becomes the same record, and the answers are Loki's."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import SinkUnavailable
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.sources.otlp.receiver import Refused
from collector.sources.pushed import stream_labels
from tests.collector.sources.access_rig import GOOD, bearer, token_file
from tests.collector.sources.otlp.rig import JSON, PROTOBUF, Rig, running, send
from tests.collector.sources.pushed.shapes import loki_json, loki_protobuf, push, snappy

AT = 1_772_532_000_500_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LABELS = {"app": "nginx", "pod": "web-1", "level": "error"}
METADATA = {"trace_id": TRACE, "user": "kim"}
PROTO = loki_protobuf('{app="nginx", pod="web-1", level="error"}', (AT, "no user", METADATA))
TEXT = loki_json(LABELS, [str(AT), "no user", METADATA])


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A receiver that takes 1 MiB."""
    with running(OtlpHttpSource) as running_rig:
        yield running_rig


@pytest.mark.parametrize(
    ("body", "kind", "coding"),
    [
        (snappy(PROTO), PROTOBUF, ""),  # Promtail, Alloy, Docker's driver
        (snappy(PROTO), PROTOBUF, "snappy"),  # Vector
        (gzip.compress(snappy(PROTO)), PROTOBUF, "gzip"),
        (TEXT, JSON, ""),  # Fluent Bit, Fluentd
        (TEXT, "application/json; charset=utf-8", ""),
        (gzip.compress(TEXT), JSON, "gzip"),
    ],
)
def test_every_form_is_the_same_record(rig: Rig, body: bytes, kind: str, coding: str) -> None:
    """Labels are its resource, also under OpenTelemetry's names; structured metadata its attributes; 204 once it is stored."""
    answer = push(rig, body, kind, **({"Content_Encoding": coding} if coding else {}))

    assert (answer.status, answer.body) == (204, b"")
    (batch,) = rig.intake.batches
    (record,) = batch.items
    assert (record.text, record.time_ns, record.level, record.program, record.trace_id) == (
        "no user", AT, "ERROR", "nginx", TRACE,
    )  # fmt: skip
    assert record.resource == LABELS | {"service.name": "nginx", "k8s.pod.name": "web-1"}
    assert record.attributes == METADATA
    assert (record.origin.kind, record.origin.source, batch.source) == ("loki", "127.0.0.1", "otlp_http")


def test_an_entry_that_is_none_is_left_out(rig: Rig) -> None:
    """One bad entry does not hide the others; it is counted."""
    answer = push(rig, loki_json(LABELS, [str(AT), "good"], ["soon", "bad"], [str(AT), 7], [str(AT), "x", {"a": 1}]))

    assert (answer.status, rig.intake.texts(), rig.drops()) == (204, ["good"], {"undecodable": 3})


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        (b"{", JSON, 400, "not JSON"),
        (b"[]", JSON, 400, "streams: expected an array"),
        (b'{"streams": [7]}', JSON, 400, "streams[0]: expected an object"),
        (loki_json(LABELS, ["soon", "bad"]), JSON, 400, "streams[0].values[0].[0]: expected a time"),
        (PROTO, PROTOBUF, 400, "not valid snappy"),
        (snappy(b"\x0a\x05abc"), PROTOBUF, 400, "not a protobuf PushRequest"),
        (snappy(loki_protobuf("{app=~nginx}", (AT, "x", {}))), PROTOBUF, 400, 'expected labels such as {app="nginx"}'),
        (TEXT, "text/plain", 415, "Content-Type must be"),
    ],
)
def test_what_is_refused(rig: Rig, body: bytes, kind: str, status: int, says: str) -> None:
    """A sentence in plain text, which no shipper sends again for."""
    answer = push(rig, body, kind)

    assert (answer.status, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert says in answer.body.decode()
    assert rig.intake.batches == []
    assert rig.refused() == {str(status): 1}


@pytest.mark.parametrize("outcome", ["full", SinkUnavailable("lake", "away")])
def test_what_cannot_be_stored_is_asked_for_again(rig: Rig, outcome: str | Exception) -> None:
    """503 with Retry-After, on which every shipper sends it again; then it is stored once."""
    rig.intake.outcome = outcome
    answer = push(rig, TEXT)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    rig.intake.outcome, rig.intake.batches = "stored", []

    assert [push(rig, TEXT).status, push(rig, TEXT).status] == [204, 204]
    assert rig.intake.texts() == ["no user"]


def test_tokens_are_asked_for_as_everywhere(tmp_path: Path) -> None:
    """As a bearer token, or as the password of a shipper that knows only passwords."""
    basic = {"Authorization": "Basic " + base64.b64encode(f"anybody:{GOOD}".encode()).decode()}
    wrong = {"Authorization": "Basic " + base64.b64encode(b"anybody:" + b"x" * 32).decode()}
    with running(OtlpHttpSource, token_file=token_file(tmp_path, f"edge {GOOD}\n")) as rig:
        answers = [push(rig, TEXT, **headers).status for headers in ({}, wrong, basic, bearer(GOOD))]
        assert answers == [401, 401, 204, 204]
        assert rig.telemetry.by("why401.senders.accepted", "sender") == {"edge": 2}
        assert rig.telemetry.by("why401.senders.refused", "reason") == {"no_credential": 1, "unknown_token": 1}


def test_basic_is_no_way_into_otlp(tmp_path: Path) -> None:
    """OTLP's clients know bearer tokens."""
    basic = {"Authorization": "Basic " + base64.b64encode(f"anybody:{GOOD}".encode()).decode(), "Content-Type": JSON}
    with running(OtlpHttpSource, token_file=token_file(tmp_path, f"edge {GOOD}\n")) as rig:
        assert send(rig, b"{}", basic).status == 401


def test_shippers_ask_whether_it_is_ready(rig: Rig) -> None:
    """Vector does before it starts."""
    assert send(rig, b"", {}, method="GET", path="/ready").status == 200


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{}", {}),
        ('{a="1",b="2"}', {"a": "1", "b": "2"}),
        ('{ a = "1" , b="x,y=\\"z\\"}" }', {"a": "1", "b": 'x,y="z"}'}),
        ('{a="\\u00e9\\n"}', {"a": "é\n"}),
        ('{a="\\x00b"}', {"a": "\\x00b"}),
        ('{a="\\ud800"}', {"a": "?"}),
    ],
)
def test_labels_of_text(text: str, labels: dict[str, str]) -> None:
    """As Prometheus prints them."""
    assert stream_labels.of_text(text) == labels


@given(st.text(max_size=80) | st.text('{}",= ab\\u0', max_size=40).map(lambda inner: "{" + inner + "}"))
def test_any_text_is_labels_or_refused(text: str) -> None:
    """Nothing else is raised."""
    try:
        labels = stream_labels.of_text(text)
    except Refused:
        return
    assert all(isinstance(value, str) and value.encode() is not None for value in labels.values())


@given(st.dictionaries(st.text("ab_", min_size=1), st.text(max_size=30), max_size=5))
def test_labels_come_back(labels: dict[str, str]) -> None:
    """Whatever a value holds, as JSON escapes it."""
    text = "{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"
    assert stream_labels.of_text(text) == {
        name: value.encode("utf-8", "replace").decode() for name, value in labels.items()
    }
