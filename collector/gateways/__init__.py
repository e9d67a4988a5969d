"""Gateway parsers: a raw record in, request facts and the verifier's words out. One gateway a file; first match wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from collector.gateways import (
    apache,
    apigee,
    apinto,
    apisix,
    application,
    aws,
    aws_alb,
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
    higress,
    istio,
    keycloak,
    kong,
    krakend,
    kubernetes,
    nginx,
    oathkeeper,
    oauth2_proxy,
    openresty,
    products,
    spring,
    traefik,
    tyk,
    wso2,
)
from collector.gateways.candidates import Candidates
from collector.gateways.reading.contract import NotAdmitted, NotAuth, Parser, Texts
from collector.gateways.reading.scan import has_any
from collector.records import Parsed, RawRecord
from collector.settings import FormatSettings

__all__ = [
    "PARSERS",
    "PRODUCTS",
    "GatewayParser",
    "NotAdmitted",
    "NotAuth",
    "Parser",
    "family_of",
    "has_shared_format",
    "is_echo",
    "is_embedded",
    "is_general",
    "names",
    "parse",
    "with_formats",
]


@dataclass(frozen=True, slots=True)
class GatewayParser:
    """One gateway's registration: its parser, the texts that it reads (None: any), and what joining must know of its logs.

    `lines_like` names the gateway whose access and error lines it writes too ("": its own). `is_shared`: many products
    write this format, so another line about the same request names the product better. `echoes`: parts of sentences that
    it writes for every refusal, beside the line with the reason, though they sound like one. `is_embedded`: the server in
    the same program writes the access log, in a format that many share.
    """

    name: str
    parse: Parser
    texts: Texts | None = None
    lines_like: str = ""
    is_shared: bool = False
    echoes: tuple[str, ...] = ()
    is_embedded: bool = False


# The more particular first: Istio and Envoy Gateway write dialects of Envoy's formats, Kong and APISIX of OpenResty's,
# which is an nginx; Apache shares nginx's combined one, and the guess comes last.
PARSERS: Final[tuple[GatewayParser, ...]] = (
    GatewayParser(higress.NAME, higress.parse, higress.TEXTS),
    GatewayParser(istio.NAME, istio.parse, istio.TEXTS),
    GatewayParser(envoy_gateway.NAME, envoy_gateway.parse, envoy_gateway.TEXTS),
    GatewayParser(envoy.NAME, envoy.parse, envoy.TEXTS),
    GatewayParser(haproxy.NAME, haproxy.parse, haproxy.TEXTS),
    GatewayParser(kong.NAME, kong.parse, kong.TEXTS, lines_like=nginx.NAME),
    GatewayParser(apisix.NAME, apisix.parse, apisix.TEXTS, lines_like=nginx.NAME),
    GatewayParser(openresty.NAME, openresty.parse, openresty.TEXTS, lines_like=nginx.NAME),
    # gateway/mw_auth_key.go, mw_jwt.go: reportLoginFailure follows each
    GatewayParser(
        tyk.NAME,
        tyk.parse,
        tyk.TEXTS,
        echoes=("Attempted access with invalid key", "Attempted JWT access with non-existent key"),
    ),
    GatewayParser(krakend.NAME, krakend.parse, krakend.TEXTS),
    GatewayParser(traefik.NAME, traefik.parse, traefik.TEXTS),
    GatewayParser(caddy.NAME, caddy.parse, caddy.TEXTS),
    GatewayParser(gravitee.NAME, gravitee.parse, gravitee.TEXTS),
    # plugins/app/app.go: in the response's body too, so that the access line waits for the driver's reason
    GatewayParser(apinto.NAME, apinto.parse, apinto.TEXTS, echoes=(apinto.ECHO,)),
    GatewayParser(google.NAME, google.parse, google.TEXTS),
    GatewayParser(aws.NAME, aws.parse, aws.TEXTS),
    GatewayParser(aws_alb.NAME, aws_alb.parse, aws_alb.TEXTS),
    GatewayParser(products.NAME, products.parse, is_embedded=True),
    GatewayParser(azure_apim.NAME, azure_apim.parse, azure_apim.TEXTS),
    GatewayParser(apigee.NAME, apigee.parse, apigee.TEXTS),
    GatewayParser(cloudflare.NAME, cloudflare.parse, cloudflare.TEXTS),
    GatewayParser(kubernetes.NAME, kubernetes.parse, kubernetes.TEXTS),
    GatewayParser(oathkeeper.NAME, oathkeeper.parse, oathkeeper.TEXTS),
    GatewayParser(oauth2_proxy.NAME, oauth2_proxy.parse, oauth2_proxy.TEXTS),
    GatewayParser(keycloak.NAME, keycloak.parse, keycloak.TEXTS, is_embedded=True),
    GatewayParser(wso2.NAME, wso2.parse, wso2.TEXTS, is_embedded=True),
    GatewayParser(spring.NAME, spring.parse, spring.TEXTS, is_embedded=True),
    GatewayParser(grpc.NAME, grpc.parse, grpc.TEXTS),
    GatewayParser(nginx.NAME, nginx.parse, nginx.TEXTS, is_shared=True),
    # mod_authz_core.c, after what the authentication module says
    GatewayParser(
        apache.NAME,
        apache.parse,
        apache.TEXTS,
        lines_like=nginx.NAME,
        echoes=("client denied by server configuration",),
    ),
    GatewayParser(application.NAME, application.parse, is_embedded=True),
    GatewayParser(generic.NAME, generic.parse, lines_like=nginx.NAME, is_shared=True, is_embedded=True),
)
# What `products.parse` tells apart by words that are one product's alone; the operator may name each of them.
PRODUCTS: Final[tuple[GatewayParser, ...]] = tuple(
    GatewayParser(name, products.parser(name), echoes=products.ECHOES[name], is_embedded=True)
    for name in products.NAMES
)
_FAMILIES: Final = {each.name: each.lines_like for each in PARSERS if each.lines_like}
_ECHOES: Final = {each.name: each.echoes for each in (*PARSERS, *PRODUCTS) if each.echoes}
_EMBEDDED: Final = frozenset(each.name for each in (*PARSERS, *PRODUCTS) if each.is_embedded)
_SHARED: Final = frozenset(each.name for each in PARSERS if each.is_shared)


def with_formats(formats: Sequence[FormatSettings]) -> Callable[[RawRecord], Parsed | None]:
    """A `parse` that tries the configured formats first.

    It asks the one parser that `record.gateway` names, else each in turn. None: no parser knows the record. Raises
    UnreadableRecord and NotAuth as `Parser` says, NotAdmitted when no other parser knows the line.
    """
    own = [GatewayParser(settings.name, generic.by_format(settings)) for settings in formats]
    by_name = {known.name: known.parse for known in (*PRODUCTS, *reversed(PARSERS), *reversed(own))}  # own names win
    candidates = Candidates([(known.parse, known.texts) for known in (*own, *PARSERS)])

    def parse_record(record: RawRecord) -> Parsed | None:
        if record.gateway:
            read = by_name.get(record.gateway)
            return read(record) if read else None
        left_out: NotAdmitted | None = None
        for parser in candidates.of(record):
            try:
                parsed = parser(record)
            except NotAdmitted as error:
                left_out = error
                continue
            if parsed is not None:
                return parsed
        if left_out:
            raise left_out
        return None

    return parse_record


def names(formats: Iterable[FormatSettings] = ()) -> tuple[str, ...]:
    """What `record.gateway` and the `gateway` settings may say."""
    return (*(settings.name for settings in formats), *(known.name for known in (*PARSERS, *PRODUCTS)))


def family_of(kind: str) -> str:
    """The gateway kind whose lines this one writes, by which lines about one request find each other."""
    return _FAMILIES.get(kind, kind)


def is_echo(kind: str, message: str) -> bool:
    """Whether the product writes this for every refusal: it says that there was one, and not why."""
    return kind in _ECHOES and has_any(message, _ECHOES[kind])


def is_embedded(kind: str) -> bool:
    """Whether a program of this kind may have its access log written by the server in it, in a common format."""
    return kind in _EMBEDDED


def is_general(kind: str) -> bool:
    """Whether a parser reads what nobody described: a record inside of such a one is the better reading."""
    return kind in (application.NAME, generic.NAME)


def has_shared_format(kind: str) -> bool:
    """Whether records of this kind do not say which product wrote them."""
    return kind in _SHARED


parse: Final = with_formats(())
