"""The Prometheus endpoint: one address, also for several processes side by side.

The first process serves it and asks the others when it is asked itself; each series says by the label `worker` whose it is,
so a process that starts anew is a reset of its own series, as Prometheus knows it. One that is away is left out.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from collector.settings import Share

TIMEOUT_S: Final = 2.0


def serve(registry: CollectorRegistry, address: str, share: Share) -> None:
    """Serve what is in the registry, with that of the other processes. Raises OSError."""
    if not share.is_first:
        _tell(registry, share)
        return
    if not share.is_all:
        own, registry = registry, CollectorRegistry()
        registry.register(_Gathered(own, share))
    host, _, port = address.rpartition(":")
    start_http_server(int(port), addr=host, registry=registry)


class _Gathered(Collector):
    """The families of all processes, a family once."""

    def __init__(self, own: CollectorRegistry, share: Share) -> None:
        self._own = own
        self._share = share

    def collect(self) -> Iterable[Metric]:
        """What Prometheus is told."""
        families: dict[str, Metric] = {}
        for number in range(1, self._share.of + 1):
            for family in self._of(number):
                known = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                known.samples += [
                    each._replace(labels={**each.labels, "worker": str(number)}) for each in family.samples
                ]
        return families.values()

    def _of(self, number: int) -> Iterable[Metric]:
        if number == self._share.number:
            return self._own.collect()
        try:
            return list(text_string_to_metric_families(_asked(_path(self._share, number))))  # type: ignore[no-untyped-call]
        except OSError:  # it is being started
            return ()


def _path(share: Share, number: int) -> Path:
    return Path(share.folder) / f"{number}.sock"


def _asked(path: Path) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(str(path))
        with connection.makefile("rb") as answer:
            return answer.read().decode()


def _tell(registry: CollectorRegistry, share: Share) -> None:
    """Whoever connects is told all, at once."""

    class Teller(socketserver.StreamRequestHandler):
        timeout = TIMEOUT_S

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # it did not wait
                self.wfile.write(generate_latest(registry))  # type: ignore[no-untyped-call]

    path = _path(share, share.number)
    path.unlink(missing_ok=True)  # of the process before this one
    server = socketserver.UnixStreamServer(str(path), Teller)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
