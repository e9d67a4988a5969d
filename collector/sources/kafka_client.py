"""kafka-python clients by our settings: one way to connect, and nothing left behind when it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from kafka.net.compat import KafkaNetClient

from collector.settings import KafkaSettings

Client = TypeVar("Client")
BOOTSTRAP_MS: Final = 5_000


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """The arguments that every kafka-python client needs."""
    # At debug kafka-python writes its configuration and every value that it sends; at info it is a chatterbox.
    library = logging.getLogger("kafka")
    library.setLevel(max(library.level, logging.WARNING))
    out = {
        "bootstrap_servers": list(settings.bootstrap),
        "client_id": "why401",
        "security_protocol": settings.security_protocol,
        "ssl_cafile": settings.ssl_cafile or None,
        "ssl_certfile": settings.ssl_certfile or None,
        "ssl_keyfile": settings.ssl_keyfile or None,
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "reconnect_backoff_max_ms": 3_000,  # the library's 30 s would be a delay that nobody asked for
    }
    if settings.sasl_mechanism:
        out["sasl_mechanism"] = settings.sasl_mechanism
        out["sasl_plain_username"] = settings.sasl_username
        out["sasl_plain_password"] = settings.sasl_password
    return out


def connect(client: Callable[..., Client], settings: KafkaSettings, **options: Any) -> Client:
    """A kafka-python client. One that cannot connect leaves its thread and sockets behind; here they are closed."""
    begun: list[KafkaNetClient] = []

    def begin(*args: Any, **configs: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(*args, **configs))
        return begun[-1]

    try:
        return client(**connection(settings), kafka_client=begin, **options)
    except BaseException:
        for unused in begun:
            unused.close()
        raise
