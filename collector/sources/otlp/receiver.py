"""What both OTLP receivers share: admission, replays, acknowledgement after durability, and refusals.

A request is answered with success only after `Batch.done` resolved, so that a sender may forget what it sent. Rules:
opentelemetry-proto docs/specification.md 1.11. A refusal is either permanent (400 to 415) or 503 with
Retry-After; 500 is never sent, because every SDK drops the batch on it.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from types import TracebackType
from typing import Final, Self

from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector.errors import Backpressure, Why401Error
from collector.events import Origin
from collector.records import Batch, RawRecord
from collector.redaction import fixed, request_facts
from collector.safe import Safe
from collector.settings import OtlpSettings
from collector.sources import Intake
from collector.sources.otlp.replays import Committed, Delivery, Window
from collector.telemetry import Telemetry

_OTLP: Final = fixed("otlp")
MAX_RECORDS: Final = 100_000  # a hundred times an SDK's batch; an empty record costs its sender two bytes
MAX_RECORD_BYTES: Final = 1 << 20  # gateways cap a line at 64 KiB; bounds what one record's attributes inflate to
MAX_VALUES: Final = 500_000  # of bodies and attributes in one request: two bytes on the wire can be seventy in memory
MAX_DEPTH: Final = 64  # of AnyValue; gateways nest two or three deep
MAX_WAITING: Final = 1024  # requests between arrival and answer
HELD_BODIES: Final = 4  # times max_body_mib: undecoded bytes held for all requests together
VALUE_BYTES: Final = 150  # a key, a string and their place in a dict take this much beside their text
RETRY_AFTER_S: Final = 1.0
READ_TIMEOUT_S: Final = 30.0  # for a whole body; SDKs give up after 10
STOP_GRACE_S: Final = 2.0  # how long waiting requests may still be acknowledged after `stop`
DECODERS: Final = 2  # decoding holds the GIL: more threads hold more memory and are no faster


class Refusal(Enum):
    """Why a request is refused: HTTP status, google.rpc.Code and its name."""

    BAD_DATA = (400, 3, "INVALID_ARGUMENT")
    UNAUTHENTICATED = (401, 16, "UNAUTHENTICATED")
    FORBIDDEN = (403, 7, "PERMISSION_DENIED")
    UNKNOWN_PATH = (404, 12, "UNIMPLEMENTED")
    WRONG_METHOD = (405, 12, "UNIMPLEMENTED")
    TOO_LARGE = (413, 8, "RESOURCE_EXHAUSTED")
    UNSUPPORTED = (415, 3, "INVALID_ARGUMENT")
    UNAVAILABLE = (503, 14, "UNAVAILABLE")

    def __init__(self, http: int, code: int, word: str) -> None:
        self.http = http
        self.code = code
        self.word = word


class Refused(Why401Error):
    """A request, or one record of it, is not taken. Neither `why` nor `where` holds any part of a record."""

    def __init__(self, refusal: Refusal, why: str, *, where: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(f"{refusal.word}: {where + ': ' if where else ''}{why}")
        self.refusal = refusal
        self.why = why
        self.where = where  # path of the field in OTLP/JSON's names
        self.retry_after_s = retry_after_s


def unavailable(why: str, retry_after_s: float = RETRY_AFTER_S) -> Refused:
    """The retryable refusal."""
    return Refused(Refusal.UNAVAILABLE, why, retry_after_s=max(retry_after_s, RETRY_AFTER_S))


def too_large(limit: int) -> Refused:
    """The refusal of a request beyond `max_body_mib`."""
    return Refused(Refusal.TOO_LARGE, f"the request is larger than {limit} bytes after decompression")


def status_of(refused: Refused) -> Status:
    """The google.rpc.Status that every error answer carries."""
    status = Status(code=refused.refusal.code, message=refused.why)
    if refused.refusal is Refusal.BAD_DATA:
        violation = BadRequest.FieldViolation(field=refused.where, description=refused.why)
        status.details.add().Pack(BadRequest(field_violations=[violation]))
    if refused.retry_after_s:
        status.details.add().Pack(RetryInfo(retry_delay=_duration(refused.retry_after_s)))
    return status


def _duration(seconds: float) -> Duration:
    return Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1_000_000_000))


@dataclass(slots=True, repr=False)
class Harvest:
    """What a decoder takes out of one request. A record that cannot be decoded is rejected alone.

    Whoever can write one bad field into a log must not be able to hide the requests beside it.
    """

    origin: Origin
    gateway: str
    observed_ns: int
    records: list[RawRecord] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)  # reason -> records
    values: int = 0  # of bodies and attributes
    first: Refused | None = None  # evidence of the first rejection

    @property
    def total(self) -> int:
        """Records in the request, rejected ones included."""
        return len(self.records) + sum(self.rejected.values())

    def make_room(self) -> None:
        """Raises Refused when the request already has all the records, or all the values, that it may have."""
        for count, limit, what in ((self.total + 1, MAX_RECORDS, "records"), (self.values, MAX_VALUES, "values")):
            if count > limit:
                raise Refused(Refusal.TOO_LARGE, f"more than {limit} {what} in one request; send smaller batches")

    def reject(self, refused: Refused, where: str) -> None:
        """Leave one record out."""
        reason = "too_large" if refused.refusal is Refusal.TOO_LARGE else "undecodable"
        self.rejected[reason] = self.rejected.get(reason, 0) + 1
        if self.first is None:
            path = f"{where}.{refused.where}" if refused.where else where
            self.first = Refused(refused.refusal, refused.why, where=path)

    def checked(self) -> Self:
        """Raises the first rejection when nothing in the request could be decoded."""
        if self.first is not None and not self.records:
            # Another one: raised itself, it would hold this harvest by its traceback.
            raise Refused(self.first.refusal, self.first.why, where=self.first.where)
        return self

    def response(self) -> ExportLogsServiceResponse:
        """Success, or partial success when records were rejected."""
        response = ExportLogsServiceResponse()
        if self.first is not None:
            response.partial_success.rejected_log_records = sum(self.rejected.values())
            response.partial_success.error_message = f"{self.first.where}: {self.first.why}"
        return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a request is beside its body: the protocol, and what else tells it from another one with the same body."""

    kind: Safe = _OTLP
    told: str = ""  # such as values in its address
    may_repeat: bool = False  # records without a time may be said again, and are then no replay

    @property
    def digest(self) -> bytes:
        """Of `told`, within the size of a key."""
        return hashlib.blake2b(self.told.encode(), digest_size=16).digest() if self.told else b""


