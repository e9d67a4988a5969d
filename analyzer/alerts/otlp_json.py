"""Log records in OTLP's JSON encoding, and an alert as one: the event `why401.alert`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from analyzer.alerts.finding import CRITICAL
from analyzer.alerts.ledger import Alert

LOGS_PATH: Final = "/v1/logs"
# SeverityNumber and text of OpenTelemetry's log data model.
INFO: Final = (9, "INFO")
WARN: Final = (13, "WARN")
ERROR: Final = (17, "ERROR")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def address(base: str) -> str:
    """Where a receiver takes logs."""
    return base.rstrip("/") + LOGS_PATH


def request(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An ExportLogsServiceRequest."""
    scope = {"scope": {"name": "why401"}, "logRecords": list(records)}
    return {
        "resourceLogs": [{"resource": {"attributes": attributes({"service.name": "why401"})}, "scopeLogs": [scope]}]
    }


def alert(one: Alert) -> dict[str, Any]:
    """A LogRecord that says that an alert fires, is worse, or is over."""
    number, text = INFO if one.resolved_at else ERROR if one.severity == CRITICAL else WARN
    known = {
        "why401.alert.id": one.alert_id,
        "why401.alert.rule": one.rule,
        "why401.alert.subject": one.subject,
        "why401.alert.severity": one.severity,
        "why401.alert.state": one.phase,
        "why401.alert.title": one.title,
        "why401.alert.link": one.link,
        "why401.group.ids": sorted(one.groups),
    }
    at = str((one.phase_at - _EPOCH) // timedelta(microseconds=1) * 1000)
    return {
        "timeUnixNano": at, "observedTimeUnixNano": at, "severityNumber": number, "severityText": text,
        "eventName": "why401.alert", "body": {"stringValue": f"{one.title}\n{one.says}".strip()}, "attributes": attributes(known),
    }  # fmt: skip


def attributes(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """KeyValues. Empty texts and lists say nothing and are left out.

    >>> attributes({"code": "token_expired", "status": 401, "scopes": ()})
    [{'key': 'code', 'value': {'stringValue': 'token_expired'}}, {'key': 'status', 'value': {'intValue': '401'}}]
    """
    return [{"key": key, "value": _value(value)} for key, value in known.items() if value not in ("", (), [], None)]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list | tuple):
        return _pairs(value) or {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": str(value)}


def _pairs(value: Sequence[Any]) -> dict[str, Any]:
    """Names and what they have are a map."""
    if not all(isinstance(each, list | tuple) and len(each) == 2 for each in value):
        return {}
    return {"kvlistValue": {"values": [{"key": str(key), "value": _value(each)} for key, each in value]}}
