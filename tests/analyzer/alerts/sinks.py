"""What receives messages in the tests: a real Alertmanager, a real SMTP server, a real web server."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from tests.waiting import HANG_S, eventually

ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Web:
    """A web server that keeps what is posted. `status` 0 never answers."""

    port: int
    status: int = 200
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    leave: threading.Event = field(default_factory=threading.Event)


@contextmanager
def web(status: int = 200) -> Iterator[Web]:
    """On loopback, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.requests.append((self.path, dict(self.headers), json.loads(body)))
            if not kept.status:
                kept.leave.wait(HANG_S)
                return
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept = Web(port=server.server_address[1], status=status)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        kept.leave.set()
        server.shutdown()
        server.server_close()


@dataclass
class Mail:
    """An SMTP server that keeps what it is given."""

    port: int
    letters: list[tuple[str, str]] = field(default_factory=list)  # subject, text


@contextmanager
def mail() -> Iterator[Mail]:
    """On loopback, until the block ends."""

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            letter: Any = message_from_bytes(envelope.content, policy=policy.default)
            text = letter.get_body(("plain", "html")).get_content()
            kept.letters.append((" ".join(letter["subject"].split()), text))
            return "250 OK"

    kept = Mail(port=free_port())
    controller = Controller(Handler(), hostname="127.0.0.1", port=kept.port)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()


@dataclass(frozen=True)
class Manager:
    """A running Alertmanager, with a web server as its receiver."""

    port: int
    received: Web

    def alerts(self) -> list[dict[str, Any]]:
        """What it knows, over its own API."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


CONFIG = """
route: {{receiver: hook, group_by: [alertname, subject], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "http://127.0.0.1:{port}/hook", send_resolved: true}}]}}]
"""


@contextmanager
def alertmanager(folder: Path) -> Iterator[Manager]:
    """The real one, on loopback."""
    assert ALERTMANAGER
    with web() as received:
        port = free_port()
        config = folder / "alertmanager.yml"
        config.write_text(CONFIG.format(port=received.port))
        process = subprocess.Popen(
            [
                ALERTMANAGER, f"--config.file={config}", f"--storage.path={folder / 'state'}",
                f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            eventually(lambda: is_ready(port), "Alertmanager answers")
            yield Manager(port=port, received=received)
        finally:
            process.terminate()
            process.wait(HANG_S)


def is_ready(port: int) -> bool:
    """Whether it answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        time.sleep(0.05)
        return False