Unpack = Callable[[bytes, int], bytes]  # (body, size limit); raises Refused before it inflates past the limit
Decode = Callable[[bytes, Harvest], None]  # raises Refused when the request as a whole cannot be decoded
Take = Callable[[Harvest], None]
"""Keeps what is no record of a request, before the others are offered. Raises Refused, or Why401Error when it cannot be kept."""


class Ticket:
    """One admitted request and the part of the receiver's room that its body takes until it is decoded."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._pieces: list[bytes] = []
        self._held = 0

    def __enter__(self) -> Self:
        self._receiver.waiting += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()
        self._receiver.waiting -= 1

    def take(self, piece: bytes) -> None:
        """Keep the next piece of the body. Raises Refused when it, or all bodies together, become too large."""
        if self._held + len(piece) > self._receiver.max_bytes:
            raise too_large(self._receiver.max_bytes)
        if self._receiver.held + len(piece) > self._receiver.max_held:
            raise unavailable("too many bytes of undecoded requests")
        self._receiver.held += len(piece)
        self._held += len(piece)
        self._pieces.append(piece)

    def body(self) -> bytes:
        """The whole body; the ticket keeps it no longer."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)

    def release(self) -> None:
        """The body is decoded; its records are the intake's to bound."""
        self._receiver.held -= self._held
        self._held = 0


