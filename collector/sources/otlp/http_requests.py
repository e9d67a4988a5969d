"""What every route of the HTTP receiver asks of a request: its media type, its coding, and its body within bounds."""

from __future__ import annotations

import asyncio
import math

from starlette.requests import Request

from collector.sources.otlp.encodings import ACCEPTED, CODINGS
from collector.sources.otlp.receiver import (
    READ_TIMEOUT_S,
    Receiver,
    Refusal,
    Refused,
    Ticket,
    Unpack,
    too_large,
    unavailable,
)
from collector.sources.otlp.senders import SenderRefused


def media_type(request: Request) -> str:
    """In lower case, without parameters; "" when there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def unpack_of(request: Request) -> Unpack:
    """How the body is decoded. Raises Refused for a coding that is not known."""
    coding = coding_of(request)
    if coding not in CODINGS:
        raise Refused(Refusal.UNSUPPORTED, f"Content-Encoding must be one of {ACCEPTED}")
    return CODINGS[coding]


def coding_of(request: Request) -> str:
    """The Content-Encoding in lower case; "" when there is none."""
    return ",".join(request.headers.getlist("content-encoding")).strip().lower()


def peer_of(request: Request) -> str:
    """The address of whoever connected."""
    return request.client.host if request.client else ""


async def read_into(request: Request, ticket: Ticket, receiver: Receiver) -> None:
    """Read the whole body. Raises Refused when it is too large or too slow."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > receiver.max_bytes:
        raise too_large(receiver.max_bytes)
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for piece in request.stream():
                ticket.take(piece)
    except TimeoutError:
        raise unavailable(f"the body did not arrive within {READ_TIMEOUT_S:g} s") from None


def headers_of(refused: Refused) -> dict[str, str]:
    """The fields that go with a refusal on every route."""
    if isinstance(refused, SenderRefused):
        return {"WWW-Authenticate": refused.challenge}
    if refused.refusal is Refusal.UNAVAILABLE:
        return {"Retry-After": str(math.ceil(refused.retry_after_s))}
    return {}
