"""Every live gateway, in the order of the tables."""

from __future__ import annotations

from typing import Final

from benchmarks.live import apache, apinto, caddy, haproxy, krakend, nginx, oauth2_proxy, openresty, spring, traefik
from benchmarks.live.contract import LiveGateway

GATEWAYS: Final[tuple[LiveGateway, ...]] = (
    haproxy.GATEWAY,
    haproxy.CAPTURING,
    nginx.GATEWAY,
    openresty.GATEWAY,
    apache.GATEWAY,
    caddy.GATEWAY,
    caddy.FORWARDING,
    traefik.GATEWAY,
    krakend.GATEWAY,
    apinto.GATEWAY,
    apinto.LINES,
    apinto.NODE,
    oauth2_proxy.GATEWAY,
    spring.GATEWAY,
    spring.WITH_ACCESS_LOG,
)