class Receiver:
    """From a request's bytes to its answer. Belongs to one event loop; decodes in threads; counts records."""

    def __init__(
        self, protocol: str, settings: OtlpSettings, telemetry: Telemetry, intake: Intake, take: Take | None = None
    ) -> None:
        self.max_bytes = settings.max_body_mib << 20
        self.max_held = HELD_BODIES * self.max_bytes
        self.waiting = 0
        self.held = 0
        self._protocol = protocol
        self._source = f"otlp_{protocol}"
        self._gateway = settings.gateway
        self._ack_s = settings.ack_timeout_seconds
        self._telemetry = telemetry
        self._intake = intake
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._decoders = ThreadPoolExecutor(DECODERS, thread_name_prefix=self._source)
        self._window = Window()
        self._limits: set[asyncio.Timeout] = set()
        self._closing = False
        telemetry.gauge("why401.cache.size", lambda: len(self._window), cache=f"{self._source}_replays")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._decoders.shutdown()

    def admit(self) -> Ticket:
        """Raises Refused when too many requests wait already, or none may begin any more."""
        if self._closing:
            raise unavailable("shutting down")
        if self.waiting >= MAX_WAITING:
            raise unavailable("too many requests are waiting")
        return Ticket(self)

    async def receive(
        self, ticket: Ticket, unpack: Unpack, decode: Decode, peer: str, how: Pushed = Pushed()
    ) -> ExportLogsServiceResponse:
        """The answer to the ticket's body, after its records are durable. Whatever it raises is for `explain`."""
        async with self._time_limit():
            accept = partial(self._accept, ticket, unpack, decode, peer, how)
            delivery, replayed = await self._loop.run_in_executor(self._decoders, accept)
            ticket.release()
            if isinstance(delivery, Delivery):
                await _settled(delivery)
        if replayed:
            self._count(delivery.total, {"replayed": delivery.total})
        return delivery.response

    def explain(self, error: Exception) -> Refused:
        """The refusal to answer with. A failure of ours is retryable: SDKs drop the batch on any other answer."""
        if isinstance(error, Refused):
            return error
        if isinstance(error, TimeoutError):
            return unavailable("not durable yet")
        if not isinstance(error, Backpressure):
            self._telemetry.count("why401.errors", stage=self._source, kind=type(error).__name__)
        return _retryable(error)

    def refused(self, status: str) -> None:
        """Count one request that was answered with an error."""
        self._telemetry.count("why401.requests.refused", protocol=self._protocol, status=status)

    def close(self) -> None:
        """Admit no more; requests that wait are answered within STOP_GRACE_S."""
        self._closing = True
        latest = self._loop.time() + STOP_GRACE_S
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(min(limit.when() or latest, latest))

    @asynccontextmanager
    async def _time_limit(self) -> AsyncIterator[None]:
        async with asyncio.timeout(min(self._ack_s, STOP_GRACE_S) if self._closing else self._ack_s) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)

    def _accept(
        self, ticket: Ticket, unpack: Unpack, decode: Decode, peer: str, how: Pushed
    ) -> tuple[Delivery | Committed, bool]:
        body = unpack(ticket.body(), self.max_bytes)
        digest = hashlib.blake2b(body, digest_size=16, key=how.digest).digest()
        known = self._window.find(digest)
        if known is not None:
            return known, True
        harvest = Harvest(Origin(kind=how.kind, source=request_facts.peer(peer)), self._gateway, time.time_ns())
        decode(body, harvest)
        if self._take:
            self._take(harvest)
        if how.may_repeat and not all(record.time_ns for record in harvest.records):
            digest = secrets.token_bytes(16)  # the same line may be said twice
        return self._offer(digest, harvest.checked(), len(body))

    def _offer(self, digest: bytes, harvest: Harvest, size: int) -> tuple[Delivery | Committed, bool]:
        delivery = Delivery(harvest.total, harvest.response())
        if not harvest.records:
            delivery.settled.set()
            return delivery, False
        claimed = self._window.begin(digest, delivery)
        if claimed is not delivery:
            return claimed, True
        batch: Batch[RawRecord] = Batch(
            harvest.records, source=self._source, weight=size + VALUE_BYTES * harvest.values
        )
        batch.done.add_done_callback(partial(self._settle, digest, delivery))
        try:
            # Waiting here would only move the queue into this thread pool; the sender waits better.
            self._intake.offer(batch, timeout_s=0)
        except Exception as error:
            # Not the exception itself: its traceback holds the request, and would be held by what it refers to.
            batch.done.set_exception(_retryable(error))
            raise
        self._count(harvest.total, harvest.rejected)
        return delivery, False

    def _settle(self, digest: bytes, delivery: Delivery, done: Future[None]) -> None:
        delivery.error = asyncio.CancelledError() if done.cancelled() else done.exception()
        self._window.end(digest, committed=delivery.error is None)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(delivery.settled.set)

    def _count(self, received: int, dropped: dict[str, int]) -> None:
        """The one place: records count when the intake took them, or when they were answered as replayed."""
        self._telemetry.count("why401.records.received", received, source=self._source)
        for reason, amount in dropped.items():
            self._telemetry.count("why401.records.dropped", amount, reason=reason)


async def _settled(delivery: Delivery) -> None:
    await delivery.settled.wait()
    if delivery.error is not None:
        raise _retryable(delivery.error)


def _retryable(error: BaseException) -> Refused:
    """A new exception each time: many requests may wait for one delivery."""
    if isinstance(error, (Backpressure, Refused)):
        return unavailable(error.why, error.retry_after_s)
    return unavailable(f"not stored: {type(error).__name__}")


def join_address(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
