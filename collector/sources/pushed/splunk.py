"""Splunk's way in: the HTTP Event Collector, as Docker's driver, Fluent Bit, Vector, Fluentd and Splunk's own libraries use it.

The answers and their codes are Splunk's ("Possible error codes" of its HTTP Event Collector). A request without Authorization is
refused though nobody's token is checked: every client sends it, and a web page cannot make a browser do so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collector.redaction import fixed
from collector.sources.otlp.door import Door
from collector.sources.otlp.http_requests import headers_of, peer_of, read_into, unpack_of
from collector.sources.otlp.receiver import Pushed, Receiver, Refusal, Refused
from collector.sources.otlp.senders import SenderRefused, credential
from collector.sources.pushed.splunk_decoder import (
    BLANK_EVENT,
    INVALID,
    MAX_VALUE,
    NO_DATA,
    NO_EVENT,
    decode_events,
    decode_raw,
)

BASE: Final = "/services/collector"
_SCHEME: Final = "Splunk"
_KIND: Final = fixed("splunk_hec")
_TOLD: Final = ("time", "host", "source", "sourcetype", "index")
_SUCCESS: Final = {"text": "Success", "code": 0}
_HEALTHY: Final = {"text": "HEC is healthy", "code": 17}
_FULL: Final = {"text": "HEC is unhealthy, queues are full", "code": 18}
_NO_ACK: Final = {"text": "ACK is disabled", "code": 14}
_OF_BODY: Final = {NO_DATA: 5, INVALID: 6, NO_EVENT: 12, BLANK_EVENT: 13}
_OF_SENDER: Final = {
    "no_credential": (401, 2, "Token is required"),
    "wrong_scheme": (401, 3, "Invalid authorization"),
    "malformed": (401, 3, "Invalid authorization"),
}
_INVALID_TOKEN: Final = (403, 4, "Invalid token")
_OF_REFUSAL: Final = {Refusal.UNAVAILABLE: (9, "Server is busy"), Refusal.TOO_LARGE: (27, "Request entity too large")}
_Serve = Callable[[Request], Awaitable[Response]]


def routes(receiver: Receiver, door: Door) -> list[Route]:
    """Every path of the collector, with and without its version."""
    events: _Serve = partial(_take, receiver, door, is_raw=False)
    raw: _Serve = partial(_take, receiver, door, is_raw=True)
    served: dict[str, tuple[_Serve, list[str]]] = {
        "": (events, ["POST"]),
        "/event": (events, ["POST"]),
        "/raw": (raw, ["POST"]),
        "/health": (partial(_health, receiver), ["GET"]),
        "/ack": (_ack, ["POST", "GET"]),
    }
    return [
        Route(f"{BASE}{path}{version}", serve, methods=[*methods, "OPTIONS"])
        for path, (serve, methods) in served.items()
        for version in ("", "/1.0")
    ]


async def _health(receiver: Receiver, _: Request) -> Response:
    try:
        receiver.admit()
    except Refused:
        return JSONResponse(_FULL, 503)
    return JSONResponse(_HEALTHY)


async def _ack(_: Request) -> Response:
    """A request is answered when its records are stored: there is nothing to ask for afterwards."""
    return JSONResponse(_NO_ACK, 400)


async def _take(receiver: Receiver, door: Door, request: Request, *, is_raw: bool) -> Response:
    if (
        request.method == "OPTIONS"
    ):  # by which Docker's driver asks, before it starts a container, whether somebody is there
        return Response(status_code=200)
    try:
        authorization = request.headers.getlist("authorization")
        if not door.asks_for_token:
            credential(authorization[:1], _SCHEME, takes_basic=True)
        door.check("splunk_hec", authorization, _SCHEME, takes_basic=True)
        await _taken(receiver, request, is_raw=is_raw)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except Exception as error:
        return _refuse(receiver, receiver.explain(error))
    return JSONResponse(_SUCCESS)


async def _taken(receiver: Receiver, request: Request, *, is_raw: bool) -> None:
    told = {name: request.query_params.get(name, "")[:MAX_VALUE] for name in _TOLD}
    unpack = unpack_of(request)
    how = Pushed(kind=_KIND, told=f"{is_raw} {told}", may_repeat=True)
    with receiver.admit() as ticket:
        await read_into(request, ticket, receiver)
        decode = partial(decode_raw if is_raw else decode_events, told)
        await receiver.receive(ticket, unpack, decode, peer_of(request), how)


def _refuse(receiver: Receiver, refused: Refused) -> Response:
    status, answer = _answer(refused)
    receiver.refused(str(status))
    return JSONResponse(answer, status, headers_of(refused))


def _answer(refused: Refused) -> tuple[int, dict[str, str | int]]:
    if isinstance(refused, SenderRefused):
        status, code, text = _OF_SENDER.get(refused.reason, _INVALID_TOKEN)
        return status, {"text": text, "code": code}
    if refused.refusal in _OF_REFUSAL:
        code, text = _OF_REFUSAL[refused.refusal]
        return refused.refusal.http, {"text": text, "code": code}
    answer: dict[str, str | int] = {"text": refused.why, "code": _OF_BODY.get(refused.why, _OF_BODY[INVALID])}
    number = refused.where.removeprefix("event[").partition("]")[0]
    return refused.refusal.http, answer | ({"invalid-event-number": int(number)} if number.isdigit() else {})
