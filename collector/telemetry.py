"""why401's own metrics: one table of instruments, counted in-process, exported by opentelemetry-sdk.

The hot path adds to a dictionary; OpenTelemetry reads it through observable instruments when it exports. The same
numbers feed the `pipeline` view, so the dashboard, Prometheus and OTLP cannot disagree.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from collector.errors import ConfigurationError
from collector.settings import TelemetrySettings

if TYPE_CHECKING:  # the SDK takes a tenth of a second to import: only a process that exports pays for it
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of the table; docs/telemetry.md is generated from it."""

    name: str
    kind: str  # counter, gauge, histogram
    unit: str
    description: str
    attributes: tuple[str, ...] = ()


# Attribute values come from closed sets in our code, never from records: a metric cannot be blown up from outside.
INSTRUMENTS: Final = (
    Instrument("why401.records.received", "counter", "{record}", "Raw records read from sources.", ("source",)),
    Instrument("why401.events.sent", "counter", "{event}", "Events passed to the sink.", ("sink",)),
    Instrument(
        "why401.events.stored",
        "counter",
        "{event}",
        "Events committed to the store or acknowledged by the event topic.",
    ),
    Instrument(
        "why401.records.dropped", "counter", "{record}", "Records that did not become an event, by reason.", ("reason",)
    ),
    Instrument("why401.errors", "counter", "{error}", "Internal errors and errors of dependencies.", ("stage", "kind")),
    Instrument(
        "why401.requests.refused",
        "counter",
        "{request}",
        "OTLP requests answered with an error.",
        ("protocol", "status"),
    ),
    Instrument(
        "why401.senders.refused",
        "counter",
        "{request}",
        "OTLP requests whose sender was not authenticated or not authorized, by reason.",
        ("protocol", "reason"),
    ),
    Instrument(
        "why401.senders.accepted",
        "counter",
        "{request}",
        "OTLP requests of authenticated senders, by name in the token file; OIDC senders count as oidc.",
        ("protocol", "sender"),
    ),
    Instrument(
        "why401.connections.closed",
        "counter",
        "{connection}",
        "OTLP/HTTP connections closed because the sender misbehaved.",
        ("protocol", "reason"),
    ),
    Instrument(
        "why401.raw_credentials.seen",
        "counter",
        "{credential}",
        "Complete credentials found in logs, by gateway and place.",
        ("gateway", "where"),
    ),
    Instrument("why401.redactions", "counter", "{redaction}", "Secrets removed from free text, by rule.", ("rule",)),
    Instrument("why401.queue.records", "gauge", "{record}", "Raw records waiting for the pipeline."),
    Instrument("why401.queue.bytes", "gauge", "By", "Bytes of raw text waiting for the pipeline."),
    Instrument(
        "why401.kafka.lag", "gauge", "{record}", "Records not yet read, over all assigned partitions.", ("topic",)
    ),
    Instrument("why401.store.commit.duration", "histogram", "s", "Duration of a store transaction."),
    Instrument("why401.store.commit.rows", "histogram", "{row}", "Rows in a store transaction."),
    Instrument("why401.event.delay", "histogram", "s", "Time from the arrival of a record to its commit."),
    Instrument("why401.joining.held", "gauge", "{event}", "Events waiting for the other line about the same request."),
    Instrument("why401.alerts", "counter", "{alert}", "Alerts that were opened, held back or resolved.", ("step",)),
    Instrument(
        "why401.alerts.messages",
        "counter",
        "{message}",
        "Messages about alerts, by kind of channel (apprise, alertmanager, webhook) and result (sent, failed).",
        ("kind", "result"),
    ),
    Instrument("why401.cache.size", "gauge", "{entry}", "Entries in a bounded cache.", ("cache",)),
)
_BY_NAME: Final = {instrument.name: instrument for instrument in INSTRUMENTS}
Key = tuple[tuple[str, str], ...]


