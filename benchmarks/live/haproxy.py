"""HAProxy checks the token itself, as its manual and its blog show: the converters http_auth_bearer, jwt_header_query,
jwt_payload_query and jwt_verify, one `http-request deny` per check. Its log never says which one refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.live.contract import Running
from benchmarks.live.process import running
from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports
from why401.demo.mint import Mint

RECIPE: Final = Recipe("haproxy")
# haproxy/haproxy doc/configuration.txt 2.6, jwt_verify.
_CONFIG: Final = """\
global
{logging}  maxconn 64

defaults
  mode http
  log global
{httplog}  option dontlognull
  timeout connect 5s
  timeout client 10s
  timeout server 10s

frontend api
  bind 127.0.0.1:{port}
{log}
  http-request deny unless {{ req.hdr(authorization) -m found }}
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
  http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud')
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
{verify}  http-request deny unless {{ var(txn.alg) -m str RS256 }}
  http-request deny unless {{ var(txn.iss) -m str {issuer} }}
  http-request deny unless {{ var(txn.aud) -m str {audience} }}
  http-request deny unless {{ var(txn.verify) -m int 1 }}
  http-request set-var(txn.now) date()
  http-request deny if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
  default_backend orders

backend orders
  server orders {upstream}
"""


@dataclass(frozen=True, slots=True)
class HAProxy:
    """One issuer's public key in a PEM file, as jwt_verify wants it; logging as the recipe says, or `option httplog` alone."""

    name: str = "HAProxy"
    recipe: Recipe | None = None
    kind: str = "haproxy"
    without_token: bool = False
    relabelled: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """What this machine lacks."""
        return "" if shutil.which("haproxy") else "haproxy is not installed"

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        (port,) = free_ports(1)
        shop, key, config, log = (
            mint.issuers["shop"],
            folder / "issuer.pem",
            folder / "haproxy.cfg",
            folder / "haproxy.log",
        )
        public = mint.settled_key("shop").private.public_key()
        key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        values = {"port": port, "upstream": urlsplit(jwks_url).netloc} | self._lines(folder)
        config.write_text(_CONFIG.format(issuer=shop.url, audience=shop.audience, **values))
        with running(["haproxy", "-db", "-f", str(config)], port, log):
            yield Running(port, (log,), config=config, recipe=self.recipe)

    def _lines(self, folder: Path) -> dict[str, str]:
        """What the recipe says to paste; without one, its captures, and neither return code nor zone."""
        log, verify = RECIPE.block("log", folder), RECIPE.block("verify", folder)
        lines = {"logging": RECIPE.block("global", folder), "log": log, "verify": verify, "httplog": ""}
        if self.recipe:
            return lines
        captures = "".join(line for line in log.splitlines(keepends=True) if "log-format" not in line)
        plain = "".join(line for line in verify.splitlines(keepends=True) if "capture" not in line)
        return lines | {"log": captures, "verify": plain, "httplog": "  option httplog\n"}


GATEWAY: Final = HAProxy()
CAPTURING: Final = HAProxy("HAProxy, jwt_verify captured", RECIPE)
