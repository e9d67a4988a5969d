"""oauth2-proxy as a resource server: `--skip-jwt-bearer-tokens`, refusals of every path answered with 401.

Its standard log tells why a token was not taken, its auth and request logs tell what was answered. None carries the token.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.live.contract import Running
from benchmarks.live.golang import GoProgram
from benchmarks.live.process import running
from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports
from why401.demo.mint import Mint

RECIPE: Final = Recipe("oauth2-proxy")
PROGRAM: Final = GoProgram("oauth2-proxy", "7.8.1", "github.com/oauth2-proxy/oauth2-proxy/v7", "oauth2_proxy")


class OAuth2Proxy:
    """Provider `oidc` without discovery: the issuer's name is public, its key set is on loopback."""

    name: Final = "oauth2-proxy (bearer tokens)"
    kind: Final = "oauth2-proxy"
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
        log = folder / "oauth2-proxy.log"
        flags, config = _options(port, mint, jwks_url), folder / "oauth2-proxy.cfg"
        log_settings = RECIPE.block("log", folder) + RECIPE.block("api", folder)
        config.write_text("".join(_setting(name, value) for name, value in flags.items()) + log_settings)
        with running([str(PROGRAM.binary), f"--config={config}"], port, log):
            yield Running(port, (log,), config=config)


_LISTS: Final = ("upstream", "email-domain", "oidc-extra-audience")


def _setting(name: str, value: str) -> str:
    """A flag as the configuration file has it: lists are named in the plural."""
    key, told = name.replace("-", "_"), value if value in ("true", "false") else json.dumps(value)
    return f"{key}s = [{told}]\n" if name in _LISTS else f"{key} = {told}\n"


def _options(port: int, mint: Mint, jwks_url: str) -> dict[str, str]:
    shop, upstream = mint.issuers["shop"], urlsplit(jwks_url)
    return {
        "http-address": f"127.0.0.1:{port}",
        "provider": "oidc",
        "oidc-issuer-url": shop.url,
        "skip-oidc-discovery": "true",
        "login-url": f"{shop.url}/auth",
        "redeem-url": f"{shop.url}/token",
        "oidc-jwks-url": jwks_url,
        "client-id": "web-shop",
        "client-secret": secrets.token_hex(16),
        "cookie-secret": secrets.token_hex(16),
        "oidc-extra-audience": shop.audience,
        "oidc-email-claim": "sub",
        "email-domain": "*",
        "upstream": f"{upstream.scheme}://{upstream.netloc}/",
    }


GATEWAY: Final = OAuth2Proxy()
