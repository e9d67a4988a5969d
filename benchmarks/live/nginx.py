"""nginx: how it is started, with auth_request, and for the gateways that are built on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.live import krakend, oauth2_proxy
from benchmarks.live.authorizer import authorizer
from benchmarks.live.contract import LiveGateway, Running
from benchmarks.live.process import running
from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports
from why401.demo.mint import Mint

MODULES: Final = Path("/usr/lib/nginx/modules")
RECIPE: Final = Recipe("nginx")
# As Debian has it, and in its http block the recipe's lines.
_MAIN: Final = """\
{modules}
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 128; }}
http {{
{log}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{http}}}
"""


def lacking(module: str, package: str) -> str:
    """What is not installed of nginx and one of its modules; "" when both are."""
    if not shutil.which("nginx"):
        return "nginx is not installed"
    return "" if (MODULES / module).exists() else f"{package} is not installed"


@contextmanager
def serve(folder: Path, http: str, modules: Sequence[str], **values: object) -> Iterator[Running]:
    """nginx with a template of what stands in its http block, filled with `port` and `values`."""
    (port,) = free_ports(1)
    config, load = folder / "nginx.conf", "\n".join(f"load_module {MODULES / module};" for module in modules)
    log, http = RECIPE.block("log", folder), http.format(port=port, **values)
    config.write_text(_MAIN.format(folder=folder, modules=load, log=log, http=http))
    with running(
        ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)], port, folder / "printed.log"
    ):
        yield Running(port, (folder / "error.log", folder / "why401.log"))


# nginx.org/en/docs/http/ngx_http_auth_request_module.html: of a 401 the subrequest's WWW-Authenticate reaches the client.
_AUTH_REQUEST: Final = """\
  server {{
    listen 127.0.0.1:{port};
    server_name api.example.com;
    location / {{
      auth_request /_auth;
      proxy_pass http://{upstream};
    }}
    location = /_auth {{
      internal;
      proxy_pass http://127.0.0.1:{judge};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
    }}
  }}
"""


@dataclass(frozen=True, slots=True)
class NginxAuthRequest:
    """auth_request to a service that judges with PyJWT. nginx's own logs have the status, and its challenge when asked to."""

    name: str = "nginx (auth_request, PyJWT)"
    kind: str = "nginx"
    without_token: bool = False
    relabelled: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """What this machine lacks."""
        return "" if shutil.which("nginx") else "nginx is not installed"

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        with (
            authorizer(mint.issuers["shop"], jwks_url) as judge,
            serve(folder, _AUTH_REQUEST, (), judge=judge, upstream=urlsplit(jwks_url).netloc) as running_nginx,
        ):
            yield replace(running_nginx, recipe=RECIPE)


# As its documentation has it: oauth2-proxy.github.io, "Configuring for use with the Nginx auth_request directive".
_OAUTH2_PROXY: Final = """\
  server {{
    listen 127.0.0.1:{port};
    server_name api.example.com;
    location / {{
      auth_request /oauth2/auth;
      proxy_pass http://{upstream};
    }}
    location = /oauth2/auth {{
      internal;
      proxy_pass http://127.0.0.1:{inner};
      proxy_pass_request_body off;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-Uri $request_uri;
      proxy_set_header Content-Length "";
    }}
  }}
"""
_PROXY_PASS: Final = """\
  server {{
    listen 127.0.0.1:{port};
    server_name api.example.com;
    location / {{ proxy_pass http://127.0.0.1:{inner}; }}
  }}
"""


@dataclass(frozen=True, slots=True)
class InFront:
    """nginx in front of a gateway that does not log the token: nginx's log is read, with the gateway's own configuration."""

    name: str
    inner: LiveGateway
    http: str
    recipe: Recipe
    kind: str = "nginx"
    without_token: bool = False
    relabelled: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """What this machine lacks."""
        return self.inner.missing() or GATEWAY.missing()

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start both, in front of the services that also answer `jwks_url`."""
        with (
            self.inner.run(folder, mint, jwks_url) as inner,
            serve(folder, self.http, (), inner=inner.port, upstream=urlsplit(jwks_url).netloc) as front,
        ):
            yield replace(front, config=inner.config, recipe=self.recipe)


GATEWAY: Final = NginxAuthRequest()
BEFORE_OAUTH2_PROXY: Final = InFront(
    "nginx (auth_request, oauth2-proxy)", oauth2_proxy.GATEWAY, _OAUTH2_PROXY, Recipe("nginx", "run-oauth2-proxy")
)
BEFORE_KRAKEND: Final = InFront(
    "nginx before KrakenD", krakend.GATEWAY, _PROXY_PASS, Recipe("krakend", "run-behind-nginx")
)
