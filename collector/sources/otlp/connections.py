"""HTTP connections with bounds that uvicorn leaves to a proxy: heads, their time, their number, requests sent ahead.

uvicorn 0.54 with httptools sets no limit to how long a request's head may take or how large it may grow, queues what is
pipelined without end (a connection that never reads its answers took 440 MB in seconds), and reads all of a refused body.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from collector.telemetry import Telemetry

HEAD_SECONDS: Final = 10.0  # for a whole head; and for the TLS handshake before it
MAX_HEAD: Final = 64 << 10  # bytes; a token may take 16 KiB of it
MAX_DISCARDED: Final = 1 << 20  # bytes of a refused body: so many are read so that the sender sees the answer
MAX_PIPELINED: Final = 16  # requests sent ahead of their answers; OTLP clients send none
MAX_CONNECTIONS: Final = 4096
_ANSWERED: Final = ("large_head", "discarded")  # closed after what was written is sent
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _TooMany(Exception):
    """A connection holds more unanswered requests than it may."""


class Hall:
    """The connections of one receiver. Beyond the limit the one that has idled longest gives way to a new one."""

    def __init__(self, telemetry: Telemetry, limit: int = 0) -> None:
        self._telemetry = telemetry
        self._limit = limit or min(MAX_CONNECTIONS, _descriptors() // 2)
        self._idle: dict[Connection, None] = {}  # in the order in which they fell idle
        self._all: set[Connection] = set()

    @property
    def protocol(self) -> Any:
        """What uvicorn makes a connection with."""
        return partial(Connection, self)

    def enter(self, connection: Connection) -> bool:
        """False when there is no room."""
        if len(self._all) >= self._limit:
            if not self._idle:
                self.closed("full")
                return False
            next(iter(self._idle)).give_up("evicted")
        self._all.add(connection)
        self.idle(connection)
        return True

    def idle(self, connection: Connection) -> None:
        """It waits for a request."""
        self._idle.pop(connection, None)
        if connection in self._all:
            self._idle[connection] = None

    def busy(self, connection: Connection) -> None:
        """It has one: it is not given up for a newcomer."""
        self._idle.pop(connection, None)

    def leave(self, connection: Connection) -> None:
        """It is closed."""
        self._all.discard(connection)
        self._idle.pop(connection, None)

    def closed(self, reason: str) -> None:
        """Count a connection that we closed."""
        self._telemetry.count("why401.connections.closed", protocol="http", reason=reason)


class Connection(HttpToolsProtocol):
    """uvicorn's, with a time limit and a size limit on each request's head."""

    def __init__(self, hall: Hall, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._hall = hall
        self._head = 0
        self._in_body = False
        self._discarded = 0
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A newcomer, before its first byte."""
        super().connection_made(transport)
        if self._hall.enter(self):
            self._start_clock()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by either side."""
        self._stop_clock()
        self._hall.leave(self)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn forgets it after a reset, and the timer holds all of this for 75 s
        _untie(self.transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head or a body."""
        if not self._in_body:
            self._head += len(data)
        super().data_received(data)
        if not self._in_body and self._head > MAX_HEAD:
            self.transport.write(_TOO_LARGE)
            self.give_up("large_head")

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._start_clock()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; those after a chunked body are passed over, for there may be endless many."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there. Raises to end the parser in the middle of what it was fed."""
        if len(self.pipeline) >= MAX_PIPELINED:
            self.give_up("pipelined")
            raise _TooMany
        self._stop_clock()
        self._hall.busy(self)
        self._in_body, self._head, self._discarded = True, 0, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body; the rest of a refused one is read on for a while, or the answer would be lost."""
        if self.cycle.response_complete:
            self._discarded += len(body)
            if self._discarded > MAX_DISCARDED:
                self.give_up("discarded")
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body, self._head = False, 0
        super().on_message_complete()
        if self.cycle.response_complete:
            self._stop_clock()
            self._hall.idle(self)

    def on_response_complete(self) -> None:
        """The answer is written."""
        super().on_response_complete()
        if self._in_body:
            self._start_clock()
        else:
            self._hall.idle(self)

    def give_up(self, reason: str) -> None:
        """Close without waiting for the other side."""
        self._hall.closed(reason)
        self._hall.leave(self)
        self._stop_clock()
        if reason in _ANSWERED:
            self.transport.close()
        else:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP: answered, closed and counted, not logged."""
        if not self.transport.is_closing():
            self._hall.closed("not_http")
            super().send_400_response(msg)

    def _start_clock(self) -> None:
        self._stop_clock()
        self._clock = self.loop.call_later(HEAD_SECONDS, self.give_up, "slow")

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


class Server(uvicorn.Server):
    """uvicorn's, with a time limit on the TLS handshake: asyncio's is a minute, and uvicorn has no setting for it."""

    async def startup(self, sockets: Any = None) -> None:
        """Accept on the sockets given."""
        protocol: Any = self.config.http_protocol_class
        make = partial(protocol, config=self.config, server_state=self.server_state, app_state={})
        loop = asyncio.get_running_loop()
        about: dict[str, Any] = {"backlog": self.config.backlog}
        if self.config.ssl is not None:
            about |= {"ssl": self.config.ssl, "ssl_handshake_timeout": HEAD_SECONDS}
        self.servers = [await loop.create_server(make, sock=socket, **about) for socket in sockets]
        self.started = True


def _untie(transport: Any) -> None:
    """Let a closed connection be freed by its reference count.

    asyncio's socket transport holds a bound method of its own (`_read_ready_cb`; nobody reads from it any more), so each
    closed connection would stay, with its socket, until the garbage collector's rarest round: under load, minutes.
    """
    if hasattr(transport, "_read_ready_cb"):
        transport._read_ready_cb = None  # noqa: SLF001


def _descriptors() -> int:
    try:
        import resource
    except ImportError:  # not on this platform
        return MAX_CONNECTIONS
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
