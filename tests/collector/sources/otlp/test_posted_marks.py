"""Marks that a pipeline posts: kept as they are told, redacted, bounded, and through the same door as logs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from collector.errors import SinkUnavailable
from collector.events import Origin
from collector.redaction import fixed
from collector.sources.otlp.event_marks import MAX_MARKS, taking
from collector.sources.otlp.http_source import OtlpHttpSource
from collector.sources.otlp.json_decoder import decode
from collector.sources.otlp.posted_marks import MAX_BYTES, Mark, read
from collector.sources.otlp.protobuf_decoder import decode as decode_protobuf
from collector.sources.otlp.receiver import Harvest, Refused
from tests.collector.sources.otlp.rig import JSON, Answer, Rig, running, send
from tests.waiting import HANG_S, eventually

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


class Store:
    """Keeps marks, or fails, or waits."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.error: Exception | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.begun = threading.Event()

    def __call__(self, mark: Mark) -> None:
        self.begun.set()
        self.may_go_on.wait(HANG_S)
        if self.error:
            raise self.error
        self.marks.append(mark)


@contextmanager
def kept(store: Store | None, **settings: Any) -> Iterator[Rig]:
    """A receiver at which marks may be posted."""

    class Source(OtlpHttpSource):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.keep_mark = store

    with running(Source, **settings) as rig:
        yield rig


def post(rig: Rig, body: bytes, content_type: str = JSON, **headers: str) -> Answer:
    return send(rig, body, {"Content-Type": content_type, **headers}, path="/v1/marks")


def test_a_mark_is_stored_before_it_is_acknowledged() -> None:
    """204; its time is what was posted, else now."""
    store = Store()
    with kept(store) as rig:
        first = post(rig, b'{"text": "shop 7.1", "gateway": "kong", "detail": "eu", "at": "2026-03-02T14:00Z"}')
        second = post(rig, b'{"text": "shop 7.2"}')

    assert [(204, b""), (204, b"")] == [(one.status, one.body) for one in (first, second)]
    assert ("shop 7.1", "kong", "eu", NOW) == (
        store.marks[0].text,
        store.marks[0].gateway,
        store.marks[0].detail,
        store.marks[0].at,
    )
    assert abs((store.marks[1].at - datetime.now(UTC)).total_seconds()) < HANG_S


def test_a_secret_in_a_mark_is_redacted() -> None:
    """Whoever posts it may be a script with all its variables."""
    mark = read(orjson.dumps({"text": f"deployed with {SECRET}", "detail": f"Authorization: Bearer {SECRET}"}), NOW)

    assert (False, True) == (SECRET in mark.text + mark.detail, mark.text.startswith("deployed with "))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b"null", b"{}", b'{"text": ""}', b'{"text": 7}', b'{"text": "a", "at": "noon"}', b'{"text": "a", "at": 7}',
        b'{"text": "a", "who": "b"}', orjson.dumps({"text": "a" * 201}), b'{"text": "a", "gateway": []}', b"[" * 5_000,
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused_without_its_values(body: bytes) -> None:
    """With the field and what is expected."""
    with pytest.raises(Refused, match="expected"):
        read(body, NOW)


def test_what_cannot_be_stored_is_retryable() -> None:
    """503 with Retry-After, also while another mark is being stored; too large and of another type are neither."""
    store = Store()
    with kept(store) as rig, ThreadPoolExecutor(1) as pool:
        store.may_go_on.clear()
        waiting = pool.submit(post, rig, b'{"text": "a"}')
        eventually(store.begun.is_set, "the first mark is being stored")
        busy = post(rig, b'{"text": "b"}')
        store.may_go_on.set()
        first = waiting.result(HANG_S)
        store.error = SinkUnavailable("store", "gone")
        gone = post(rig, b'{"text": "c"}')
        large = post(rig, b" " * (MAX_BYTES + 1))
        typed = post(rig, b'{"text": "d"}', "text/plain")

    assert (503, 204, 503, 413, 415) == (busy.status, first.status, gone.status, large.status, typed.status)
    assert ("retry-after" in busy.headers, ["a"]) == (True, [mark.text for mark in store.marks])


