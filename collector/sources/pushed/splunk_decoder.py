"""Splunk's HTTP Event Collector, events or raw lines → raw records.

Events are JSON objects behind each other, with anything or nothing between them. What an event says of itself (host, source, sourcetype,
index) is the record's resource, its indexed `fields` are attributes, its `event` is the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import JSONDecoder
from typing import Any, Final

import orjson

from collector.gateways.reading.times import any_ns
from collector.records import RawRecord
from collector.shippers import WRAPPED, envelopes
from collector.sources.lines import records_of
from collector.sources.otlp.receiver import MAX_RECORD_BYTES, Harvest, Refusal, Refused
from collector.sources.pushed import counted_json

NO_DATA: Final = "No data"
NO_EVENT: Final = "Event field is required"
BLANK_EVENT: Final = "Event field cannot be blank"
INVALID: Final = "Invalid data format"
MAX_VALUE: Final = 300  # characters of a host, source, sourcetype or index
# As OpenTelemetry's exporter to Splunk has them.
_NAMES: Final = {
    "host": "host.name", "source": "com.splunk.source", "sourcetype": "com.splunk.sourcetype", "index": "com.splunk.index",
}  # fmt: skip
_BLANKS: Final = " \t\r\n,"
_WHERE: Final = JSONDecoder(strict=False)


def decode_events(told: Mapping[str, str], body: bytes, harvest: Harvest) -> None:
    """Harvest a request of events; `told`: what its address says of all of them. Raises Refused when there is none."""
    counted_json.count(body, harvest)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused(Refusal.BAD_DATA, INVALID) from None
    for number, written in enumerate(_objects(text, harvest)):
        harvest.make_room()
        try:
            harvest.records.append(_event(written, told, harvest))
        except Refused as refused:
            harvest.reject(refused, f"event[{number}]")
    if not harvest.total:
        raise Refused(Refusal.BAD_DATA, NO_DATA)


def decode_raw(told: Mapping[str, str], body: bytes, harvest: Harvest) -> None:
    """Harvest a request of raw lines: a record may have several, as in a file. Raises Refused when there is none."""
    about = _About(told, harvest)
    for record in records_of(body.decode("utf-8", "replace")):
        harvest.make_room()
        harvest.records.append(about.record(text=record[:MAX_RECORD_BYTES]))
    if not harvest.records:
        raise Refused(Refusal.BAD_DATA, NO_DATA)


def _objects(text: str, harvest: Harvest) -> Iterator[str]:
    """The objects as they are written. Behind one that is none, it cannot be known where the next begins: that is the last."""
    at, number = 0, 0
    while at < len(text):
        if text[at] in _BLANKS:
            at += 1
            continue
        try:
            _, end = _WHERE.raw_decode(text, at)
        except (ValueError, RecursionError):
            harvest.reject(Refused(Refusal.BAD_DATA, INVALID), f"event[{number}]")
            return
        yield text[at:end]
        at, number = end, number + 1


def _event(written: str, told: Mapping[str, str], harvest: Harvest) -> RawRecord:
    try:
        said = orjson.loads(written)  # what Python's reader lets pass is none: lone surrogates, NaN
    except orjson.JSONDecodeError:
        raise Refused(Refusal.BAD_DATA, INVALID) from None
    if not isinstance(said, dict):
        raise Refused(Refusal.BAD_DATA, INVALID)
    event = said.get("event")
    if event is None:
        raise Refused(Refusal.BAD_DATA, NO_EVENT)
    if event == "":
        raise Refused(Refusal.BAD_DATA, BLANK_EVENT)
    counted_json.bounded(said)
    about = _About({**told, **_strings(said)}, harvest, any_ns(said.get("time")), _fields(said.get("fields")))
    if isinstance(event, dict):
        return about.record(fields=event)
    return about.record(text=event if isinstance(event, str) else orjson.dumps(event).decode())


def _strings(said: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name in _NAMES if isinstance(value := said.get(name), str) and value}


def _fields(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(Refusal.BAD_DATA, INVALID)
    return value


class _About:
    """What is known of a record beside its event."""

    def __init__(
        self, told: Mapping[str, str], harvest: Harvest, time_ns: int = 0, fields: Mapping[str, Any] | None = None
    ) -> None:
        self._harvest = harvest
        self._time_ns = time_ns or any_ns(told.get("time"))
        self._fields = fields or {}
        self._resource = {name: told[key][:MAX_VALUE] for key, name in _NAMES.items() if told.get(key)}
        self._program = envelopes.program_of({key: told.get(key, "") for key in ("sourcetype", "source")})[:100]

    def record(self, text: str = "", fields: dict[str, Any] | None = None) -> RawRecord:
        """A record of a text or of an object."""
        level = envelopes.level_of(self._fields)
        return RawRecord(
            origin=self._harvest.origin,
            observed_ns=self._harvest.observed_ns,
            text=text,
            fields=fields,
            attributes=self._fields,
            resource=self._resource,
            time_ns=self._time_ns,
            gateway=self._harvest.gateway,
            level=level or (WRAPPED if text else ""),
            program=self._program,
        )
