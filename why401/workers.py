"""`--workers N`: the same work in N processes side by side, which share what comes.

Kafka shares partitions out by its consumer group, the kernel connections to the receivers and syslog's datagrams (SO_REUSEPORT). Files, alerts and the
metrics endpoint are the first process's. Nothing else is shared: each has caches and a writer of its own, and the fence in the lake
decides whose a position is, as between machines.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from collector.errors import ConfigurationError
from collector.settings import Settings, Share
from why401.restarting import supervised


def run(work: Callable[[Settings], None], settings: Settings, workers: int, *, takes_raw: bool = True) -> None:
    """Run `work` in so many processes until one ends by itself. Raises ConfigurationError.

    `takes_raw`: it reads the configured sources, not the event topic.
    """
    if workers == 1:
        supervised(partial(work, settings))
        return
    _expect_free("telemetry.prometheus", settings.telemetry.prometheus, settings)
    if takes_raw:
        _expect_something_to_share(settings, workers)
        _expect_free("otlp.grpc", settings.otlp.grpc, settings)
        _expect_free("otlp.http", settings.otlp.http, settings)
        _expect_free("syslog.tcp", settings.syslog.tcp, settings)
        _expect_free("syslog.tls", settings.syslog.tls, settings)
    folder, starter = tempfile.mkdtemp(prefix="why401-"), os.getpid()
    try:
        shares = [Share(number=number, of=workers, folder=folder) for number in range(1, workers + 1)]
        supervised(*(partial(work, replace(settings, share=share)) for share in shares))
    finally:
        if os.getpid() == starter:  # not a child, which ends here, too
            shutil.rmtree(folder, ignore_errors=True)


def _expect_something_to_share(settings: Settings, workers: int) -> None:
    kafka, otlp = settings.kafka, settings.otlp
    listens = otlp.grpc or otlp.http or settings.syslog.is_on
    if not ((kafka.bootstrap and kafka.topics) or listens or settings.pubsub.subscriptions):
        right = "expected 1, because only Kafka, OTLP, syslog and Pub/Sub are shared among workers; files, S3 and CloudWatch are read by one"
        raise ConfigurationError("--workers", workers, right, file=settings.file)


def _expect_free(key: str, address: str, settings: Settings) -> None:
    """Workers may bind an address together, so another program's workers could, too, without a word."""
    host, _, port = address.rpartition(":")
    if not port:
        return
    host = host.strip("[]")
    try:
        socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise ConfigurationError(
            key, address, f"the address cannot be bound: {error.strerror}", file=settings.file
        ) from None
