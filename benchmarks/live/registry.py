"""Every live gateway, in the order of the tables, and which of them prove a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.live import apache, apinto, caddy, haproxy, krakend, nginx, oauth2_proxy, openresty, spring, traefik
from benchmarks.live.contract import LiveGateway

GATEWAYS: Final[tuple[LiveGateway, ...]] = (
    haproxy.GATEWAY,
    haproxy.CAPTURING,
    nginx.GATEWAY,
    nginx.BEFORE_OAUTH2_PROXY,
    nginx.BEFORE_KRAKEND,
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

# Page of docs/gateways -> the gateways that are started with its lines and followed by its commands.
NEWCOMERS: Final[Mapping[str, tuple[LiveGateway, ...]]] = {
    "apache": (apache.GATEWAY,),
    "caddy": (caddy.FORWARDING, caddy.GATEWAY),
    "haproxy": (haproxy.CAPTURING,),
    "krakend": (nginx.BEFORE_KRAKEND,),
    "nginx": (nginx.GATEWAY, nginx.BEFORE_OAUTH2_PROXY),
    "oauth2-proxy": (nginx.BEFORE_OAUTH2_PROXY,),
    "spring": (spring.WITH_ACCESS_LOG,),
    "traefik": (traefik.GATEWAY,),
}
