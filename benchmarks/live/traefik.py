"""Traefik with forwardAuth: the authorization service judges with PyJWT, Traefik passes its 401 on and writes the access log.

The access log is JSON with the headers kept that docs/gateways/traefik.md names, Authorization among them.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from benchmarks.live.authorizer import authorizer
from benchmarks.live.contract import ROUTE, Running
from benchmarks.live.golang import GoProgram, go
from benchmarks.live.process import START_S, GatewayEnded, running
from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports
from why401.demo.mint import Mint

RECIPE: Final = Recipe("traefik")
_LEGO: Final = "github.com/go-acme/lego/v5@v5.4.1"


def _without_dns_providers(folder: Path) -> None:
    """Lay lego out in the folder, with one file of ours in the place of its table of DNS providers."""
    where = json.loads(go(folder.parent, "mod", "download", "-json", _LEGO))["Dir"]
    shutil.copytree(where, folder / "lego", copy_function=shutil.copyfile)
    for inner in (folder / "lego", *(path for path in (folder / "lego").rglob("*") if path.is_dir())):
        inner.chmod(0o755)  # Go keeps modules read-only
    table = folder / "lego" / "providers" / "dns" / "zz_gen_dns_providers.go"
    shutil.move(folder / "dns" / "dns.go", table)


PROGRAM: Final = GoProgram(
    "traefik", "3.7.13", "github.com/traefik/traefik/v3/cmd/traefik", "traefik", _without_dns_providers
)


class Traefik:
    """One router with a forwardAuth middleware, from a file (doc.traefik.io, ForwardAuth and access logs, v3.7)."""

    name: Final = "Traefik (forwardAuth, PyJWT)"
    kind: Final = "traefik"
    without_token: Final = False
    relabelled: Final[dict[str, str]] = {}
    left_out: Final[dict[str, str]] = {}

    def missing(self) -> str:
        """What this machine lacks."""
        return PROGRAM.missing()

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        (port,) = free_ports(1)
        static, access = folder / "traefik.yaml", folder / "access.jsonl"
        upstream = urlsplit(jwks_url)
        with authorizer(mint.issuers["shop"], jwks_url) as judge:
            settings = _static(port, folder) | yaml.safe_load(RECIPE.block("log", folder))
            static.write_text(json.dumps(settings))  # JSON is YAML, too
            (folder / "routes.yaml").write_text(json.dumps(_routes(judge, f"http://{upstream.netloc}")))
            log = folder / "traefik.log"
            with running([str(PROGRAM.binary), f"--configFile={static}"], port, log):
                _await_routes(port)
                yield Running(port, (log, access), recipe=RECIPE)


def _static(port: int, folder: Path) -> dict[str, Any]:
    return {
        "entryPoints": {"web": {"address": f"127.0.0.1:{port}", "forwardedHeaders": {"trustedIPs": ["127.0.0.1/32"]}}},
        "providers": {"file": {"filename": str(folder / "routes.yaml"), "watch": False}},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
    }


def _routes(judge: int, upstream: str) -> dict[str, Any]:
    router = {"rule": "PathPrefix(`/`)", "service": "orders", "middlewares": ["jwt"], "entryPoints": ["web"]}
    return {
        "http": {
            "routers": {"orders": router},
            "middlewares": {
                "jwt": {"forwardAuth": {"address": f"http://127.0.0.1:{judge}/", "trustForwardHeader": True}}
            },
            "services": {"orders": {"loadBalancer": {"servers": [{"url": upstream}]}}},
        }
    }


def _await_routes(port: int) -> None:
    """Traefik listens before it has read its routes, and answers 404 until then. Raises GatewayEnded."""
    limit = time.monotonic() + START_S
    while _status(port) == 404:
        if time.monotonic() > limit:
            raise GatewayEnded("Traefik never took its routes")
        time.sleep(0.05)


def _status(port: int) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", ROUTE)
        return connection.getresponse().status
    finally:
        connection.close()


GATEWAY: Final = Traefik()
