"""OTLP/JSON: the rules that protobuf's json_format breaks, one row each."""

from __future__ import annotations

import math

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collector.records import RawRecord
from collector.sources.otlp import json_decoder, protobuf_decoder
from collector.sources.otlp.receiver import (
    MAX_RECORD_BYTES,
    MAX_RECORDS,
    Harvest,
    Refusal,
    Refused,
)
from tests.collector.sources.otlp.rig import fresh_harvest, json_of

TRACE = "5b8efff798038103d269b633813fc60c"


def harvest(body: bytes) -> Harvest:
    out = fresh_harvest()
    json_decoder.decode(body, out)
    return out.checked()


def one(record: object) -> RawRecord:
    return harvest(json_of(record)).records[0]


def nested(depth: int) -> dict:
    value: dict = {"stringValue": "leaf"}
    for _ in range(depth - 1):
        value = {"arrayValue": {"values": [value]}}
    return value


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param({"stringValue": "a"}, "a", id="string"),
        pytest.param({"stringValue": ""}, "", id="empty-string"),
        pytest.param({"intValue": "9223372036854775807"}, 9223372036854775807, id="int64-as-string"),
        pytest.param({"intValue": -5}, -5, id="int64-as-number"),
        pytest.param({"intValue": 1e3}, 1000, id="int64-with-exponent"),
        pytest.param({"intValue": 0}, 0, id="zero-is-a-value"),
        pytest.param({"boolValue": False}, False, id="false-is-a-value"),
        pytest.param({"doubleValue": 1.5}, 1.5, id="double"),
        pytest.param({"doubleValue": "1.5e3"}, 1500.0, id="double-as-string"),
        pytest.param({"doubleValue": "-Infinity"}, -math.inf, id="infinity"),
        pytest.param({"bytesValue": "ZXlKaGJH"}, "eyJhbG", id="bytes-are-text"),
        pytest.param({"bytesValue": "_-8"}, b"\xff\xef".decode(errors="replace"), id="bytes-url-safe-unpadded"),
        pytest.param({"arrayValue": {"values": [{"intValue": 1}, {}]}}, [1, None], id="array"),
        pytest.param({"arrayValue": {}}, [], id="empty-array"),
        pytest.param(
            {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]}}, {"k": True}, id="kvlist"
        ),
        pytest.param({}, None, id="empty-value"),
        pytest.param(None, None, id="null"),
        pytest.param({"string_value": "a"}, None, id="snake-case-is-an-unknown-field"),
        pytest.param({"stringValue": None, "intValue": 1}, 1, id="null-member-is-absent"),
    ],
)
def test_attribute_values(raw, expected):
    """An AnyValue becomes the plain value that it means."""
    record = one({"attributes": [{"key": "a", "value": raw}]})

    assert {"a": expected} == dict(record.attributes)


