"""OTLP/gRPC logs receiver: LogsService.Export, answered after the records are durable."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any, Final, NoReturn
from urllib.parse import unquote

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector.errors import ConfigurationError
from collector.settings import OtlpSettings
from collector.sources import Intake
from collector.sources.otlp.door import Door
from collector.sources.otlp.encodings import sniffed
from collector.sources.otlp.event_marks import taking
from collector.sources.otlp.posted_marks import Keep
from collector.sources.otlp.protobuf_decoder import decode
from collector.sources.otlp.receiver import (
    MAX_WAITING,
    READ_TIMEOUT_S,
    STOP_GRACE_S,
    Receiver,
    Refusal,
    Refused,
    join_address,
    status_of,
    unavailable,
)
from collector.telemetry import Telemetry

_SERVICE: Final = logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"].full_name
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_MAX_RESPONSE: Final = 4 << 20
HANDSHAKE_MS: Final = 10_000  # TLS and HTTP/2 settings; gRPC's default is two minutes
IDLE_MS: Final = 300_000  # a connection without calls; clients open another without a word
MAX_CONNECTIONS: Final = 4096
READERS: Final = 128  # requests whose bodies are on their way; each may hold max_body_mib inside gRPC


class OtlpGrpcSource:
    """A Source on `settings.grpc`. `ready` is set when it serves; `address` then has the port that was bound."""

    def __init__(
        self,
        settings: OtlpSettings,
        telemetry: Telemetry,
        door: Door | None = None,
        *,
        insecure: bool = False,
        is_shared: bool = False,
    ) -> None:
        """`is_shared`: other processes of this start serve the same address, and the kernel shares its connections out."""
        self._door = door or Door(settings, telemetry, insecure=insecure)
        self._host, self._port = self._door.address("otlp.grpc", settings.grpc)
        self._settings = settings
        self._telemetry = telemetry
        self._is_shared = is_shared
        self.address = settings.grpc
        self.ready = threading.Event()
        self.keep_mark: Keep | None = None  # set before `run` by whoever has a store

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Serve until `stop`. Raises ConfigurationError when the address cannot be bound."""
        asyncio.run(self._serve(intake, stop))

    async def _serve(self, intake: Intake, stop: threading.Event) -> None:
        with self._door, self._receiver(intake) as receiver:
            await self._serve_for(receiver, stop)

    def _receiver(self, intake: Intake) -> Receiver:
        take = taking(self.keep_mark) if self.keep_mark else None
        return Receiver("grpc", self._settings, self._telemetry, intake, take)

    async def _serve_for(self, receiver: Receiver, stop: threading.Event) -> None:
        server = grpc.aio.server(options=_options(receiver.max_bytes, is_shared=self._is_shared))
        server.add_generic_rpc_handlers((_handlers(receiver, self._door),))
        self.address = join_address(self._host, self._bind(server))
        await server.start()
        self.ready.set()
        await asyncio.to_thread(stop.wait)
        receiver.close()
        await server.stop(STOP_GRACE_S + 1)

    def _bind(self, server: Any) -> int:
        address = join_address(self._host, self._port)
        try:
            if self._door.certificates is None:
                return int(server.add_insecure_port(address))
            return int(server.add_secure_port(address, self._door.certificates.for_grpc()))
        except RuntimeError:
            raise ConfigurationError("otlp.grpc", self._settings.grpc, "the address cannot be bound") from None


def _options(max_bytes: int, *, is_shared: bool) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.max_send_message_length", _MAX_RESPONSE),
        # gRPC 1.80 inflates a whole message before it looks at its size; 1.85 does not, but refuses without a Status.
        ("grpc.per_message_decompression", 0),
        ("grpc.max_concurrent_streams", MAX_WAITING),
        # Two collectors that do not know of each other would share a port without a word.
        ("grpc.so_reuseport", int(is_shared)),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
        ("grpc.max_connection_idle_ms", IDLE_MS),
        ("grpc.max_allowed_incoming_connections", MAX_CONNECTIONS),
    ]


def _handlers(receiver: Receiver, door: Door) -> Any:
    # On the wire the same as a unary method; but gRPC would read a unary method's message before it asks us.
    export = grpc.stream_unary_rpc_method_handler(
        partial(_export, receiver, door, asyncio.Semaphore(READERS)),
        request_deserializer=None,
        response_serializer=ExportLogsServiceResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(_SERVICE, {"Export": export})


async def _export(
    receiver: Receiver, door: Door, readers: asyncio.Semaphore, _messages: object, context: Any
) -> ExportLogsServiceResponse:
    try:
        return await _answer(receiver, door, readers, context)
    except Exception as error:
        refused = receiver.explain(error)
    # gRPC keeps the exception that ends a call until the garbage collector comes by: it must not refer to the request.
    refused.__traceback__ = refused.__context__ = refused.__cause__ = None
    return await _abort(receiver, context, refused)


async def _answer(
    receiver: Receiver, door: Door, readers: asyncio.Semaphore, context: Any
) -> ExportLogsServiceResponse:
    door.check("grpc", [text for key, text in context.invocation_metadata() if key == "authorization"])
    with receiver.admit() as ticket:
        ticket.take(await _body(readers, context))
        return await receiver.receive(ticket, sniffed, decode, _peer(context.peer()))


async def _body(readers: asyncio.Semaphore, context: Any) -> bytes:
    try:
        async with asyncio.timeout(READ_TIMEOUT_S), readers:
            message = await context.read()
    except TimeoutError:
        raise unavailable(f"the message did not arrive within {READ_TIMEOUT_S:g} s") from None
    if not isinstance(message, bytes):  # the end of the stream
        raise Refused(Refusal.BAD_DATA, "there is no message in the request")
    return message


async def _abort(receiver: Receiver, context: Any, refused: Refused) -> NoReturn:
    receiver.refused(refused.refusal.word)
    # The key under which gRPC carries a google.rpc.Status; clients find RetryInfo there.
    details = (("grpc-status-details-bin", status_of(refused).SerializeToString()),)
    await context.abort(_CODES[refused.refusal.code], refused.why, trailing_metadata=details)
    raise AssertionError("abort raises")


def _peer(peer: str) -> str:
    """The address of "ipv4:127.0.0.1:5000" or "ipv6:%5B::1%5D:5000", without its port."""
    _, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]")