def test_the_door_is_the_one_of_logs(tmp_path: Path) -> None:
    """Without the sender's token 401, and nothing is kept."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ci {'t' * 40}\n")
    tokens.chmod(0o600)
    store = Store()
    with kept(store, token_file=str(tokens)) as rig:
        refused = post(rig, b'{"text": "a"}')
        taken = post(rig, b'{"text": "b"}', Authorization=f"Bearer {'t' * 40}")

    assert (401, 204, ["b"]) == (refused.status, taken.status, [mark.text for mark in store.marks])


def event(name: str, body: Any = None, *, attributes: dict[str, str] | None = None, **record: Any) -> dict[str, Any]:
    """A log record that is an event."""
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in (attributes or {}).items()]
    told = {} if body is None else {"body": {"stringValue": body}}
    return {"eventName": name, "attributes": pairs, "timeUnixNano": str(int(NOW.timestamp()) * 10**9)} | told | record


def request(*records: dict[str, Any], resource: dict[str, str] | None = None) -> bytes:
    """An export request, as JSON."""
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in (resource or {}).items()]
    return orjson.dumps({"resourceLogs": [{"resource": {"attributes": pairs}, "scopeLogs": [{"logRecords": records}]}]})


EVENTS = {
    "a mark": (event("why401.mark", "shop 7.1", attributes={"gateway": "kong", "detail": "eu"}), ("shop 7.1", "kong", "eu")),
    "named as before": (event("", "shop 7.1", attributes={"event.name": "why401.mark"}), ("shop 7.1", "", "")),
    "a deployment": (
        event("deployment.finished", attributes={"deployment.name": "deploy shop", "deployment.status": "succeeded"}),
        ("deploy shop", "", "prod"),
    ),
    "of a service": (event("deployment"), ("shop 7.1", "", "prod")),
    "not finished": (event("deployment.started", "shop", attributes={"deployment.status": "in_progress"}), None),
    "with a secret": (event("why401.mark", f"token={SECRET}"), ("token=[secret]", "", "")),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_a_mark(name: str) -> None:
    """Kept as it is posted otherwise; the record beside it goes the way of records."""
    sent, expected = EVENTS[name]
    resource = {"service.name": "shop", "service.version": "7.1", "deployment.environment.name": "prod"}
    is_plain = not sent["eventName"].startswith("deployment")
    marks: list[Mark] = []
    harvest = Harvest(Origin(fixed("otlp")), "", 0)
    decode(request(sent, {"body": {"stringValue": "line"}}, resource={} if is_plain else resource), harvest)
    taking(marks.append)(harvest)

    assert ["line"] == [record.text for record in harvest.records]
    assert ([] if expected is None else [expected]) == [(one.text, one.gateway, one.detail) for one in marks]
    assert [] == [one for one in marks if SECRET in one.text or one.at != NOW]


@pytest.mark.parametrize(
    "sent", [event("why401.mark"), event("why401.mark", "a" * 201), event("why401.mark", "a", attributes={"gateway": "g" * 201})]
)  # fmt: skip
def test_a_wrong_event_is_rejected_alone(sent: dict[str, Any]) -> None:
    """As a partial success says it; no value is quoted."""
    marks: list[Mark] = []
    harvest = Harvest(Origin(fixed("otlp")), "", 0)
    decode(request(sent, event("why401.mark", "right"), {"body": {"stringValue": "line"}}), harvest)
    taking(marks.append)(harvest)

    assert (["right"], ["line"]) == ([mark.text for mark in marks], [record.text for record in harvest.records])
    assert {"undecodable": 1} == harvest.rejected
    assert (False, True) == ("aaaa" in str(harvest.first), "expected" in str(harvest.first))


def test_events_come_through_the_door_of_logs(tmp_path: Path) -> None:
    """None without the sender's token, none of a flood, 503 when the store does not take it."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ci {'t' * 40}\n")
    tokens.chmod(0o600)
    store = Store()
    mine = {"Authorization": f"Bearer {'t' * 40}", "Content-Type": JSON}
    one = request(event("why401.mark", "a"))
    with kept(store, token_file=str(tokens)) as rig:
        refused = send(rig, one, {"Content-Type": JSON})
        taken = send(rig, one, mine)
        flood = send(rig, request(*[event("why401.mark", str(n)) for n in range(MAX_MARKS + 1)]), mine)
        store.error = SinkUnavailable("store", "gone")
        gone = send(rig, request(event("why401.mark", "b")), mine)

    assert (401, 200, 413, 503) == (refused.status, taken.status, flood.status, gone.status)
    assert (["a"], []) == ([mark.text for mark in store.marks], rig.intake.batches)


def test_protobuf_names_events_too() -> None:
    """The receivers of both protocols share the decoder, and what takes marks out."""
    harvest = Harvest(Origin(fixed("otlp")), "", 0)
    record = LogRecord(event_name="why401.mark", body=AnyValue(string_value="a"), time_unix_nano=10**18)
    sent = ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=[record])])])
    marks: list[Mark] = []
    decode_protobuf(sent.SerializeToString(), harvest)
    taking(marks.append)(harvest)

    assert (["a"], []) == ([mark.text for mark in marks], harvest.records)


def test_without_a_store_an_event_is_a_record() -> None:
    """`why401 collect` passes it on as any line that is about no request."""
    with kept(None) as rig:
        assert 200 == send(rig, request(event("why401.mark", "a")), {"Content-Type": JSON}).status

    assert ["a"] == rig.intake.texts()


def test_without_a_store_there_is_no_such_path() -> None:
    """`why401 collect` has none: 404, as for any unknown path."""
    with kept(None) as rig:
        assert 404 == post(rig, b'{"text": "a"}').status
