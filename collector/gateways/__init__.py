"""Gateway parsers: a raw record in, request facts and the verifier's words out. One gateway a file; first match wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from collector.gateways import (
    apache,
    apigee,
    apinto,
    apisix,
    application,
    aws,
    azure_apim,
    caddy,
    cloudflare,
    envoy,
    envoy_gateway,
    generic,
    google,
    gravitee,
    grpc,
    haproxy,
    istio,
    keycloak,
    kong,
    krakend,
    kubernetes,
    nginx,
    oathkeeper,
    oauth2_proxy,
    openresty,
    spring,
    traefik,
    tyk,
    wso2,
)
from collector.gateways.reading.contract import NotAuth, Parser
from collector.records import Parsed, RawRecord
from collector.settings import FormatSettings

__all__ = ["PARSERS", "NotAuth", "Parser", "names", "parse", "with_formats"]

# The more particular first: Istio and Envoy Gateway write dialects of Envoy's formats, Kong and APISIX of OpenResty's,
# which is an nginx; Apache shares nginx's combined one, and the guess comes last.
PARSERS: Final[tuple[tuple[str, Parser], ...]] = (
    (istio.NAME, istio.parse),
    (envoy_gateway.NAME, envoy_gateway.parse),
    (envoy.NAME, envoy.parse),
    (haproxy.NAME, haproxy.parse),
    (kong.NAME, kong.parse),
    (apisix.NAME, apisix.parse),
    (openresty.NAME, openresty.parse),
    (tyk.NAME, tyk.parse),
    (krakend.NAME, krakend.parse),
    (traefik.NAME, traefik.parse),
    (caddy.NAME, caddy.parse),
    (gravitee.NAME, gravitee.parse),
    (apinto.NAME, apinto.parse),
    (google.NAME, google.parse),
    (aws.NAME, aws.parse),
    (azure_apim.NAME, azure_apim.parse),
    (apigee.NAME, apigee.parse),
    (cloudflare.NAME, cloudflare.parse),
    (kubernetes.NAME, kubernetes.parse),
    (oathkeeper.NAME, oathkeeper.parse),
    (oauth2_proxy.NAME, oauth2_proxy.parse),
    (keycloak.NAME, keycloak.parse),
    (wso2.NAME, wso2.parse),
    (spring.NAME, spring.parse),
    (grpc.NAME, grpc.parse),
    (nginx.NAME, nginx.parse),
    (apache.NAME, apache.parse),
    (application.NAME, application.parse),
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
        for _, known in parsers:
            parsed = known(record)
            if parsed is not None:
                return parsed
        return None

    return parse_record


def names(formats: Iterable[FormatSettings] = ()) -> tuple[str, ...]:
    """What `record.gateway` and the `gateway` settings may say."""
    return (*(settings.name for settings in formats), *(name for name, _ in PARSERS))


parse: Final = with_formats(())
