"""A server of the demo's own on a free loopback port, served in a thread."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer


class Loopback:
    """`port` is known after construction."""

    def __init__(self, server: ThreadingHTTPServer, name: str) -> None:
        self._server = server
        self.port: int = server.server_address[1]
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name=name)

    def start(self) -> None:
        """Serve in a thread. Idempotent."""
        if not self._thread.is_alive():
            self._thread.start()

    def stop(self) -> None:
        """Stop serving. Idempotent."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
