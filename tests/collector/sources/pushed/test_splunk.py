"""Splunk's HTTP Event Collector: what each client sends becomes a record, and the answers are Splunk's."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from collector.errors import SinkUnavailable
from collector.shippers import peel
from collector.sources.otlp.http_source import OtlpHttpSource
from tests.collector.sources.access_rig import GOOD, token_file
from tests.collector.sources.otlp.rig import Rig, running, send
from tests.collector.sources.pushed.shapes import hec

AT = 1_772_532_000_500_000_000
SUCCESS = {"text": "Success", "code": 0}


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A receiver that takes 1 MiB."""
    with running(OtlpHttpSource) as running_rig:
        yield running_rig


def event(**said: Any) -> bytes:
    return orjson.dumps({"event": "no user"} | said)


@pytest.mark.parametrize("path", ["", "/event", "/event/1.0"])
@pytest.mark.parametrize("time", [1772532000.5, "1772532000.500000", "1772532000500"])
def test_an_event_is_a_record(rig: Rig, path: str, time: Any) -> None:
    """What it says of itself is the resource under OpenTelemetry's names, its fields are attributes."""
    body = event(
        time=time,
        host="edge-1",
        source="/var/log/a.log",
        sourcetype="nginx",
        index="main",
        fields={"severity": "error", "n": 1},
    )
    answer = hec(rig, body, path)

    assert (answer.status, answer.json()) == (200, SUCCESS)
    ((record,),) = [batch.items for batch in rig.intake.batches]
    assert (record.text, record.time_ns, record.program, record.level) == ("no user", AT, "nginx", "ERROR")
    assert record.resource == {
        "host.name": "edge-1", "com.splunk.source": "/var/log/a.log", "com.splunk.sourcetype": "nginx", "com.splunk.index": "main",
    }  # fmt: skip
    assert record.attributes == {"severity": "error", "n": 1}
    assert (record.origin.kind, record.origin.source) == ("splunk_hec", "127.0.0.1")


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n\r\n ", b","])
def test_events_stand_behind_each_other(rig: Rig, between: bytes) -> None:
    """With anything or nothing between them, also compressed."""
    answer = hec(rig, gzip.compress(between.join(event(event=f"e{n}") for n in range(3))), Content_Encoding="gzip")

    assert (answer.status, rig.intake.texts()) == (200, ["e0", "e1", "e2"])


def test_an_object_is_read_as_a_record_and_its_envelope_peeled(rig: Rig) -> None:
    """Docker's driver wraps a container's line in an object."""
    hec(rig, event(event={"line": "no user", "source": "stdout", "tag": "4711"}, time="1772532000.500000", host="h"))
    hec(rig, event(event={"line": {"status": 401}, "source": "stdout", "tag": "4711"}, time="1772532001.5", host="h"))
    first, second = (peel(batch.items[0]) for batch in rig.intake.batches)

    assert (first.text, first.time_ns) == ("no user", AT)
    assert second.fields is not None


def test_raw_lines_are_read_as_those_of_a_file(rig: Rig) -> None:
    """What is known of all of them stands in the address; a stack trace is one record."""
    body = b"ERROR no user\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'sub'\nINFO next\n"
    answer = hec(
        rig, body, "/raw?time=1772532000.5&host=edge-1&source=a&sourcetype=carts", X_Splunk_Request_Channel="c"
    )

    assert (answer.status, answer.json(), len(rig.intake.texts())) == (200, SUCCESS, 2)
    record = rig.intake.batches[0].items[0]
    assert record.text.endswith("KeyError: 'sub'")
    assert (record.time_ns, record.program, record.resource["host.name"]) == (AT, "carts", "edge-1")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", {"text": "No data", "code": 5}),
        (b"  \n", {"text": "No data", "code": 5}),
        (b"no user", {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
        (b"7", {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
        (b'{"event": "\xff"}', {"text": "Invalid data format", "code": 6}),
        (b'{"event": "\\ud800"}', {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
        (b'{"time": 1}', {"text": "Event field is required", "code": 12, "invalid-event-number": 0}),
        (b'{"event": ""}', {"text": "Event field cannot be blank", "code": 13, "invalid-event-number": 0}),
        (b'{"event": "a", "fields": 7}', {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
    ],
)
def test_what_is_no_event(rig: Rig, body: bytes, answer: dict[str, Any]) -> None:
    """400 with Splunk's words and codes."""
    got = hec(rig, body)

    assert (got.status, got.json(), rig.intake.batches) == (400, answer, [])


def test_one_bad_event_hides_no_other(rig: Rig) -> None:
    """It is counted; behind what is no JSON, it cannot be known where the next event begins."""
    answer = hec(rig, event(event="a") + b'{"time": 1}' + event(event="b") + b"{" + event(event="c"))

    assert (answer.status, rig.intake.texts(), rig.drops()) == (200, ["a", "b"], {"undecodable": 2})


def test_the_same_words_may_be_said_twice(rig: Rig) -> None:
    """An event without a time that comes again is another one; with its time it is a replay."""
    timed = event(time=1772532000)
    assert [hec(rig, body).status for body in (event(), event(), timed, timed)] == [200] * 4
    assert rig.intake.texts() == ["no user"] * 3


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("", 401, 2),
        ("Bearer " + GOOD, 401, 3),
        ("Splunk", 401, 3),
        ("Splunk " + "x" * 36, 403, 4),
        ("Splunk " + GOOD, 200, 0),
        ("splunk " + GOOD, 200, 0),
        ("Basic " + base64.b64encode(f"x:{GOOD}".encode()).decode(), 200, 0),
    ],
)
def test_tokens(tmp_path: Path, authorization: str, status: int, code: int) -> None:
    """Splunk's scheme with a token of the token file, or the token as a password."""
    with running(OtlpHttpSource, token_file=token_file(tmp_path, f"edge {GOOD}\n")) as rig:
        answer = hec(rig, event(), authorization=authorization)
        assert (answer.status, answer.json()["code"]) == (status, code)
        assert GOOD not in answer.body.decode()
        assert len(rig.intake.batches) == (status == 200)


def test_authorization_is_sent_though_nobody_checks_it(rig: Rig) -> None:
    """What every client sends, a web page's form cannot."""
    assert hec(rig, event(), authorization="", Content_Type="text/plain").json() == {
        "text": "Token is required",
        "code": 2,
    }
    assert rig.intake.batches == []


@pytest.mark.parametrize("outcome", ["full", SinkUnavailable("lake", "away")])
def test_what_cannot_be_stored_is_asked_for_again(rig: Rig, outcome: str | Exception) -> None:
    """503, on which every client sends it again."""
    rig.intake.outcome = outcome
    answer = hec(rig, event())
    assert (answer.status, answer.json()) == (503, {"text": "Server is busy", "code": 9})
    assert "retry-after" in answer.headers


def test_health_and_what_clients_ask_first(rig: Rig) -> None:
    """Vector and the Collector ask for its health, Docker's driver with OPTIONS; there is no acknowledgement to ask for later."""

    def asked(method: str, path: str) -> tuple[int, bytes]:
        answer = send(rig, b"", {}, method=method, path=f"/services/collector{path}")
        return answer.status, answer.body

    assert asked("GET", "/health/1.0") == (200, b'{"text":"HEC is healthy","code":17}')
    assert asked("OPTIONS", "/event/1.0") == (200, b"")
    assert asked("POST", "/ack") == (400, b'{"text":"ACK is disabled","code":14}')
    assert asked("GET", "/event")[0] == 405
