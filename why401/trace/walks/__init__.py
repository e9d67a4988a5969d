"""One walk per gateway: the order in which it evaluates a request. A product without one is walked by what its reader tells (`other`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from why401.trace.walked import Walk
from why401.trace.walks import envoy, krakend, nginx, other, traefik

WALKS: Final[Mapping[str, Walk]] = {
    "envoy": envoy.walk,
    "krakend": krakend.walk,
    "nginx": nginx.walk,
    "traefik": traefik.walk,
}


def walk_of(gateway: str) -> Walk:
    """The walk for a gateway kind.

    >>> walk_of("nginx") is WALKS["nginx"], walk_of("tyk") is other.walk
    (True, True)
    """
    return WALKS.get(gateway, other.walk)
