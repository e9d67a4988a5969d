"""What is done with every verdict once it is committed. None of it can hold up or undo the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from analyzer.alerts import otlp_json
from analyzer.verdicts import Verdict
from collector.errors import ConfigurationError
from collector.settings import Settings
from collector.settings.checks import is_loopback
from collector.telemetry import Telemetry
from why401.extras import need
from why401.outputs import ecs, failure_log, ocsf
from why401.outputs.carriers import Carrier, File, Http, Kafka
from why401.outputs.counts import Counts
from why401.outputs.outlet import Encode, Outlet

Committed = Callable[[Verdict, int], None]


@contextmanager
def leaving(settings: Settings, telemetry: Telemetry, also: Committed | None = None) -> Iterator[Committed]:
    """What the store's sink calls with each verdict and how many requests it stands for; `also` is the caller's own.

    Raises ConfigurationError for a destination that cannot be used, ExtraMissing.
    """
    made = outlets(settings, telemetry)
    takers: list[Committed] = [Counts(settings, telemetry).add, *(outlet.add for outlet in made)]
    if also is not None:
        takers.append(also)
    for outlet in made:
        outlet.start()
    try:
        yield _each(takers, telemetry)
    finally:
        for outlet in made:
            outlet.stop()


def outlets(settings: Settings, telemetry: Telemetry) -> list[Outlet]:
    """One per destination of `[export]`, not started. Raises ConfigurationError, ExtraMissing."""
    return [
        Outlet(name, encode, _carrier(settings, name), telemetry, settings.export.queue_records)
        for name, encode in FORMATS.items()
        if getattr(settings.export, name)
    ]


def _each(takers: Sequence[Committed], telemetry: Telemetry) -> Committed:
    def tell(verdict: Verdict, count: int) -> None:
        for take in takers:
            try:
                take(verdict, count)
            except Exception as error:  # the rows are committed: whoever fails here must not make them come again
                telemetry.count("why401.errors", stage="outputs", kind=type(error).__name__)

    return tell


def _lines(made: Callable[[Verdict], dict[str, Any]]) -> Encode:
    return lambda verdicts: [orjson.dumps(made(one)) + b"\n" for one in verdicts]


FORMATS: Final[dict[str, Encode]] = {
    "otlp": lambda verdicts: [failure_log.request(verdicts)],
    "ocsf": _lines(ocsf.event),
    "ecs": _lines(ecs.document),
}


def _carrier(settings: Settings, name: str) -> Carrier:
    where: str = getattr(settings.export, name)
    scheme, _, rest = where.partition(":")
    if scheme == "file":
        return File(settings.base / rest)
    if scheme == "kafka":
        return _kafka(settings, name, rest)
    authorization: str = getattr(settings.export, f"{name}_authorization")
    url = urlsplit(where)
    if authorization and url.scheme != "https" and not is_loopback(url.hostname or ""):
        raise ConfigurationError(
            f"export.{name}", where, "expected https, since it is sent an Authorization header", file=settings.file
        )
    if name == "otlp":
        return Http(otlp_json.address(where), authorization, "application/json")
    return Http(where, authorization, "application/x-ndjson")


def _kafka(settings: Settings, name: str, topic: str) -> Kafka:
    need(f"export.{name}", "kafka")
    if not settings.kafka.bootstrap:
        raise ConfigurationError("kafka.bootstrap", (), f"expected the brokers of export.{name}", file=settings.file)
    if topic in (*settings.kafka.topics, settings.kafka.events_topic):
        raise ConfigurationError(
            f"export.{name}", topic, "expected a topic that why401 does not read", file=settings.file
        )
    return Kafka(settings.kafka, topic)
