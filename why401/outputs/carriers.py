"""Brings a batch of lines somewhere: over HTTP, into a file, to a Kafka topic."""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from collector.settings import KafkaSettings

TIMEOUT_S: Final = 10.0
MAX_FILE_BYTES: Final = 1 << 30  # then the file becomes FILE.1, in place of an older one
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})


class Unavailable(Exception):
    """Nothing was taken, and the same may be tried again."""


class Refused(Exception):
    """It will never be taken."""


class Carrier(Protocol):
    """One destination; used by one thread."""

    def carry(self, body: Sequence[bytes]) -> None:
        """All of a batch, or Unavailable or Refused, whose text names no secret. Takes no longer than some seconds."""

    def close(self) -> None:
        """Release what is open. Idempotent."""


class Http:
    """POSTs to one address and follows no redirect: it is the operator's."""

    def __init__(self, url: str, authorization: str, content_type: str) -> None:
        self._url = urlsplit(url)
        self._path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        self._headers = {"Content-Type": content_type, "User-Agent": "why401"}
        if authorization:
            self._headers["Authorization"] = authorization

    def carry(self, body: Sequence[bytes]) -> None:
        """One request. Raises Unavailable, Refused."""
        connection = self._connection()
        try:
            connection.request("POST", self._path, b"".join(body), self._headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(type(error).__name__) from None
        finally:
            connection.close()
        if status in _PASSING:
            raise Unavailable(f"HTTP {status}")
        if not 200 <= status < 300:
            raise Refused(f"HTTP {status}")

    def close(self) -> None:
        """Each request has a connection of its own."""

    def _connection(self) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(
                host, self._url.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(host, self._url.port, timeout=TIMEOUT_S)


class File:
    """Appends to a file of mode 0600, which may be moved away at any time."""

    def __init__(self, path: Path, most: int = MAX_FILE_BYTES) -> None:
        self._path = path
        self._most = most

    def carry(self, body: Sequence[bytes]) -> None:
        """One write. Raises Unavailable."""
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(b"".join(body))
                file.flush()
                written = os.fstat(file.fileno())
            # Another worker may have moved it away meanwhile: what is there now is not to take its place.
            if written.st_size > self._most and self._path.stat().st_ino == written.st_ino:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError as error:
            raise Unavailable(error.strerror or type(error).__name__) from None

    def close(self) -> None:
        """Nothing stays open."""


class Kafka:
    """Produces to a topic of the brokers in `[kafka]`."""

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._producer: Any = None

    def carry(self, body: Sequence[bytes]) -> None:
        """A message per line, acknowledged by all in-sync replicas. Raises Unavailable."""
        from kafka.errors import KafkaError

        try:
            producer = self._connected()
            acks = [producer.send(self._topic, line.rstrip(b"\n")) for line in body]
            for ack in acks:
                ack.get(timeout=TIMEOUT_S)
        except (KafkaError, OSError) as error:
            self.close()
            raise Unavailable(type(error).__name__) from None

    def close(self) -> None:
        """End the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=1.0)

    def _connected(self) -> Any:
        from kafka import KafkaProducer

        from collector.sources.kafka.client_factory import connect

        if self._producer is None:
            self._producer = connect(
                KafkaProducer, self._settings, acks="all", compression_type="zstd", max_block_ms=2_000, linger_ms=5
            )
        return self._producer
