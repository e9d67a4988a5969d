"""OTLP/HTTP logs receiver: POST /v1/logs in protobuf and JSON, answered after the records are durable.

Where a store is at hand, pipelines post marks to the same door: POST /v1/marks.
"""

from __future__ import annotations

import asyncio
import math
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson
import uvicorn
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from collector.errors import ConfigurationError
from collector.settings import OtlpSettings
from collector.sources import Intake
from collector.sources.otlp import json_decoder, posted_marks, protobuf_decoder
from collector.sources.otlp.connections import Hall, Server
from collector.sources.otlp.door import Door
from collector.sources.otlp.encodings import ACCEPTED
from collector.sources.otlp.event_marks import taking
from collector.sources.otlp.http_requests import headers_of, media_type, peer_of, read_into, unpack_of
from collector.sources.otlp.posted_marks import Keep
from collector.sources.otlp.receiver import (
    READ_TIMEOUT_S,
    STOP_GRACE_S,
    Decode,
    Receiver,
    Refusal,
    Refused,
    join_address,
    status_of,
    too_large,
    unavailable,
)
from collector.sources.pushed import loki, splunk
from collector.telemetry import Telemetry

_KEEP_ALIVE_S: Final = 75  # longer than the idle time of clients' pools, or they meet closed connections
_BACKLOG: Final = 2048


@dataclass(frozen=True, slots=True)
class _Format:
    """How a content type is decoded and answered."""

    media_type: str
    decode: Decode

    def encode(self, message: Message) -> bytes:
        if self.media_type == "application/json":
            return orjson.dumps(MessageToDict(message))
        return bytes(message.SerializeToString())


_PROTOBUF: Final = _Format("application/x-protobuf", protobuf_decoder.decode)
_JSON: Final = _Format("application/json", json_decoder.decode)
_FORMATS: Final[Mapping[str, _Format]] = {form.media_type: form for form in (_PROTOBUF, _JSON)}


class OtlpHttpSource:
    """A Source on `settings.http`. `ready` is set when it serves; `address` then has the port that was bound."""

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
        self._host, self._port = self._door.address("otlp.http", settings.http)
        self._settings = settings
        self._telemetry = telemetry
        self._is_shared = is_shared
        self.address = settings.http
        self.ready = threading.Event()
        self.keep_mark: Keep | None = None  # set before `run` by whoever has a store

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Serve until `stop`. Raises ConfigurationError when the address cannot be bound."""
        with self._bind() as listener:
            self.address = join_address(self._host, listener.getsockname()[1])
            asyncio.run(self._serve(listener, intake, stop))

    async def _serve(self, listener: socket.socket, intake: Intake, stop: threading.Event) -> None:
        with self._door, self._receiver(intake) as receiver:
            await self._serve_for(receiver, listener, stop)

    def _receiver(self, intake: Intake) -> Receiver:
        take = taking(self.keep_mark) if self.keep_mark else None
        return Receiver("http", self._settings, self._telemetry, intake, take)

    async def _serve_for(self, receiver: Receiver, listener: socket.socket, stop: threading.Event) -> None:
        application = _application(receiver, self._door, self.keep_mark)
        server = Server(_config(application, Hall(self._telemetry), self._door))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        self.ready.set()  # the socket listens already: the kernel keeps what comes before uvicorn accepts
        await asyncio.to_thread(stop.wait)
        receiver.close()
        server.should_exit = True
        await serving

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            return socket.create_server(
                (self._host, self._port), family=family, backlog=_BACKLOG, reuse_port=self._is_shared
            )
        except OSError as error:
            expected = f"the address cannot be bound: {error.strerror}"
            raise ConfigurationError("otlp.http", self._settings.http, expected) from None


def _config(application: Starlette, hall: Hall, door: Door) -> uvicorn.Config:
    certificates = door.certificates
    return uvicorn.Config(
        application,
        http=hall.protocol,
        ssl_context_factory=(lambda *_: certificates.for_http()) if certificates else None,
        log_config=None,
        log_level="error",  # a line per broken request would be a flood at the sender's will
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,  # the peer is who connected; anybody can write X-Forwarded-For
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(STOP_GRACE_S) + 1,
    )


def _application(receiver: Receiver, door: Door, keep: Keep | None) -> Starlette:
    one_mark = asyncio.Semaphore(1)

    async def logs(request: Request) -> Response:
        try:
            door.check("http", request.headers.getlist("authorization"))
            return await _logs(receiver, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:
            return _refuse(receiver, request, receiver.explain(error))

    async def marks(request: Request) -> Response:
        try:
            door.check("http", request.headers.getlist("authorization"))
            return await _kept(request, keep, one_mark)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return _refuse(receiver, request, receiver.explain(error))

    async def not_routed(request: Request, error: Exception) -> Response:
        wrong_method = isinstance(error, HTTPException) and error.status_code == 405
        refusal = Refusal.WRONG_METHOD if wrong_method else Refusal.UNKNOWN_PATH
        return _refuse(receiver, request, Refused(refusal, "this receiver takes POST /v1/logs"))

    routes = [Route("/v1/logs", logs, methods=["POST"]), *loki.routes(receiver, door), *splunk.routes(receiver, door)]
    if keep is not None:
        routes.append(Route("/v1/marks", marks, methods=["POST"]))
    application = Starlette(routes=routes, exception_handlers={HTTPException: not_routed})
    application.router.redirect_slashes = False
    return application


async def _logs(receiver: Receiver, request: Request) -> Response:
    form = _FORMATS.get(media_type(request))
    if form is None:
        raise Refused(Refusal.UNSUPPORTED, f"Content-Type must be one of {', '.join(_FORMATS)}")
    unpack = unpack_of(request)
    with receiver.admit() as ticket:
        await read_into(request, ticket, receiver)
        answer = await receiver.receive(ticket, unpack, form.decode, peer_of(request))
    return Response(form.encode(answer), media_type=form.media_type)


async def _kept(request: Request, keep: Keep | None, one_mark: asyncio.Semaphore) -> Response:
    """204 once the mark is stored. One at a time: each is a transaction beside the writer."""
    if media_type(request) != _JSON.media_type:
        raise Refused(Refusal.UNSUPPORTED, f"Content-Type must be {_JSON.media_type}")
    if keep is None or one_mark.locked():
        raise unavailable("another mark is being stored")
    async with one_mark:
        mark = posted_marks.read(await _small(request), datetime.now(UTC))
        await asyncio.to_thread(keep, mark)
    return Response(status_code=204)


async def _small(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for piece in request.stream():
                body += piece
                if len(body) > posted_marks.MAX_BYTES:
                    raise too_large(posted_marks.MAX_BYTES)
    except TimeoutError:
        raise unavailable(f"the body did not arrive within {READ_TIMEOUT_S:g} s") from None
    return bytes(body)


def _refuse(receiver: Receiver, request: Request, refused: Refused) -> Response:
    receiver.refused(str(refused.refusal.http))
    form = _FORMATS.get(media_type(request), _PROTOBUF)
    headers = _headers(refused)
    return Response(form.encode(status_of(refused)), refused.refusal.http, headers, form.media_type)


def _headers(refused: Refused) -> dict[str, str]:
    if refused.refusal is Refusal.WRONG_METHOD:
        return {"Allow": "POST"}
    if refused.refusal is Refusal.UNSUPPORTED:
        return {"Accept-Encoding": ACCEPTED, "Accept-Post": ", ".join(_FORMATS)}
    return headers_of(refused)
