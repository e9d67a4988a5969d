"""Requests and failures as counters for Prometheus and OTLP, by cause, with the trace of one request each.

Whatever traffic invents, the number of series is bounded: names by NameBounds, their combinations here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from analyzer.name_bounds import NameBounds
from analyzer.verdicts import Verdict
from collector.events import Event, Outcome
from collector.safe import OTHER
from collector.settings import Settings
from collector.telemetry import Exemplar, Sum, Telemetry

NAMES: Final = {"gateway": 60, "instance": 200, "issuer": 100}
MAX_SERIES: Final = 1_500  # of one counter; OpenTelemetry's SDK would put what is beyond 2,000 into one without names
IDLE_S: Final = 3_600.0  # a series that was idle so long makes room
_AGAIN_S: Final = 60.0
TRACE_ID_CHARS: Final = 32
_HEX: Final = frozenset("0123456789abcdef")
Labels = tuple[str, ...]


@dataclass(slots=True)
class _Series:
    """One sum: the latest trace, and when it grew (monotonic)."""

    value: int = 0
    trace_id: str = ""
    at_ns: int = 0
    grew_s: float = 0.0


class Counter:
    """Sums by labels. Beyond `most` series, the labels of `bounded` are "(other)", those of outsiders first."""

    def __init__(
        self,
        labels: Labels,
        bounded: tuple[Labels, ...],
        *,
        most: int = MAX_SERIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._labels = labels
        self._steps = [frozenset(step) for step in bounded]
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._series: dict[Labels, _Series] = {}
        self._swept_s = float("-inf")

    def add(self, values: Labels, count: int, example: Event | None = None) -> None:
        """Count requests; `example` is one of them, whose trace is worth a look."""
        now = self._clock()
        with self._lock:
            found = self._series.get(values) or self._new(values, now)
            found.value += count
            found.grew_s = now
            if example is not None and len(example.request.trace_id) == TRACE_ID_CHARS:
                found.trace_id, found.at_ns = example.request.trace_id, example.time_ns

    def read(self) -> Iterator[Sum]:
        """Every sum, for the exporters."""
        with self._lock:
            found = [(key, each.value, each.trace_id, each.at_ns) for key, each in self._series.items()]
        for key, value, trace_id, at_ns in found:
            exemplar = Exemplar(trace_id=trace_id, at_s=at_ns / 1e9) if _is_trace_id(trace_id) else None
            yield Sum(value=value, attributes=dict(zip(self._labels, key, strict=True)), exemplar=exemplar)

    def _new(self, values: Labels, now: float) -> _Series:
        self._make_room(now)
        if len(self._series) < self._most:
            return self._series.setdefault(values, _Series())
        for step in self._steps:
            values = tuple(OTHER if name in step else value for name, value in zip(self._labels, values, strict=True))
            if values in self._series:
                return self._series[values]
        return self._series.setdefault(values, _Series())  # what is left are closed sets

    def _make_room(self, now: float) -> None:
        if len(self._series) < self._most or now - self._swept_s < _AGAIN_S:
            return
        self._swept_s = now
        self._series = {key: each for key, each in self._series.items() if now - each.grew_s < IDLE_S}


class Counts:
    """The two counters of the analyzer's process."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        known = [("issuer", issuer.issuer) for issuer in settings.issuers]
        self._names = NameBounds(NAMES, known)
        self.requests = Counter(("gateway", "instance", "outcome"), (("instance",), ("gateway",)))
        self.failures = Counter(
            ("cause", "code", "gateway", "instance", "issuer"), (("issuer",), ("instance",), ("gateway",))
        )
        telemetry.counter("why401.requests", self.requests.read)
        telemetry.counter("why401.auth.failures", self.failures.read)

    def add(self, verdict: Verdict, count: int) -> None:
        """Count a verdict that is in the lake; it stands for `count` requests."""
        event = verdict.event
        if event.outcome is Outcome.UNREAD:
            return
        gateway = self._names.name("gateway", event.gateway.kind, count)
        instance = self._names.name("instance", event.gateway.instance, count)
        self.requests.add((gateway, instance, event.outcome.value), count)
        diagnosis = verdict.diagnosis
        if diagnosis is not None:
            issuer = self._names.name("issuer", event.token.iss, count)
            self.failures.add((diagnosis.cause, diagnosis.code, gateway, instance, issuer), count, event)


def _is_trace_id(text: str) -> bool:
    """W3C's form: OpenMetrics bounds an exemplar's labels to 128 characters, and other ids open no trace."""
    return len(text) == TRACE_ID_CHARS and _HEX.issuperset(text)
