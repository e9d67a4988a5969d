"""OTLP/JSON requests: decoded or refused, never more records than the request has, nothing of it in the refusal."""

from __future__ import annotations

from collections.abc import Iterable

from collector.events import Origin
from collector.safe import Safe
from collector.sources.otlp import json_decoder
from collector.sources.otlp.receiver import Harvest, Refused
from fuzz.stages import PLANTED, collector, leaked, must

_SEEDS = (
    {"body": {"stringValue": "GET /orders 401 Jwt is expired"}, "timeUnixNano": "1795430000000000000", "severityNumber": 9},
    {"body": {"kvlistValue": {"values": [{"key": "response_code", "value": {"intValue": "401"}}]}}, "traceId": "0" * 32},
    {"body": {"arrayValue": {"values": [{"doubleValue": "NaN"}, {"boolValue": True}, {"bytesValue": "aGk="}, {}]}}},
    {"attributes": [{"key": "authorization", "value": {"stringValue": PLANTED}}], "observedTimeUnixNano": 1795430000},
    {"body": {"intValue": "1e3"}}, {"body": None}, {"body": {"stringValue": "\ud83d\ude00\u202e"}}, {"traceId": "zz"},
)  # fmt: skip


def check(data: bytes) -> None:
    """Decode, then collect the records."""
    harvest = Harvest(Origin(kind=Safe("otlp"), source=Safe("fuzz")), "", 1)
    try:
        json_decoder.decode(data, harvest)
    except Refused as refused:
        must(not leaked(f"{refused} {refused.where} {refused.why}"), "a refusal quotes no record")
    must(not leaked(harvest.response().SerializeToString()), "an answer quotes no record")
    for record in harvest.records[:20]:
        event = collector().collect(record)
        must(event.words.reason != "failed", "no record makes the collector fail")


def seeds() -> Iterable[bytes]:
    """Requests with every kind of value."""
    import json

    for record in _SEEDS:
        scope = {
            "scopeLogs": [{"scope": {"name": "x"}, "logRecords": [record, record]}],
            "resource": {"attributes": []},
        }
        yield json.dumps({"resourceLogs": [scope]}).encode()
        yield json.dumps({"resourceLogs": [scope], "unknown": [1]}, ensure_ascii=False).encode("utf-8", "surrogatepass")