def test_nan():
    """The word NaN is a double that is not a number."""
    record = one({"attributes": [{"key": "a", "value": {"doubleValue": "NaN"}}]})

    assert math.isnan(record.attributes["a"])


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        pytest.param({"severityNumber": "SEVERITY_NUMBER_INFO"}, "severityNumber", id="enum-name"),
        pytest.param({"severityNumber": True}, "severityNumber", id="enum-boolean"),
        pytest.param({"traceId": "W47/95gDgQPSabYzgT/GDA=="}, "traceId", id="trace-id-base64"),
        pytest.param({"traceId": TRACE[:-1]}, "traceId", id="trace-id-odd"),
        pytest.param({"traceId": TRACE[:-2]}, "traceId", id="trace-id-short"),
        pytest.param({"traceId": " " * 2 + TRACE[2:]}, "traceId", id="trace-id-with-spaces"),
        pytest.param({"spanId": "xyz"}, "spanId", id="span-id"),
        pytest.param({"timeUnixNano": "soon"}, "timeUnixNano", id="time-word"),
        pytest.param({"timeUnixNano": -1}, "timeUnixNano", id="time-negative"),
        pytest.param({"timeUnixNano": 1.5}, "timeUnixNano", id="time-fraction"),
        pytest.param({"timeUnixNano": True}, "timeUnixNano", id="time-boolean"),
        pytest.param({"timeUnixNano": "9" * 5000}, "timeUnixNano", id="time-of-5000-digits"),
        pytest.param({"timeUnixNano": 123456789012345678901234567890}, "timeUnixNano", id="time-of-30-digits"),
        pytest.param({"timeUnixNano": "١٢٣"}, "timeUnixNano", id="time-in-other-digits"),
        pytest.param({"timeUnixNano": "--5"}, "timeUnixNano", id="time-two-signs"),
        pytest.param({"body": "text"}, "body", id="body-not-an-any-value"),
        pytest.param({"body": {"stringValue": 5}}, "body.stringValue", id="string-of-a-number"),
        pytest.param({"body": {"boolValue": "true"}}, "body.boolValue", id="boolean-word"),
        pytest.param({"body": {"intValue": "9223372036854775808"}}, "body.intValue", id="int64-too-large"),
        pytest.param({"body": {"doubleValue": "1_0"}}, "body.doubleValue", id="double-with-underscore"),
        pytest.param({"body": {"doubleValue": "e"}}, "body.doubleValue", id="double-without-digits"),
        pytest.param({"body": {"bytesValue": "*"}}, "body.bytesValue", id="bytes-not-base64"),
        pytest.param({"attributes": {"a": 1}}, "attributes", id="attributes-as-object"),
        pytest.param({"attributes": ["a"]}, "attributes[0]", id="attribute-as-string"),
        pytest.param(
            {"body": {"kvlistValue": {"values": [{"value": {"intValue": "x"}}]}}},
            "body.kvlistValue.values[0].value.intValue",
            id="deep-path",
        ),
    ],
)
def test_undecodable_field(raw, where):
    """A record with a field of the wrong form is refused with the field's path and without its value."""
    with pytest.raises(Refused) as caught:
        harvest(json_of(raw))

    assert (Refusal.BAD_DATA, f"resourceLogs[0].scopeLogs[0].logRecords[0].{where}") == (
        caught.value.refusal,
        caught.value.where,
    )


def test_bad_record_is_rejected_alone():
    """One undecodable record does not hide the records beside it."""
    out = harvest(json_of({"body": {"stringValue": "a"}}, {"traceId": "no"}, {"body": {"stringValue": "b"}}))

    assert [record.text for record in out.records] == ["a", "b"]
    assert out.rejected == {"undecodable": 1}
    partial = out.response().partial_success
    assert (
        partial.rejected_log_records,
        partial.error_message,
    ) == (1, "resourceLogs[0].scopeLogs[0].logRecords[1].traceId: expected 32 hex digits")


def test_record_fields():
    """A record carries body, attributes, resource, time, trace id, peer and the operator's word for its format."""
    body = b"""{"resourceLogs":[{"unknown":{"x":[1]},"resource":{"attributes":[
        {"key":"service.name","value":{"stringValue":"edge"}}]},
        "scopeLogs":[{"logRecords":[{"timeUnixNano":"5","observedTimeUnixNano":6,"severityNumber":9,"newField":1,
        "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174",
        "body":{"stringValue":"{\\"status\\":401}"},"attributes":[{"key":"k","value":{"intValue":"1"}}]}]}]}]}"""

    record = harvest(body).records[0]

    assert (
        record.text,
        record.fields,
        record.attributes,
        record.resource,
        record.time_ns,
        record.trace_id,
        record.observed_ns,
        record.origin.source,
        record.origin.kind,
        record.gateway,
    ) == ('{"status":401}', None, {"k": 1}, {"service.name": "edge"}, 5, TRACE, 7, "192.0.2.1", "otlp", "envoy")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param({"timeUnixNano": 0, "observedTimeUnixNano": "6"}, 6, id="observed-when-unset"),
        pytest.param({"timeUnixNano": "18446744073709551615", "observedTimeUnixNano": 6}, 6, id="beyond-int64"),
        pytest.param({}, 0, id="none"),
    ],
)
def test_time(raw, expected):
    """The record's own time goes before the observed one; 0 means none."""
    assert expected == one(raw).time_ns


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param({"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}]}}, ("", {"a": 1}), id="map"),
        pytest.param({"intValue": "5"}, ("5", None), id="number"),
        pytest.param({"arrayValue": {"values": [{"stringValue": "a"}]}}, ('["a"]', None), id="array"),
        pytest.param(None, ("", None), id="none"),
    ],
)
def test_body(raw, expected):
    """A map body is fields, every other body is text."""
    record = one({"body": raw})

    assert expected == (record.text, record.fields)