class Telemetry:
    """Counts by the names of INSTRUMENTS. Thread-safe; a name or attribute outside the table is a KeyError."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, dict[Key, float]] = defaultdict(lambda: defaultdict(float))
        self._gauges: dict[str, dict[Key, Callable[[], float]]] = defaultdict(dict)
        self._histograms: dict[str, Any] = {}

    def count(self, name: str, amount: float = 1, **attributes: str) -> None:
        """Add to a counter."""
        key = _key(name, attributes)
        with self._lock:
            self._counts[name][key] += amount

    def gauge(self, name: str, read: Callable[[], float], **attributes: str) -> None:
        """Register the function that reads the current value of a gauge."""
        self._gauges[name][_key(name, attributes)] = read

    def observe(self, name: str, value: float) -> None:
        """Add a value to a histogram; before `start` histograms keep nothing."""
        _key(name, {})
        if name in self._histograms:
            self._histograms[name].record(value)

    def value(self, name: str, **attributes: str) -> float:
        """Sum of a counter over all attribute sets that contain `attributes`."""
        wanted = set(attributes.items())
        with self._lock:
            return sum(n for key, n in self._counts[name].items() if wanted <= set(key))

    def by(self, name: str, attribute: str) -> dict[str, int]:
        """A counter split by one attribute."""
        out: dict[str, int] = defaultdict(int)
        with self._lock:
            for key, n in self._counts[name].items():
                out[dict(key).get(attribute, "")] += int(n)
        return dict(out)

    def start(self, settings: TelemetrySettings, *, readers: Iterable[MetricReader] = ()) -> MeterProvider:
        """Export every instrument through the SDK; the caller shuts the provider down.

        Raises ConfigurationError when the Prometheus address is in use.
        """
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.resources import Resource

        resource = Resource.create({"service.name": "why401"})
        provider = MeterProvider(metric_readers=[*readers, *_readers(settings)], resource=resource)
        meter = provider.get_meter("why401")
        for instrument in INSTRUMENTS:
            about: dict[str, Any] = {"unit": instrument.unit, "description": instrument.description}
            if instrument.kind == "histogram":
                self._histograms[instrument.name] = meter.create_histogram(instrument.name, **about)
            elif instrument.kind == "counter":
                meter.create_observable_counter(instrument.name, [self._counted(instrument.name)], **about)
            else:
                meter.create_observable_gauge(instrument.name, [self._gauged(instrument.name)], **about)
        return provider

    def _counted(self, name: str) -> Callable[[CallbackOptions], list[Observation]]:
        from opentelemetry.metrics import Observation

        def observe(_: CallbackOptions) -> list[Observation]:
            with self._lock:
                return [Observation(n, dict(key)) for key, n in self._counts[name].items()]

        return observe

    def _gauged(self, name: str) -> Callable[[CallbackOptions], list[Observation]]:
        from opentelemetry.metrics import Observation

        return lambda _: [Observation(read(), dict(key)) for key, read in list(self._gauges[name].items())]


def in_memory() -> tuple[Telemetry, InMemoryMetricReader]:
    """A Telemetry whose exports a test can read."""
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    telemetry, reader = Telemetry(), InMemoryMetricReader()
    telemetry.start(TelemetrySettings(prometheus="", otlp_endpoint=""), readers=[reader])
    return telemetry, reader


def _key(name: str, attributes: Mapping[str, str]) -> Key:
    if set(attributes) != set(_BY_NAME[name].attributes):
        raise KeyError(f"{name} takes {_BY_NAME[name].attributes}, not {tuple(attributes)}")
    return tuple(sorted(attributes.items()))


def _readers(settings: TelemetrySettings) -> Iterable[MetricReader]:
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        exporter = OTLPMetricExporter(endpoint=settings.otlp_endpoint.rstrip("/") + "/v1/metrics")
        yield PeriodicExportingMetricReader(exporter, export_interval_millis=settings.interval_seconds * 1000)
    if settings.prometheus:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import start_http_server

        host, _, port = settings.prometheus.rpartition(":")
        try:
            start_http_server(int(port), addr=host)
        except OSError as error:
            right = f'expected an address that is not in use, one per process, or "" to disable it ({error.strerror})'
            raise ConfigurationError("telemetry.prometheus", settings.prometheus, right) from None
        yield PrometheusMetricReader()
