"""OTLP/protobuf: hand-walked envelope, bombs, broken encodings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs, ScopeLogs

from collector.sources.otlp import protobuf_decoder
from collector.sources.otlp.receiver import (
    MAX_RECORD_BYTES,
    MAX_RECORDS,
    MAX_VALUES,
    Harvest,
    Refusal,
    Refused,
)
from tests.collector.sources.otlp.rig import body_of, fresh_harvest, line, request_of


def harvest(body: bytes) -> Harvest:
    out = fresh_harvest()
    protobuf_decoder.decode(body, out)
    return out.checked()


def delimited(number: int, value: bytes) -> bytes:
    size, prefix = len(value), bytearray([number << 3 | 2])
    while size > 127:
        prefix.append(size & 127 | 128)
        size >>= 7
    return bytes(prefix) + bytes([size]) + value


def under_scope(*records: bytes) -> bytes:
    """A request from encoded LogRecords."""
    return delimited(1, delimited(2, b"".join(delimited(2, record) for record in records)))


def nested(depth: int) -> bytes:
    """An encoded AnyValue; protobuf's own encoder stops at 100 levels."""
    value = delimited(1, b"leaf")
    for _ in range(depth - 1):
        value = delimited(5, delimited(1, value))
    return value


texts = st.text(st.characters(codec="utf-8"), max_size=20)
requests = st.lists(st.tuples(texts, st.lists(st.lists(texts, max_size=3), max_size=3)), max_size=3)


@given(requests)
def test_walk_agrees_with_protobuf(shape):
    """The hand-written walk finds the records that protobuf itself finds, in order."""
    request = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(schema_url=url, scope_logs=[ScopeLogs(log_records=map(line, lines)) for lines in scopes])
            for url, scopes in shape
        ]
    )
    expected = [
        record.body.string_value for r in request.resource_logs for s in r.scope_logs for record in s.log_records
    ]

    assert expected == [record.text for record in harvest(request.SerializeToString()).records]


@given(st.binary(max_size=200))
def test_any_bytes(body):
    """Whatever the bytes are, they are decoded or refused; a refusal is the only exception."""
    refusals = []
    try:
        harvest(body)
    except Refused as refused:
        refusals.append(refused.refusal)

    assert refusals in ([], [Refusal.BAD_DATA])


def test_record_fields():
    """A protobuf record carries what the JSON one does."""
    record = line("x", time_unix_nano=0, observed_time_unix_nano=6, trace_id=bytes(range(16)))

    raw = harvest(request_of(record, **{"service.name": "edge"}).SerializeToString()).records[0]

    assert ("x", 6, bytes(range(16)).hex(), {"service.name": "edge"}, "envoy") == (
        raw.text,
        raw.time_ns,
        raw.trace_id,
        raw.resource,
        raw.gateway,
    )


def test_resource_after_its_scopes():
    """The order of fields on the wire does not matter, and a field that comes twice is merged."""
    first, second = (request_of(line("x"), **{name: "v"}).resource_logs[0] for name in ("a", "b"))
    scopes = delimited(2, first.scope_logs[0].SerializeToString())
    body = scopes + b"".join(delimited(1, part.resource.SerializeToString()) for part in (first, second))

    assert harvest(delimited(1, body)).records[0].resource == {"a": "v", "b": "v"}


def test_unknown_fields_are_skipped():
    """Fields of a later protocol version, of every wire type, are passed over."""
    unknown = b"\x78\x96\x01" + b"\x79" + bytes(8) + b"\x7d" + bytes(4) + delimited(14, b"later")

    assert [record.text for record in harvest(unknown + body_of("x") + unknown).records] == ["x"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x0a\xff", id="cut-off-length"),
        pytest.param(b"\x0a\x05a", id="cut-off-value"),
        pytest.param(b"\x0a" + b"\xff" * 11, id="endless-varint"),
        pytest.param(b"\x0b\x0c", id="group"),
        pytest.param(b"\x1f\x8b", id="gzip-without-its-header"),
        pytest.param(b"garbage", id="text"),
        pytest.param(body_of("x" * 100)[:-1], id="truncated-request"),
        pytest.param(under_scope(b"\xff"), id="garbage-record"),
        pytest.param(under_scope(delimited(5, delimited(1, b"\xff\xfe"))), id="invalid-utf-8"),
        pytest.param(delimited(1, delimited(1, b"\xff") + delimited(2, delimited(2, b""))), id="garbage-resource"),
    ],
)
def test_requests_that_cannot_be_decoded(body):
    """What is not an ExportLogsServiceRequest is refused as bad data."""
    with pytest.raises(Refused) as caught:
        harvest(body)

    assert caught.value.refusal is Refusal.BAD_DATA


def test_bad_record_is_rejected_alone():
    """One record with invalid UTF-8 does not hide the others."""
    good = line("good").SerializeToString()

    out = harvest(under_scope(good, delimited(5, delimited(1, b"\xff")), good))

    assert ([record.text for record in out.records], out.rejected) == (["good", "good"], {"undecodable": 1})


def test_large_record_is_rejected_alone():
    """A record beyond the limit is not decoded at all."""
    out = harvest(body_of("small", "x" * MAX_RECORD_BYTES))

    assert ([record.text for record in out.records], out.rejected) == (["small"], {"too_large": 1})


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(under_scope(*[b""] * (MAX_RECORDS + 1)), id="empty-records"),
        pytest.param(b"\x0a\x00" * 4_000_000, id="empty-envelopes"),
        pytest.param(b"\x7a\x00" * 4_000_000, id="unknown-fields"),
        pytest.param(under_scope(b"\x32\x00" * MAX_RECORD_BYTES), id="empty-attributes"),
        pytest.param(under_scope(*[b"\x32\x00" * 100_000] * (MAX_VALUES // 100_000 + 2)), id="attributes-together"),
        pytest.param(
            delimited(1, delimited(1, b"\x0a\x00" * MAX_RECORD_BYTES) + delimited(2, b"")), id="resource-attributes"
        ),
    ],
)
def test_bombs(body):
    """Two bytes that stand for a message in memory are counted before they become one."""
    with pytest.raises(Refused) as caught:
        harvest(body)

    assert caught.value.refusal is Refusal.TOO_LARGE


def test_empty_envelopes_cost_nothing():
    """Envelopes without records are ignored."""
    assert harvest(b"\x0a\x00" * 1000 + body_of()).total == 0


def test_depth():
    """Nesting that protobuf reads is read, and what it does not read is refused with the record."""
    out = harvest(under_scope(delimited(5, nested(40)), delimited(5, nested(20_000))))

    assert [record.text for record in out.records] == ["[" * 39 + '"leaf"' + "]" * 39]
    assert out.rejected == {"undecodable": 1}
