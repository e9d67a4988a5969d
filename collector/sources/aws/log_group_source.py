"""CloudWatch Logs in, by FilterLogEvents: one event is one record.

A group is read in slices of time, each up to its end, and the end is remembered once its events are durable. Events may arrive late, so
a slice begins `late_seconds` before the end of the last one, and events that were read are known by their ids.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from collector.events import Origin
from collector.records import RawRecord
from collector.redaction import fixed, safe_text
from collector.settings import AwsSettings
from collector.sources import Intake
from collector.sources.aws import clients
from collector.sources.aws.cloud_places import MAX_EVENTS, CloudPlaces
from collector.sources.handing_over import HandingOver
from collector.telemetry import Telemetry

NAME: Final = "cloudwatch-places.jsonl"
SLICE_SECONDS: Final = 3600.0
PAGE_EVENTS: Final = 1_000
MAX_GROUPS: Final = 500
MAX_NAME: Final = 512
_KIND: Final = fixed("cloudwatch")
SOURCE: Final = "cloudwatch"


class LogGroupSource:
    """Reads `settings.log_groups` until `stop`."""

    def __init__(self, settings: AwsSettings, telemetry: Telemetry, folder: Path) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._folder = folder
        self._began = time.time() - settings.since_hours * 3600
        self._seen: dict[str, dict[str, float]] = {}  # group → id of an event → its time
        self._logs: Any = None

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Every group in turn, then a pause."""
        self._logs = clients.client("logs", self._settings)
        over = HandingOver(intake, stop, self._telemetry, SOURCE)
        with CloudPlaces(self._folder / NAME) as places:
            while not stop.is_set():
                for group in self._groups(over):
                    if not stop.is_set():
                        self._catch_up(group, places, over, stop)
                over.drain()
                stop.wait(self._settings.poll_seconds)
            over.drain()

    def _groups(self, over: HandingOver) -> list[str]:
        """The names now: a name that ends in * stands for all that begin so."""
        found: dict[str, None] = {}
        for name in self._settings.log_groups:
            try:
                found.update(dict.fromkeys(self._named(name)))
            except clients.ERRORS as error:
                over.failed(clients.code_of(error), name)
        if len(found) > MAX_GROUPS:
            over.failed("too_many_groups", f"{len(found)} log groups")
        return list(found)[:MAX_GROUPS]

    def _named(self, name: str) -> Iterator[str]:
        if not name.endswith("*"):
            yield name
            return
        pages = self._logs.get_paginator("describe_log_groups").paginate(**clients.named(name[:-1]))
        for page in pages:
            yield from (group["logGroupName"] for group in page["logGroups"])

    def _catch_up(self, group: str, places: CloudPlaces, over: HandingOver, stop: threading.Event) -> None:
        """Slice by slice, up to now."""
        source = f"logs:{group}"
        try:
            reached, now = places.begins(source, self._began), time.time()
            if group not in self._seen:
                self._seen[group] = places.events(group)
            while reached < now and not stop.is_set():
                begin, end = reached - self._settings.late_seconds, min(reached + SLICE_SECONDS, now)
                self._slice(group, begin, end, places, over, stop)
                if stop.is_set():
                    return
                self._reached(group, end, places, over)
                reached = end
        except clients.ERRORS as error:
            over.failed(clients.code_of(error), group)

    def _slice(
        self, group: str, begin: float, end: float, places: CloudPlaces, over: HandingOver, stop: threading.Event
    ) -> None:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group,
            startTime=max(int(begin * 1000), 0),
            endTime=int(end * 1000),
            PaginationConfig={"PageSize": PAGE_EVENTS},
        )
        for page in pages:
            seen = self._seen[group]
            events = [event for event in page.get("events", ()) if event["eventId"] not in seen]
            ids = {event["eventId"]: event["timestamp"] / 1000 for event in events}
            seen |= ids
            if events:
                over.give(self._records(group, events), partial(places.read_events, group, ids.items()))
            if stop.is_set():
                return

    def _records(self, group: str, events: Sequence[Any]) -> list[RawRecord]:
        origin, now = Origin(kind=_KIND, source=safe_text(group, MAX_NAME)), time.time_ns()
        return [
            RawRecord(
                origin,
                now,
                text=event.get("message", "").rstrip("\r\n"),
                time_ns=event["timestamp"] * 1_000_000,
                gateway=self._settings.gateway,
            )
            for event in events
        ]

    def _reached(self, group: str, end: float, places: CloudPlaces, over: HandingOver) -> None:
        """Nothing before it is asked for again but what may be late; the ids of that are kept."""
        before = end - self._settings.late_seconds
        kept = {event: at for event, at in self._seen[group].items() if at >= before}
        if len(kept) > MAX_EVENTS:  # the oldest may be read twice
            over.failed("too_many_ids", group)
            kept = dict(sorted(kept.items(), key=lambda pair: pair[1])[-MAX_EVENTS:])
        self._seen[group] = kept

        def keep() -> None:
            places.advance(f"logs:{group}", end)
            places.forget_events(group, before)

        over.give((), keep)
