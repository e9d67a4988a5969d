"""Connections of syslog senders, with bounds: how many, how long silent, and how much of a message each may keep waiting."""

from __future__ import annotations

import asyncio
from typing import Final

from collector.settings import SyslogSettings
from collector.sources.syslog.framing import Framer
from collector.sources.syslog.networks import Senders
from collector.sources.syslog.post import Post
from collector.sources.syslog.syslog_messages import Reader
from collector.telemetry import Telemetry

CHUNK: Final = 16 << 10
CLOSING_SECONDS: Final = 1.0
_FIRST: Final = b"<123456789"  # what the first message begins with


class Connections:
    """Serves each connection in a task of its own. Beyond `max_connections`, the one that has been silent longest gives way."""

    def __init__(self, settings: SyslogSettings, senders: Senders, telemetry: Telemetry, post: Post) -> None:
        self._settings = settings
        self._senders = senders
        self._telemetry = telemetry
        self._post = post
        self._open: dict[asyncio.StreamWriter, None] = {}  # the one that was read from last is last
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read until the peer has done, is silent for too long, or sends what is no syslog."""
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        is_checked = bool(self._settings.tls_client_ca) and writer.get_extra_info("ssl_object") is not None
        if not (is_checked or self._senders.takes(peer)):
            self._close(writer, "sender")
            return
        self._enter(writer)
        why = await self._read(reader, writer, peer)
        if writer in self._open:
            del self._open[writer]
            self._close(writer, why)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to serve a connection."""
        task = asyncio.create_task(self.serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Close all: nothing more is read. Returns when what was read is handed on, or after CLOSING_SECONDS."""
        opened, self._open = list(self._open), {}
        for writer in opened:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSING_SECONDS)

    def _enter(self, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._settings.max_connections:
            longest = next(iter(self._open))
            del self._open[longest]
            self._close(longest, "evicted")
        self._open[writer] = None

    def _close(self, writer: asyncio.StreamWriter, why: str) -> None:
        if why:
            self._telemetry.count("why401.connections.closed", protocol="syslog", reason=why)
        writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> str:
        """Why we close it; "" when the peer did."""
        connection = _Connection(self._settings, self._post, peer)
        try:
            return await self._read_on(connection, reader, writer)
        except TimeoutError:
            return "idle"
        except OSError:  # reset, or TLS that ends without a word
            return ""
        finally:
            connection.end(is_whole=reader.at_eof() and writer in self._open)

    async def _read_on(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        while True:
            async with asyncio.timeout(self._settings.idle_seconds):
                data = await reader.read(CHUNK)
            if not data:
                return ""
            if writer in self._open:
                del self._open[writer]
                self._open[writer] = None
            if why := await connection.take(data):
                return why


class _Connection:
    """One connection's bytes on their way to messages."""

    def __init__(self, settings: SyslogSettings, post: Post, peer: str) -> None:
        self._framer = Framer(settings.max_message_kib << 10)
        self._reader = Reader(peer, settings.gateway)
        self._post = post
        self._has_begun = False

    async def take(self, data: bytes) -> str:
        """Take the messages that end in the data; why the connection is of no use, or "". Waits while the queue is full."""
        if not self._has_begun and data[:1] not in _FIRST:
            self._post.drop("not_syslog")
            return "not_syslog"
        self._has_begun = True
        for frame in self._framer.feed(data):
            if not self._take(frame):
                return "not_syslog"
            await self._post.has_room()
        if self._framer.is_broken:
            self._post.drop("framing")
            return "framing"
        return ""

    def end(self, *, is_whole: bool) -> None:
        """The connection is over; `is_whole`: its peer ended it in order. Half a message is counted."""
        if is_whole:
            for frame in self._framer.rest():
                self._take(frame)
        if self._framer.is_incomplete and not self._framer.is_broken:
            self._post.drop("incomplete")
        self._post.note_cut(self._framer.cut)

    def _take(self, frame: bytes) -> bool:
        message = self._reader.read(frame)
        if message is None:
            self._post.drop("not_syslog")
            return False
        self._post.take(message)
        return True
