"""nginx: how it is started, with auth_request, and for the gateways that are built on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.live.authorizer import authorizer
from benchmarks.live.contract import Running
from benchmarks.live.process import running
from tests.brokers import free_ports
from why401.demo.mint import Mint

MODULES: Final = Path("/usr/lib/nginx/modules")
# docs/gateways.md: combined, and behind it what joins the line to the error log's and shows the credential.
_MAIN: Final = """\
{modules}
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 128; }}
http {{
  log_format api '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
                 '"$http_user_agent" request_id=$request_id upstream_status=$upstream_status '
                 'www_authenticate="$sent_http_www_authenticate" authorization="$http_authorization"';
  access_log {folder}/access.log api;
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
    config.write_text(_MAIN.format(folder=folder, modules=load, http=http.format(port=port, **values)))
    with running(
        ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)], port, folder / "printed.log"
    ):
        yield Running(port, (folder / "error.log", folder / "access.log"))


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
            yield running_nginx


GATEWAY: Final = NginxAuthRequest()
