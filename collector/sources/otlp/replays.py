"""Replays: SDKs send a request again when its answer was slow or lost, and it must be stored once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

REPLAY_ENTRIES: Final = 65_536  # about 30 MiB
REPLAY_SECONDS: Final = 600.0  # SDKs resend for 10 s, Collectors for 300 s


@dataclass(slots=True, repr=False, eq=False)
class Delivery:
    """A batch on its way. `settled` is set in the receiver's loop when the batch is durable or has failed."""

    total: int
    response: ExportLogsServiceResponse
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """What is remembered of a durable batch."""

    total: int
    response: ExportLogsServiceResponse
    until: float  # time.monotonic()


class Window:
    """Which request bodies are on their way or were committed lately. Thread-safe.

    Bodies on their way are bounded by the intake's queue, committed ones by `entries` and `seconds`.
    """

    def __init__(self, *, entries: int = REPLAY_ENTRIES, seconds: float = REPLAY_SECONDS) -> None:
        self._entries = entries
        self._seconds = seconds
        self._lock = threading.Lock()
        self._flying: dict[bytes, Delivery] = {}
        self._committed: OrderedDict[bytes, Committed] = OrderedDict()

    def __len__(self) -> int:
        return len(self._flying) + len(self._committed)

    def find(self, digest: bytes) -> Delivery | Committed | None:
        """What is known of a body."""
        with self._lock:
            self._forget_old()
            return self._flying.get(digest) or self._committed.get(digest)

    def begin(self, digest: bytes, delivery: Delivery) -> Delivery | Committed:
        """Claim a body: `delivery`, or what someone else claimed first."""
        with self._lock:
            return self._committed.get(digest) or self._flying.setdefault(digest, delivery)

    def end(self, digest: bytes, *, committed: bool) -> None:
        """The batch is durable, or failed: then its body is forgotten, so that a resend is tried again."""
        with self._lock:
            delivery = self._flying.pop(digest)
            if committed:
                until = time.monotonic() + self._seconds
                self._committed[digest] = Committed(delivery.total, delivery.response, until)
            self._forget_old()

    def _forget_old(self) -> None:
        now = time.monotonic()
        while self._committed:
            oldest = next(iter(self._committed.values()))
            if len(self._committed) <= self._entries and oldest.until > now:
                return
            self._committed.popitem(last=False)
