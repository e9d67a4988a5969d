"""why401's own metrics: one table of instruments, counted in-process, exported by opentelemetry-sdk.

The hot path adds to a dictionary; OpenTelemetry reads it through observable instruments when it exports. The same
numbers feed the `pipeline` view, so the dashboard, Prometheus and OTLP cannot disagree.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from collector.errors import ConfigurationError
from collector.settings import Share, TelemetrySettings

if TYPE_CHECKING:  # the SDK takes a tenth of a second to import: only a process that exports pays for it
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader
    from prometheus_client import CollectorRegistry, Metric
    from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of the table; docs/telemetry.md is generated from it."""

    name: str
    kind: str  # counter, gauge, histogram
    unit: str
    description: str
    attributes: tuple[str, ...] = ()


# Attribute values come from closed sets in our code, or are names that whoever counts has bounded (`counter`): a metric
# cannot be blown up from outside.
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
        "Requests to the receivers (OTLP, Loki push, Splunk HEC) that were answered with an error.",
        ("protocol", "status"),
    ),
    Instrument(
        "why401.senders.refused",
        "counter",
        "{request}",
        "Requests whose sender was not authenticated or not authorized, by reason.",
        ("protocol", "reason"),
    ),
    Instrument(
        "why401.senders.accepted",
        "counter",
        "{request}",
        "Requests of authenticated senders, by name in the token file; OIDC senders count as oidc.",
        ("protocol", "sender"),
    ),
    Instrument(
        "why401.connections.closed",
        "counter",
        "{connection}",
        "Connections of OTLP/HTTP and syslog senders that were closed because they misbehaved or were silent for too long.",
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
    Instrument(
        "why401.store.waits",
        "counter",
        "{wait}",
        "Times that reading waited because a transaction's worth of rows was ready before the last transaction ended.",
    ),
    Instrument("why401.event.delay", "histogram", "s", "Time from the arrival of a record to its commit."),
    Instrument("why401.joining.held", "gauge", "{event}", "Events waiting for the other line about the same request."),
    Instrument("why401.alerts", "counter", "{alert}", "Alerts that were opened, held back or resolved.", ("step",)),
    Instrument(
        "why401.alerts.messages",
        "counter",
        "{message}",
        "Messages about alerts, by kind of channel (apprise, alertmanager, webhook, otlp) and result (sent, failed).",
        ("kind", "result"),
    ),
    Instrument("why401.cache.size", "gauge", "{entry}", "Entries in a bounded cache.", ("cache",)),
    Instrument(
        "why401.exports",
        "counter",
        "{event}",
        "Failures to other systems, by destination (otlp, ocsf, ecs) and result (sent, refused, dropped).",
        ("to", "result"),
    ),
    Instrument("why401.exports.waiting", "gauge", "{event}", "Failures that wait for a destination.", ("to",)),
    Instrument(
        "why401.requests",
        "counter",
        "{request}",
        "Requests in the lake, by gateway, instance and outcome (denied, error, allowed).",
        ("gateway", "instance", "outcome"),
    ),
    Instrument(
        "why401.auth.failures",
        "counter",
        "{request}",
        'Refused requests and failed authentication steps, by cause and code; names beyond the bounds count as "(other)".',
        ("cause", "code", "gateway", "instance", "issuer"),
    ),
)
_BY_NAME: Final = {instrument.name: instrument for instrument in INSTRUMENTS}
Key = tuple[tuple[str, str], ...]
ALL: Final = Share()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One request that a counter counted, by its trace."""

    trace_id: str
    at_s: float  # Unix time


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A counter's value for one set of attributes."""

    value: float
    attributes: Mapping[str, str]
    exemplar: Exemplar | None = None


Sums = Callable[[], Iterable[Sum]]


