"""A failure as an OTLP log record: the event `why401.auth_failure`, in its request's trace and span."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from analyzer.alerts import otlp_json
from analyzer.verdicts import Verdict
from collector.events import Outcome, to_mapping

EVENT_NAME: Final = "why401.auth_failure"
# What the record has fields of its own for, and what only why401 can read.
_ELSEWHERE: Final = frozenset(
    {"time_unix_nano", "observed_time_unix_nano", "trace_id", "span_id", "why401.schema", "why401.redactions"}
)
_ORIGIN: Final = "why401.origin."
_HEX: Final = frozenset("0123456789abcdef")


def request(verdicts: Sequence[Verdict]) -> bytes:
    """An ExportLogsServiceRequest in OTLP's JSON encoding."""
    return orjson.dumps(otlp_json.request([record(one) for one in verdicts]))


def record(verdict: Verdict) -> dict[str, Any]:
    """One LogRecord. Its attributes are the event's keys on the wire (docs/event.md) and the diagnosis."""
    event, diagnosis = verdict.event, verdict.diagnosis
    assert diagnosis is not None
    number, text = otlp_json.ERROR if event.outcome is Outcome.ERROR else otlp_json.WARN
    known = {
        key: value for key, value in to_mapping(event).items() if key not in _ELSEWHERE and not key.startswith(_ORIGIN)
    }
    known |= {
        "error.type": diagnosis.code,
        "why401.code": diagnosis.code,
        "why401.cause": diagnosis.cause,
        "why401.confidence": diagnosis.confidence,
        "why401.title": diagnosis.title,
        "why401.evidence": [each.says for each in diagnosis.evidence],
        "why401.fix": [each.says for each in diagnosis.fix],
        "why401.group.id": verdict.group.id if verdict.group else "",
    }
    out = {
        "timeUnixNano": str(event.time_ns),
        "observedTimeUnixNano": str(event.observed_ns),
        "severityNumber": number,
        "severityText": text,
        "eventName": EVENT_NAME,
        "body": {"stringValue": diagnosis.title},
        "attributes": otlp_json.attributes(known),
    }
    return out | _context(event.request.trace_id, event.request.span_id)


def _context(trace_id: str, span_id: str) -> dict[str, str]:
    """Ids of W3C's form; others are attributes of other systems, and a receiver would refuse the whole request."""
    trace_id = trace_id.lower()
    if len(trace_id) != 32 or not _HEX.issuperset(trace_id):
        return {}
    span_id = span_id.lower()
    is_span = len(span_id) == 16 and _HEX.issuperset(span_id)
    return {"traceId": trace_id} | ({"spanId": span_id} if is_span else {})
