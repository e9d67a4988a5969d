"""Ids, threads and shapes that any program's line may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from collector.events import Origin
from collector.joining.marks import ids, is_anonymous, shape, thread
from collector.records import RawRecord
from collector.redaction import fixed

UUID = "6d5fbc5e-5e12-4cf1-9b3f-1f2e3d4c5b6a"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def record(text: str = "", fields: Mapping[str, Any] | None = None) -> RawRecord:
    return RawRecord(Origin(fixed("file")), 0, text=text, fields=fields)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ERROR request_id=req-17 token expired", ("req-17",)),
        (f'level=warn http.request.id={UUID} msg="no"', (UUID,)),
        (f'"X-Request-Id": "{UUID}"', (UUID,)),
        (f"[{UUID}] Filter chain halted", (UUID,)),
        (f"traceparent=00-{TRACE}-00f067aa0ba902b7-01", (TRACE,)),
        (f"trace_id={TRACE} request-id=ab12", (TRACE, "ab12")),
        (f"x-amzn-trace-id: Root=1-67891233-{TRACE[:24]};Sampled=1", (f"1-67891233-{TRACE[:24]}",)),
        (f"transaction.id={TRACE[:16]} requestUuid={UUID}", (TRACE[:16], UUID)),
        ("cf-ray: 8a1b2c3d4e5f6071-FRA", ("8a1b2c3d4e5f6071",)),
        ("login failed: user=<ann>, session=<q0IPEn1hJpt/AAAB>", ("q0ipen1hjpt/aaab",)),
        ("ldap(ann,192.0.2.7,<q0IPEn1hJpt/AAAB>): refused", ("q0ipen1hjpt/aaab",)),
        ('ftpd: "session_id": "77c0ffee1" refused', ("session 77c0ffee1",)),
        ("sid=4711deadbeef login refused", ("session 4711deadbeef",)),
        ("session: terminated, sid=short at f (<anonymous>) of <frozen importlib>", ()),
        ("request_id=- token expired", ()),
        (f"trace_id={'0' * 32}", ()),
        ("token id expired", ()),
    ],
)
def test_ids_in_text(text: str, expected: tuple[str, ...]) -> None:
    """Under the names that programs give them; a dash and zeros are none."""
    assert expected == ids(record(text))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reqId": "req-1"}, ("req-1",)),
        ({"req": {"id": 7, "url": "/"}}, ("7",)),
        ({"RequestId": "0HN1"}, ("0HN1",)),
        ({"trace.id": TRACE, "correlation_id": "c-9"}, (TRACE, "c-9")),
        ({"requestUUID": UUID, "dd": {"trace_id": "88"}}, (UUID, "88")),
        ({"awsRequestId": UUID, "sessionId": "<77c0ffee1>"}, (UUID, "session 77c0ffee1")),
        ({"session": "closed", "operationId": "getCarts", "sid": {"a": 1}}, ()),
        ({"id": "not a request's", "user_id": "u"}, ()),
    ],
)
def test_ids_in_fields(fields: Mapping[str, Any], expected: tuple[str, ...]) -> None:
    """At the top, and in an object that is about the request."""
    assert expected == ids(record(fields=fields))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-03 10:00:00.1 [error] <0.942.0> no", "<0.942.0>"),
        ("2026-03-03T10:00:00Z WARN 1 --- [nio-8080-exec-5] o.s.s.A : no", "nio-8080-exec-5"),
        ("10:00:00,1 WARN [org.acme] (executor-thread-3) no", "executor-thread-3"),
        ("10:00:00,1 WARN [main] no", ""),
    ],
)
def test_threads_that_serve_one_request(text: str, expected: str) -> None:
    """An event loop serves many, so its name proves nothing."""
    assert expected == thread(record(text))


def test_a_shape_is_what_one_statement_always_writes() -> None:
    """Values differ, the statement does not; another statement has another shape."""
    first, again, other = (
        shape(record(text), [])
        for text in ("WARN a.b: refused /v1/x of 10.0.0.1", "WARN a.b: refused /y of 10.9.9.9", "WARN a.b: not let in")
    )
    assert first == again != other


def test_a_place_for_an_id_with_nothing_in_it() -> None:
    """In text and in fields; a format without such a place tells nothing."""
    assert is_anonymous(record('"GET /" 401 request_id=-'))
    assert is_anonymous(record(fields={"request_id": ""}))
    assert not is_anonymous(record('"GET /" 401'))
    assert not is_anonymous(record("request_id=a1b2"))
