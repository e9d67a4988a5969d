"""kafka-python clients by our settings: one way to connect, and nothing left behind when it fails."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from collector.settings import KafkaSettings
from collector.sources.kafka.refusals import refusal

Client = TypeVar("Client")
BOOTSTRAP_MS: Final = 5_000
MAX_CAUSES: Final = 16


class _Causes(logging.Handler):
    """What kafka-python says of failed connections: its exception is "Unable to bootstrap", the cause only a log line.

    Its lines go no further: there are seven for each attempt, and we say once what failed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: deque[BaseException] = deque(maxlen=MAX_CAUSES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception of a line."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.seen.extend(item for item in arguments if isinstance(item, BaseException))


CAUSES: Final = _Causes()


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """The arguments that every kafka-python client needs."""
    # At debug kafka-python writes its configuration and every value that it sends; at info it is a chatterbox.
    library = logging.getLogger("kafka")
    library.setLevel(max(library.level, logging.WARNING))
    network = logging.getLogger("kafka.net")
    network.handlers, network.propagate = [CAUSES], False
    network.setLevel(logging.WARNING)  # whatever its parent was told: causes are warnings
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
    """A kafka-python client. One that cannot connect leaves its thread and sockets behind; here they are closed.

    Raises AccessRefused with the setting when credentials or certificates are the cause, else kafka-python's error.
    """
    begun: list[KafkaNetClient] = []
    CAUSES.seen.clear()

    def begin(*args: Any, **configs: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(*args, **configs))
        return begun[-1]

    try:
        return client(**connection(settings), kafka_client=begin, **options)
    except BaseException as error:
        for unused in begun:
            unused.close()
        is_theirs = isinstance(error, (KafkaError, OSError))
        refused = refusal(settings, (error, *CAUSES.seen)) if is_theirs else None
        if refused is not None:
            raise refused from None
        raise