class Telemetry:
    """Counts by the names of INSTRUMENTS. Thread-safe; a name or attribute outside the table is a KeyError."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, dict[Key, float]] = defaultdict(lambda: defaultdict(float))
        self._gauges: dict[str, dict[Key, Callable[[], float]]] = defaultdict(dict)
        self._histograms: dict[str, Any] = {}
        self._counters: dict[str, Sums] = {}

    def count(self, name: str, amount: float = 1, **attributes: str) -> None:
        """Add to a counter."""
        key = _key(name, attributes)
        with self._lock:
            self._counts[name][key] += amount

    def gauge(self, name: str, read: Callable[[], float], **attributes: str) -> None:
        """Register the function that reads the current value of a gauge."""
        self._gauges[name][_key(name, attributes)] = read

    def counter(self, name: str, read: Sums) -> None:
        """Register the function that reads a counter which its caller keeps, and whose attributes its caller bounds."""
        self._counters[_BY_NAME[name].name] = read

    def exemplars(self) -> dict[str, dict[Key, Exemplar]]:
        """For each counter that has them, an exemplar by its attributes."""
        return {
            name: {
                tuple(sorted(each.attributes.items())): each.exemplar for each in read() if each.exemplar is not None
            }
            for name, read in self._counters.items()
        }

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

    def start(
        self, settings: TelemetrySettings, share: Share = ALL, *, readers: Iterable[MetricReader] = ()
    ) -> MeterProvider:
        """Export every instrument through the SDK; the caller shuts the provider down.

        Raises ConfigurationError when the Prometheus address is in use.
        """
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.resources import Resource

        name = {"service.name": "why401"}
        resource = Resource.create(name if share.is_all else name | {"service.instance.id": str(share.number)})
        provider = MeterProvider(metric_readers=[*readers, *self._readers(settings, share)], resource=resource)
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
            if name in self._counters:
                return [Observation(each.value, dict(each.attributes)) for each in self._counters[name]()]
            with self._lock:
                return [Observation(n, dict(key)) for key, n in self._counts[name].items()]

        return observe

    def _gauged(self, name: str) -> Callable[[CallbackOptions], list[Observation]]:
        from opentelemetry.metrics import Observation

        return lambda _: [Observation(read(), dict(key)) for key, read in list(self._gauges[name].items())]

    def _readers(self, settings: TelemetrySettings, share: Share) -> Iterable[MetricReader]:
        if settings.otlp_endpoint:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

            exporter = OTLPMetricExporter(endpoint=settings.otlp_endpoint.rstrip("/") + "/v1/metrics")
            yield PeriodicExportingMetricReader(exporter, export_interval_millis=settings.interval_seconds * 1000)
        if settings.prometheus:
            yield self._prometheus(settings.prometheus, share)

    def _prometheus(self, address: str, share: Share) -> MetricReader:
        """Serve the metrics, with exemplars for whoever asks in the OpenMetrics format, as Prometheus does."""
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import REGISTRY, CollectorRegistry

        from collector.metrics_endpoint import serve

        registry = CollectorRegistry()
        registry.register(_WithExemplars(REGISTRY, self))
        try:
            serve(registry, address, share)
        except OSError as error:
            right = f'expected an address that is not in use, one per process, or "" to disable it ({error.strerror})'
            raise ConfigurationError("telemetry.prometheus", address, right) from None
        return PrometheusMetricReader(scope_info_enabled=False)


class _WithExemplars:
    """A collector of prometheus_client that adds exemplars to what another one collects; OpenTelemetry's exporter has none."""

    def __init__(self, registry: CollectorRegistry, telemetry: Telemetry) -> None:
        self._registry = registry
        self._telemetry = telemetry

    def collect(self) -> Iterator[Metric]:
        """Every metric family, on each scrape."""
        known = {name.replace(".", "_"): by for name, by in self._telemetry.exemplars().items()}
        for family in self._registry.collect():
            found = known.get(family.name)
            if found:
                family.samples = [_exemplified(sample, found) for sample in family.samples]
            yield family


def _exemplified(sample: Sample, found: Mapping[Key, Exemplar]) -> Sample:
    from prometheus_client.samples import Exemplar as Shown

    one = found.get(tuple(sorted(sample.labels.items())))
    if one is None:
        return sample
    return sample._replace(exemplar=Shown({"trace_id": one.trace_id}, 1.0, one.at_s))


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
