"""The on-call's pager: a loopback webhook that keeps the alerts of `why401 up`, in the order in which they came."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import orjson

from why401.demo.loopback import Loopback

MAX_KEPT: Final = 1_000
MAX_BODY: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One message: that something began, or that it is over."""

    is_over: bool
    subject: str
    title: str
    says: str
    at: float  # time.monotonic()


class Pager(Loopback):
    """Takes what Alertmanager would send to a webhook. `port` is known after construction."""

    def __init__(self, show: Callable[[Page], None]) -> None:
        self._show = show
        self._pages: list[Page] = []
        server = _Server(("127.0.0.1", 0), _Handler)
        server.pager = self
        super().__init__(server, "demo-pager")

    def take(self, body: bytes) -> None:
        """Keep what was posted, and show it."""
        for alert in orjson.loads(body)["alerts"]:
            page = Page(
                is_over=alert["status"] == "resolved", subject=alert["labels"]["subject"], at=time.monotonic(),
                title=alert["annotations"]["summary"], says=alert["annotations"]["description"],
            )  # fmt: skip
            self._pages = [*self._pages, page][-MAX_KEPT:]
            self._show(page)

    @property
    def pages(self) -> tuple[Page, ...]:
        """What came so far."""
        return tuple(self._pages)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    pager: Pager


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:  # the name that BaseHTTPRequestHandler calls
        """One delivery."""
        length = min(int(self.headers.get("content-length") or 0), MAX_BODY)
        self.server.pager.take(self.rfile.read(length))
        self.send_response_only(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal but alerts."""
