"""Caddy: with ggicci/caddy-jwt, and with forward_auth to a service that judges with PyJWT and answers in the challenge.

`log_credentials` leaves Authorization in the access log, which Caddy would write as REDACTED.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.live.authorizer import authorizer
from benchmarks.live.contract import Running
from benchmarks.live.golang import GoProgram
from benchmarks.live.process import running
from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports
from why401.demo.mint import Mint

PROGRAM: Final = GoProgram("caddy", "2.10.2", ".", "caddy_jwt")
RECIPE: Final = Recipe("caddy")
# caddyserver.com/docs/caddyfile, options and log (2.5 and later).
_CADDYFILE: Final = """\
{{
	admin off
	auto_https off
{credentials}{own}}}

http://:{port} {{
	bind 127.0.0.1
{log}	route {{
{auth}
		reverse_proxy {upstream}
	}}
}}
"""
# ggicci/caddy-jwt README.md v1.1.1
_JWT: Final = """\
		jwtauth {{
			jwk_url {jwks_url}
			issuer_whitelist {issuer}
			audience_whitelist {audience}
			user_claims sub
		}}"""
_FORWARD: Final = """\
		forward_auth 127.0.0.1:{judge} {{
			uri /
		}}"""


_BLOCKS: Final = {"credentials": "global", "own": "own", "log": "log"}


@contextmanager
def serve(binary: str, folder: Path, **values: object) -> Iterator[Running]:
    """Caddy with the Caddyfile above."""
    (port,) = free_ports(1)
    config = folder / "Caddyfile"
    lines = {name: RECIPE.block(block, folder) for name, block in _BLOCKS.items()}
    config.write_text(_CADDYFILE.format(port=port, **lines, **values))
    command = [binary, "run", "--adapter", "caddyfile", "--config", str(config)]
    with running(command, port, folder / "printed.log"):
        yield Running(port, (folder / "caddy.log", folder / "access.log"), config=config)


@dataclass(frozen=True, slots=True)
class CaddyJwt:
    """jwtauth with a key set by URL, one issuer and one audience."""

    name: str = "Caddy (caddy-jwt)"
    kind: str = "caddy"
    without_token: bool = False
    relabelled: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """What this machine lacks."""
        return PROGRAM.missing()

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        shop = mint.issuers["shop"]
        auth = _JWT.format(jwks_url=jwks_url, issuer=shop.url, audience=shop.audience)
        with serve(str(PROGRAM.binary), folder, auth=auth, upstream=urlsplit(jwks_url).netloc) as running_caddy:
            yield replace(running_caddy, recipe=replace(RECIPE, run="run-jwt"))


@dataclass(frozen=True, slots=True)
class CaddyForwardAuth:
    """forward_auth passes the authorization service's 401 on, challenge and all."""

    name: str = "Caddy (forward_auth, PyJWT)"
    kind: str = "caddy"
    without_token: bool = False
    relabelled: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """What this machine lacks."""
        return "" if shutil.which("caddy") else "caddy is not installed"

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        with authorizer(mint.issuers["shop"], jwks_url) as judge:
            values = {"auth": _FORWARD.format(judge=judge), "upstream": urlsplit(jwks_url).netloc}
            with serve("caddy", folder, **values) as running_caddy:
                yield replace(running_caddy, config=None, recipe=RECIPE)  # what the service expects is not in it


GATEWAY: Final = CaddyJwt()
FORWARDING: Final = CaddyForwardAuth()
