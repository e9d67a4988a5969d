"""Loki's way in: POST /loki/api/v1/push, as Promtail, Alloy, Fluent Bit, Vector, Fluentd and Docker's driver use it.

The answers are Loki's: 204, or a sentence in plain text. Shippers drop a batch on 4xx and send it again on 503.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from collector.redaction import fixed
from collector.sources.otlp.door import Door
from collector.sources.otlp.encodings import ACCEPTED, CODINGS
from collector.sources.otlp.http_requests import (
    coding_of,
    headers_of,
    media_type,
    peer_of,
    read_into,
    unpack_of,
)
from collector.sources.otlp.receiver import Decode, Pushed, Receiver, Refusal, Refused, Unpack
from collector.sources.pushed.loki_decoder import decode_json, decode_protobuf
from collector.sources.pushed.snappy import unsnappy

PATH: Final = "/loki/api/v1/push"
_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_HOW: Final = Pushed(kind=fixed("loki"))


def routes(receiver: Receiver, door: Door) -> list[Route]:
    """The route, and the one by which shippers ask whether Loki is there."""
    return [
        Route(PATH, partial(_push, receiver, door), methods=["POST"]),
        Route("/ready", _ready, methods=["GET"]),
    ]


async def _ready(_: Request) -> Response:
    return PlainTextResponse("ready\n")


async def _push(receiver: Receiver, door: Door, request: Request) -> Response:
    try:
        door.check("loki", request.headers.getlist("authorization"), takes_basic=True)
        unpack, decode = _form(request)
        with receiver.admit() as ticket:
            await read_into(request, ticket, receiver)
            await receiver.receive(ticket, unpack, decode, peer_of(request), _HOW)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except Exception as error:
        return _refuse(receiver, receiver.explain(error))
    return Response(status_code=204)


def _form(request: Request) -> tuple[Unpack, Decode]:
    """How the body is read. A body in protobuf is always a snappy block, whether a header says so or not."""
    kind, coding = media_type(request), coding_of(request)
    if kind == _JSON:
        return unpack_of(request), decode_json
    if kind != _PROTOBUF:
        raise Refused(Refusal.UNSUPPORTED, f"Content-Type must be {_PROTOBUF} or {_JSON}")
    if coding == "snappy":
        return unsnappy, decode_protobuf
    if coding not in CODINGS:
        raise Refused(Refusal.UNSUPPORTED, f"Content-Encoding must be one of snappy, {ACCEPTED}")
    return partial(_inner, CODINGS[coding]), decode_protobuf


def _inner(outer: Unpack, body: bytes, limit: int) -> bytes:
    return unsnappy(outer(body, limit), limit)


def _refuse(receiver: Receiver, refused: Refused) -> Response:
    receiver.refused(str(refused.refusal.http))
    where = f"{refused.where}: " if refused.where else ""
    return PlainTextResponse(f"{where}{refused.why}\n", refused.refusal.http, headers_of(refused))
