"""Who may ask over HTTP: whoever has a token of remote SQL. Every request is checked before its body is read."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

from collector.errors import Why401Error
from why401.mcp_server.protocol import CLIENT
from why401.sql_server.audit import Audit
from why401.sql_server.client_tokens import ClientTokens, Token

MAX_REQUESTS: Final = 16  # at once; each may hold a thread
REQUEST_S: Final = 120.0  # for a whole request: its body, and the longest tool
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Clients:
    """The tokens of remote SQL, read again when their file changes. With a file that cannot be trusted nobody is let in."""

    def __init__(self, tokens: ClientTokens) -> None:
        self._tokens = tokens
        self._stamp = (-1, -1)
        self._known: tuple[Token, ...] = ()

    def named(self, authorization: bytes) -> str:
        """The client that a header's token belongs to; "" for none. Takes as long whether or not a token is right."""
        self._read()
        scheme, _, presented = authorization.partition(b" ")
        digest = hashlib.sha256(presented.strip()).hexdigest()
        now, found = datetime.now(UTC), ""
        for token in self._known:
            is_right = hmac.compare_digest(token.sha256, digest)
            found = token.client if is_right and token.is_valid(now) else found
        return found if scheme.lower() == b"bearer" else ""

    def _read(self) -> None:
        stamp = self._tokens.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._known = self._tokens.read()
        except (OSError, Why401Error):
            self._known = ()


class Guard:
    """An ASGI application in front of another one."""

    def __init__(self, inner: Application, clients: Clients, audit: Audit) -> None:
        self._inner = inner
        self._clients = clients
        self._audit = audit
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the start and stop of the inner application."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        client = self._clients.named(dict(scope["headers"]).get(b"authorization", b""))
        if not client:
            self._audit.write("login", ok=False, client="")
            await _refuse(
                send,
                401,
                b"a bearer token is required: why401 sql --grant NAME",
                (b"www-authenticate", b'Bearer realm="why401"'),
            )
        elif self._running >= MAX_REQUESTS:
            await _refuse(send, 503, b"too many requests at once", (b"retry-after", b"1"))
        else:
            await self._served(client, scope, receive, send)

    async def _served(self, client: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._running += 1
        mark = CLIENT.set(client)
        try:
            async with asyncio.timeout(REQUEST_S):
                await self._inner(scope, receive, send)
        except TimeoutError:
            self._audit.write("stopped", client=client, why="time")
        finally:
            CLIENT.reset(mark)
            self._running -= 1


async def _refuse(send: Send, status: int, says: bytes, header: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(says)).encode()), header]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": says})
