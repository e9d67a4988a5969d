"""Changes that come as OTLP events: a log record named `why401.mark`, or of a deployment, is kept as a mark and is no request.

Its body, or the attribute `text`, says what happened; without either it is the deployment's or the service's name and version, by
the names of the OpenTelemetry semantic conventions.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from collector.records import RawRecord
from collector.redaction import safe_text
from collector.safe import Safe
from collector.sources.otlp.posted_marks import MAX_TEXT, Keep, Mark
from collector.sources.otlp.protobuf_decoder import EVENT_NAME
from collector.sources.otlp.receiver import Harvest, Refusal, Refused, Take, unavailable

NAMES: Final = ("why401.mark", "deployment")
DEPLOYMENTS: Final = "deployment."  # begins the names of what happens to one
MAX_MARKS: Final = 20  # of one request: each is a transaction
_UNFINISHED: Final = ("pending", "in_progress", "failed")  # deployment.status of what has changed nothing yet
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def taking(keep: Keep) -> Take:
    """Keeps the marks among the records of a request and leaves the others. One request at a time: it is a transaction beside the writer."""
    busy = threading.Lock()

    def take(harvest: Harvest) -> None:
        if marks := _taken(harvest):
            if not busy.acquire(blocking=False):
                raise unavailable("another mark is being stored")
            try:
                for mark in marks:
                    keep(mark)
            finally:
                busy.release()

    return take


def _taken(harvest: Harvest) -> list[Mark]:
    """The marks, which the harvest has no longer."""
    found = [record for record in harvest.records if _is_mark(record)]
    if not found:
        return []
    if len(found) > MAX_MARKS:
        raise Refused(Refusal.TOO_LARGE, f"more than {MAX_MARKS} marks in one request")
    harvest.records = [record for record in harvest.records if not _is_mark(record)]
    marks: list[Mark] = []
    for record in found:
        try:
            marks.extend(_mark(record))
        except Refused as refused:
            harvest.reject(refused, "logRecord")
    return marks


def _is_mark(record: RawRecord) -> bool:
    name = record.attributes.get(EVENT_NAME)
    return isinstance(name, str) and (name in NAMES or name.startswith(DEPLOYMENTS))


def _mark(record: RawRecord) -> list[Mark]:
    """One, or none of a deployment that is not finished. Raises Refused, which names the field and never its value."""
    attributes = record.attributes
    if attributes.get("deployment.status") in _UNFINISHED:
        return []
    text = record.text or attributes.get("text") or attributes.get("deployment.name") or _service(record)
    if not text:
        raise Refused(Refusal.BAD_DATA, f"expected 1 to {MAX_TEXT} characters", where="body")
    detail = attributes.get("detail") or _either(record, "deployment.environment.name")
    at = _EPOCH + timedelta(microseconds=(record.time_ns or record.observed_ns) // 1000)
    gateway = _safe(attributes.get("gateway", ""), "gateway")
    return [Mark(at=at, text=_safe(text, "body"), gateway=gateway, detail=_safe(detail, "detail"))]


def _service(record: RawRecord) -> str:
    return f"{_either(record, 'service.name')} {_either(record, 'service.version')}".strip()


def _either(record: RawRecord, name: str) -> Any:
    return record.attributes.get(name) or record.resource.get(name) or ""


def _safe(value: Any, where: str) -> Safe:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise Refused(Refusal.BAD_DATA, f"expected a string of at most {MAX_TEXT} characters", where=where)
    return safe_text(value, MAX_TEXT)