def test_zero_trace_id_is_none():
    """OpenTelemetry calls the all-zero trace id invalid."""
    assert one({"traceId": "0" * 32}).trace_id == ""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="no-bytes"),
        pytest.param(b"{}", id="empty-object"),
        pytest.param(b'{"resourceLogs":null}', id="null"),
        pytest.param(b'{"resourceLogs":[{},{"scopeLogs":[{}]}]}', id="empty-envelopes"),
        pytest.param(b'{"resource_logs":5}', id="snake-case-is-unknown"),
        pytest.param(b'{"resourceLogs":[' + b"{}," * 200_000 + b"{}]}", id="200000-empty-envelopes"),
    ],
)
def test_requests_without_records(body):
    """An empty request is decoded and holds nothing."""
    assert harvest(body).total == 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="100000-deep-array"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="100000-deep-object"),
        pytest.param(b'{"resourceLogs":[' + b"9" * 5000 + b"]}", id="number-of-5000-digits"),
        pytest.param(json_of({"body": {"stringValue": "X"}}).replace(b"X", b"\xff"), id="invalid-utf-8"),
        pytest.param(json_of({"body": {"stringValue": "X"}}).replace(b"X", b"\\ud800"), id="lone-surrogate"),
        pytest.param(b'{"resourceLogs":[NaN]}', id="bare-nan"),
        pytest.param(b'{"resourceLogs":[', id="cut-off"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'{"resourceLogs":{}}', id="object-for-array"),
        pytest.param(b'{"resourceLogs":[1]}', id="number-for-object"),
        pytest.param(b'{"resourceLogs":[{"scopeLogs":[{"logRecords":{}}]}]}', id="records-as-object"),
        pytest.param(json_of({"body": nested(65)}), id="any-value-65-deep"),
        pytest.param(json_of({"body": nested(300)}), id="any-value-300-deep"),
    ],
)
def test_requests_that_cannot_be_decoded(body):
    """What is not OTLP/JSON is refused as bad data."""
    with pytest.raises(Refused) as caught:
        harvest(body)

    assert caught.value.refusal is Refusal.BAD_DATA


def test_values_64_deep():
    """Sixty-four levels of AnyValue are still read."""
    assert one({"body": nested(64)}).text == "[" * 63 + '"leaf"' + "]" * 63


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(json_of(*[{}] * (MAX_RECORDS + 1)), id="records"),
        pytest.param(json_of({"body": {"stringValue": "x" * (MAX_RECORD_BYTES + 1)}}), id="one-record"),
        pytest.param(b"[" + b"{}," * 2_000_000 + b"{}]", id="values"),
    ],
)
def test_requests_that_are_too_large(body):
    """Records, values and one record's bytes are bounded."""
    with pytest.raises(Refused) as caught:
        harvest(body)

    assert caught.value.refusal is Refusal.TOO_LARGE


def test_error_shows_no_content():
    """The refusal of a broken body does not repeat it."""
    with pytest.raises(Refused) as caught:
        harvest(b'{"resourceLogs":"Bearer eyJhbGciOi')

    assert "eyJ" not in str(caught.value)


def test_json_and_protobuf_agree():
    """The same request in both encodings gives the same records."""
    raw = json_of(
        {
            "timeUnixNano": "5",
            "traceId": TRACE,
            "body": {"kvlistValue": {"values": [{"key": "n", "value": nested(5)}, {"key": "e", "value": {}}]}},
            "attributes": [
                {"key": "i", "value": {"intValue": "-7"}},
                {"key": "d", "value": {"doubleValue": 0.5}},
                {"key": "b", "value": {"bytesValue": "/w=="}},
            ],
        }
    )
    encoded = ExportLogsServiceRequest()
    record = (
        encoded.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=5, trace_id=bytes.fromhex(TRACE))
    )
    _fill_like_the_json(record)
    out = fresh_harvest()

    protobuf_decoder.decode(encoded.SerializeToString(), out)

    assert harvest(raw).records == out.records


def _fill_like_the_json(record):
    values = record.body.kvlist_value.values
    leaf = values.add(key="n").value
    values.add(key="e").value.SetInParent()
    for _ in range(4):
        leaf = leaf.array_value.values.add()
    leaf.string_value = "leaf"
    record.attributes.add(key="i").value.int_value = -7
    record.attributes.add(key="d").value.double_value = 0.5
    record.attributes.add(key="b").value.bytes_value = b"\xff"
