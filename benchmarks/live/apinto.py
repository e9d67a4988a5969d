"""Apinto with one application of type jwt, configured over its admin API as APIPark does: the node's log, and the access log alone.

No package registry has the gateway: `WHY401_TEST_APINTO` is the path of its binary. It is started as `apinto debug master`, which
starts an admin and a worker process of its own.
"""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.live.contract import ROUTE, Running
from benchmarks.live.process import GatewayEnded, running
from tests.brokers import free_ports
from why401.demo.mint import Mint

BINARY_ENV: Final = "WHY401_TEST_APINTO"
START_S: Final = 60.0
_STEP_S: Final = 0.1
_FLUSH_S: Final = 1.2  # eosc log/filelog/writer.go keeps lines for a second
_SETTLE_S: Final = 1.5  # what the last question leaves in the logs is written by then
# APIParkLab/APIPark module/log/iml.go, logFormatter.
FIELDS: Final = (
    "$msec", "$service", "$provider", "$scheme as request_scheme", "$url as request_uri", "$host as request_host",
    "$header as request_header", "$remote_addr", "$request_body", "$proxy_body", "$proxy_method", "$proxy_scheme", "$proxy_uri",
    "$api", "$proxy_host", "$proxy_header", "$proxy_addr", "$response_header", "$response_headers", "$status", "$content_type",
    "$proxy_status", "$request_time", "$response_time", "$node", "$cluster", "$application", "$src_ip", "$block_name as strategy",
    "$request_id", "$request_method", "$authorization", "$response_body", "$proxy_response_body", "$ai_provider", "$ai_model",
    "$ai_model_input_token", "$ai_model_output_token", "$ai_model_total_token",
)  # fmt: skip
_LINE: Final[dict[str, list[str]]] = {
    "fields": ["$time_iso8601", "$request_id", "@request", "@proxy", "@response", "@status_code", "@time"],
    "request": ["$request_method", "$scheme", "$request_uri", "$host", "$header", "$remote_addr"],
    "proxy": ["$proxy_method", "$proxy_scheme", "$proxy_uri", "$proxy_host", "$proxy_header", "$proxy_addr"],
    "response": ["$response_header", "$response_body"],
    "status_code": ["$status", "$proxy_status"],
    "time": ["$request_time", "$response_time"],
}
_UNLOGGED: Final = {"headers-too-large": "the HTTP server answers it before any plugin, and nothing is logged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Apinto:
    """One route and one application; `logs` are the files that are read."""

    name: str
    logs: tuple[str, ...]  # of the node ("error.log") and of the outputs
    level: str = "error"
    kind: str = "apinto"
    without_token: bool = False
    relabelled: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=lambda: _UNLOGGED)

    def missing(self) -> str:
        """What this machine lacks."""
        binary = os.environ.get(BINARY_ENV, "")
        return "" if binary and Path(binary).is_file() else f"{BINARY_ENV} is not the path of an apinto binary"

    @contextmanager
    def run(self, folder: Path, mint: Mint, jwks_url: str) -> Iterator[Running]:
        """Start it in front of the services that also answer `jwks_url`."""
        mint.typ = "JWT"  # all that the jwt driver accepts
        admin, gateway, peer = free_ports(3)
        settings = folder / "apinto.yml"
        settings.write_text(json.dumps(_settings(admin, gateway, peer)))
        command = [os.environ[BINARY_ENV], "debug", "master"]
        with running(command, admin, folder / "console.log", **_environment(folder, settings, self.level)):
            children = _children_of(command[0], folder)
            try:
                _configure(f"http://127.0.0.1:{admin}/api", gateway, folder, mint, urlsplit(jwks_url).netloc)
                _await_refusal(gateway)
                time.sleep(_SETTLE_S)
                yield Running(gateway, tuple(folder / log for log in self.logs), _FLUSH_S)
            finally:
                _end_all({*children, *_children_of(command[0], folder)})


def _settings(admin: int, gateway: int, peer: int) -> dict[str, Any]:
    """JSON is YAML."""

    def at(port: int) -> dict[str, list[str]]:
        return {"listen_urls": [f"http://127.0.0.1:{port}"], "advertise_urls": [f"http://127.0.0.1:{port}"]}

    return {"version": 2, "client": at(admin), "gateway": at(gateway), "peer": at(peer)}


