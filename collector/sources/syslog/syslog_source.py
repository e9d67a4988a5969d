"""The syslog receiver: RFC 5424 and RFC 3164 over UDP, TCP (RFC 6587) and TLS (RFC 5425).

Syslog has no acknowledgement: what was read from a socket is stored once, unless the process ends in between; what the kernel drops of UDP
is counted where it says so. TCP senders wait while the queue is full.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from collector.errors import ConfigurationError
from collector.settings import SyslogSettings
from collector.sources import Intake
from collector.sources.otlp.receiver import join_address
from collector.sources.syslog.kernel_drops import watched
from collector.sources.syslog.networks import Senders
from collector.sources.syslog.post import Post
from collector.sources.syslog.syslog_messages import Reader
from collector.sources.syslog.tcp import CHUNK, Connections
from collector.telemetry import Telemetry

HANDSHAKE_SECONDS: Final = 10.0  # asyncio's own is a minute
ON_THE_WAY_SECONDS: Final = 0.2  # at stop: what the kernel holds already is read
_BACKLOG: Final = 1_024
_UDP_BUFFER: Final = 8 << 20  # asked for; the system gives net.core.rmem_max at most


class SyslogSource:
    """A Source on the addresses of the settings. `ready` is set when it serves; `addresses` then has the ports that were bound."""

    def __init__(
        self,
        settings: SyslogSettings,
        telemetry: Telemetry,
        *,
        base: Path = Path(),
        insecure: bool = False,
        is_shared: bool = False,
    ) -> None:
        """`is_shared`: other processes of this start serve the same addresses, and the kernel shares the senders out."""
        self._settings = settings
        self._telemetry = telemetry
        self._senders = Senders(settings, telemetry, base=base, insecure=insecure)
        self._to_bind = tuple(self._senders.addresses())
        self._is_shared = is_shared
        self.addresses: dict[str, str] = {}
        self.ready = threading.Event()

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Serve until `stop`. Raises ConfigurationError when an address cannot be bound."""
        with ExitStack() as stack:
            bound = {}
            for name, host, port in self._to_bind:
                bound[name] = stack.enter_context(self._bind(name, host, port))
                self.addresses[name] = join_address(host, bound[name].getsockname()[1])
            asyncio.run(self._serve(bound, intake, stop))

    async def _serve(self, bound: dict[str, socket.socket], intake: Intake, stop: threading.Event) -> None:
        post = Post(intake, self._telemetry)
        connections = Connections(self._settings, self._senders, self._telemetry, post)
        servers = [await self._server(name, bound[name], connections) for name in bound if name != "udp"]
        datagrams = await self._datagrams(bound["udp"], post) if "udp" in bound else None
        handing_over = asyncio.create_task(_work(post, bound.get("udp")))
        handing_over.add_done_callback(
            lambda _: stop.set()
        )  # of an error: nobody may send into a queue that nobody empties
        self.ready.set()
        await asyncio.to_thread(stop.wait)
        for server in servers:
            server.close()
        await asyncio.sleep(ON_THE_WAY_SECONDS)
        await connections.close()
        if datagrams is not None:
            datagrams.close()
        handing_over.cancel()
        with suppress(asyncio.CancelledError):
            await handing_over
        await post.leave()

    async def _server(self, name: str, listener: socket.socket, connections: Connections) -> asyncio.Server:
        certificates = self._senders.certificates if name == "tls" else None
        context = certificates.for_http() if certificates else None
        timeout = HANDSHAKE_SECONDS if context else None
        return await asyncio.start_server(
            connections.accept, sock=listener, ssl=context, ssl_handshake_timeout=timeout, limit=CHUNK
        )

    async def _datagrams(self, bound: socket.socket, post: Post) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._settings, self._senders, post), sock=bound
        )
        return transport

    def _bind(self, name: str, host: str, port: int) -> socket.socket:
        kind = socket.SOCK_DGRAM if name == "udp" else socket.SOCK_STREAM
        bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
        try:
            if self._is_shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if kind == socket.SOCK_DGRAM:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER)
            else:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            if kind == socket.SOCK_STREAM:
                bound.listen(_BACKLOG)
        except OSError as error:
            bound.close()
            expected = f"the address cannot be bound: {error.strerror}"
            raise ConfigurationError(f"syslog.{name}", getattr(self._settings, name), expected) from None
        bound.setblocking(False)
        return bound


async def _work(post: Post, udp: socket.socket | None) -> None:
    """What goes on beside the senders, until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(post.run())
        if udp is not None:
            group.create_task(watched(udp, post))


class _Datagrams(asyncio.DatagramProtocol):
    """A message per datagram. What cannot be taken is dropped and counted: its sender does not wait."""

    def __init__(self, settings: SyslogSettings, senders: Senders, post: Post) -> None:
        self._settings = settings
        self._limit = settings.max_message_kib << 10
        self._senders = senders
        self._post = post

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One message."""
        if not self._senders.takes(addr[0]):
            self._post.drop("sender")
        elif self._post.is_full:
            self._post.drop("queue_full")
        else:
            self._take(data, addr[0])

    def error_received(self, exc: Exception) -> None:
        """The kernel's word that some peer is gone; nothing was ever sent to it."""

    def _take(self, data: bytes, peer: str) -> None:
        message = Reader(peer, self._settings.gateway).read(data[: self._limit])
        if message is None:
            self._post.drop("not_syslog")
            return
        self._post.note_cut(len(data) > self._limit)
        self._post.take(message)
