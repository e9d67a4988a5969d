"""KrakenD: `auth/validator` on every endpoint, `operation_debug` on, the logger's usual pattern and gin's access log.

Without `operation_debug` KrakenD logs no reason at all. Neither log carries the token.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.live.contract import Running
from benchmarks.live.golang import GoProgram
from benchmarks.live.process import running
from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports
from why401.demo.mint import Mint

RECIPE: Final = Recipe("krakend")
PROGRAM: Final = GoProgram("krakend", "jose-2.12.3", ".", "krakend")


class KrakenD:
    """One endpoint, as krakend.json declares it (krakend.io/docs/authorization/jwt-validation)."""

    name: Final = "KrakenD (auth/validator)"
    kind: Final = "krakend"
    without_token: Final = True
    relabelled: Final[dict[str, str]] = {}
    left_out: Final[dict[str, str]] = {}

    def missing(self) -> str:
        """What this machine lacks."""
        return PROGRAM.missing()

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        (port,) = free_ports(1)
        settings, log = folder / "krakend.json", folder / "krakend.log"
        settings.write_text(json.dumps(_settings(folder, port, mint, jwks_url), indent=2))
        with running([str(PROGRAM.binary), str(settings)], port, log):
            yield Running(port, (log,), config=settings)


def _settings(folder: Path, port: int, mint: Mint, jwks_url: str) -> dict[str, Any]:
    shop, upstream = mint.issuers["shop"], urlsplit(jwks_url)
    validator = {
        "alg": "RS256",
        "jwk_url": jwks_url,
        "issuer": shop.url,
        "audience": [shop.audience],
        "disable_jwk_security": True,  # the demo's key set is plain http on loopback
        "cache": True,
    } | json.loads(RECIPE.block("validator", folder))
    return {
        "version": 3,
        "port": port,
        "listen_ip": "127.0.0.1",
        "extra_config": json.loads(RECIPE.block("logging", folder)),
        "endpoints": [
            {
                "endpoint": "/v1/orders/{id}",
                "extra_config": {"auth/validator": validator},
                "backend": [{"host": [f"{upstream.scheme}://{upstream.netloc}"], "url_pattern": "/v1/orders/{id}"}],
            }
        ],
    }


GATEWAY: Final = KrakenD()
