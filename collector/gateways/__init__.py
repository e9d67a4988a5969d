"""Gateway parsers: a raw record in, request facts and the verifier's words out. One gateway a file; first match wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from collector.gateways import apache, envoy, envoy_gateway, generic, haproxy, istio, nginx
from collector.gateways.contract import NotAuth, Parser
from collector.records import Parsed, RawRecord
from collector.settings import FormatSettings

__all__ = ["PARSERS", "NotAuth", "Parser", "names", "parse", "with_formats"]

# The more particular first: Istio and Envoy Gateway write dialects of Envoy's formats, Apache shares nginx's combined
# one, and the guess comes last.
PARSERS: Final[tuple[tuple[str, Parser], ...]] = (
    (istio.NAME, istio.parse),
    (envoy_gateway.NAME, envoy_gateway.parse),
    (envoy.NAME, envoy.parse),
    (haproxy.NAME, haproxy.parse),
    (nginx.NAME, nginx.parse),
    (apache.NAME, apache.parse),
    (generic.NAME, generic.parse),
)


def with_formats(formats: Sequence[FormatSettings]) -> Callable[[RawRecord], Parsed | None]:
    """A `parse` that tries the configured formats first.

    It asks the one parser that `record.gateway` names, else each in turn. None: no parser knows the record. Raises
    UnreadableRecord and NotAuth as `Parser` says.
    """
    parsers = (*((settings.name, generic.by_format(settings)) for settings in formats), *PARSERS)
    by_name = dict(reversed(parsers))  # a configured format may take a built-in name over

    def parse_record(record: RawRecord) -> Parsed | None:
        if record.gateway:
            named = by_name.get(record.gateway)
            return named(record) if named else None
        return next((parsed for _, known in parsers if (parsed := known(record)) is not None), None)

    return parse_record


def names(formats: Iterable[FormatSettings] = ()) -> tuple[str, ...]:
    """What `record.gateway` and the `gateway` settings may say."""
    return (*(settings.name for settings in formats), *(name for name, _ in PARSERS))


parse: Final = with_formats(())