def _environment(folder: Path, settings: Path, level: str) -> dict[str, str]:
    """`APP` names the program and with it the variables' beginning, whatever the binary is called."""
    folders = {name: folder / name for name in ("data", "pid", "extends")}
    for one in folders.values():
        one.mkdir()
    return {
        "APP": "APINTO",
        "APINTO_CONFIG": str(settings),
        "APINTO_LOG_DIR": str(folder),
        "APINTO_SOCKET_DIR": str(folders["pid"]),
        "APINTO_ERROR_LOG_LEVEL": level,
        "APINTO_ERROR_LOG_NAME": "error",
    } | {f"APINTO_{name.upper()}_DIR": str(path) for name, path in folders.items()}


def _configure(api: str, gateway: int, folder: Path, mint: Mint, upstream: str) -> None:
    shop = mint.issuers["shop"]
    pem = mint.key("shop").private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    output = {"driver": "file", "scopes": ["access_log"], "dir": str(folder), "period": "day", "expire": 1}
    rule = {"iss": shop.url, "algorithm": "RS256", "rsa_public_key": pem.decode(), "claims_to_verify": ["exp"]}
    user = {"pattern": {"username": shop.url}}
    # Apinto keeps the case of header names: a client that writes `authorization` is found only when token_name says so.
    jwt = {"type": "jwt", "position": "header", "token_name": "authorization", "config": rule, "users": [user]}
    for path, body in (
        ("/setting/plugin", {"plugins": [_plugin("access_log"), _plugin("plugin_app", force_auth=True)]}),
        ("/output", {**output, "name": "flat", "file": "flat", "type": "json", "formatter": {"fields": FIELDS}}),
        ("/output", {**output, "name": "line", "file": "line", "type": "line", "formatter": _LINE}),
        ("/service", {"name": "up", "driver": "http", "scheme": "http", "balance": "round-robin", "timeout": 3000, "nodes": [f"{upstream} weight=1"]}),
        ("/app", {"name": "web", "driver": "app", "auth": [jwt]}),
        ("/router", {"name": "orders", "driver": "http", "listen": gateway, "location": "/*", "service": "up@service"}),
    ):  # fmt: skip
        _post(api + path, body)


def _plugin(name: str, **config: bool) -> dict[str, Any]:
    return {"id": f"eolinker.com:apinto:{name}", "name": name, "status": "global", "config": config}


def _post(url: str, body: Mapping[str, Any]) -> None:
    """The admin process may still be starting; it answers 405 to settings that it keeps all the same."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    limit = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return
        except urllib.error.HTTPError as refused:
            if refused.code == 405:
                return
            why = f"{refused.code}: {refused.read()[:300]!r}"
        except OSError as error:
            why = str(error)
        if time.monotonic() > limit:
            raise GatewayEnded(f"{url} answers {why}")
        time.sleep(_STEP_S)


def _await_refusal(port: int) -> None:
    """Until route and application are in force: a request without a token is refused, and no longer unknown."""
    limit = time.monotonic() + START_S
    while _status(f"http://127.0.0.1:{port}{ROUTE}") != 401:
        if time.monotonic() > limit:
            raise GatewayEnded("apinto never refused a request without a token")
        time.sleep(_STEP_S)


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def _children_of(binary: str, folder: Path) -> Sequence[int]:
    """The processes of this binary that work in this folder: the master does not end the ones it started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and (entry / "exe").readlink() == Path(binary)
                and (entry / "cwd").readlink() == folder
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _end_all(processes: Sequence[int] | set[int]) -> None:
    for process in processes:
        try:
            os.kill(process, signal.SIGTERM)
        except ProcessLookupError:
            continue


GATEWAY: Final = Apinto(name="Apinto (APIPark's access log)", logs=("flat.log",))
LINES: Final = Apinto(name="Apinto (access log as lines)", logs=("line.log",))
_NO_MARK: Final = {"token-absent": "without a token nothing joins the line of one log with the line of the other"}
NODE: Final = Apinto(
    name="Apinto (node log at debug, access log)",
    logs=("error.log", "flat.log"),
    level="debug",
    left_out=_UNLOGGED | _NO_MARK,
)
