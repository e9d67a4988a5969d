"""One reader per product: `is_mine(root)` knows a document by its content, `read(root)` yields what it tells.

READERS is the table: a document is read by the first that knows it, whatever its file is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers import (
    apache,
    apinto,
    apisix,
    aspnet,
    aws,
    azure_apim,
    caddy,
    envoy,
    envoy_gateway,
    google,
    haproxy,
    istio,
    keycloak,
    kong,
    krakend,
    kubernetes,
    nginx,
    oathkeeper,
    oauth2_proxy,
    spring,
    traefik,
    tyk,
)
from why401.expectations.told import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How one kind of document is known and read."""

    gateway: str  # the collector's gateway kind
    title: str
    form: str  # of why401/expectations/formats.py
    is_mine: Callable[[Node], bool]
    read: Callable[[Node], Iterator[Finding]]


READERS: Final = (
    *(
        Reader(gateway=module.NAME, title=module.TITLE, form=form, is_mine=module.is_mine, read=module.read)
        for module, form in (
            # Manifests and other documents that name themselves first, then those known by their fields.
            (istio, "tree"),
            (envoy_gateway, "tree"),
            (traefik, "tree"),
            (tyk, "tree"),
            (kong, "tree"),
            (aws, "tree"),
            (google, "tree"),
            (oathkeeper, "tree"),
            (krakend, "tree"),
            (spring, "tree"),
            (spring, "flags"),
            (aspnet, "tree"),
            (oauth2_proxy, "tree"),
            (oauth2_proxy, "flags"),
            (kubernetes, "tree"),
            (kubernetes, "flags"),
            (keycloak, "tree"),
            (caddy, "tree"),
            (envoy, "tree"),
            (apisix, "tree"),
            (apinto, "tree"),
            (haproxy, "haproxy"),
            (nginx, "nginx"),
            (apache, "apache"),
            (azure_apim, "xml"),
        )
    ),
    Reader(
        gateway=caddy.NAME, title=caddy.TITLE, form="caddyfile", is_mine=caddy.is_caddyfile, read=caddy.read_caddyfile
    ),
)
