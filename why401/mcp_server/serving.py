"""Serves the protocol: over standard input and output to the program that started it, or over HTTP to holders of a token."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from collector.errors import ConfigurationError
from collector.settings import Settings
from collector.settings.checks import is_loopback
from collector.sources.otlp.connections import Hall, Server
from collector.telemetry import Telemetry
from why401 import process
from why401.mcp_server.guard import Clients, Guard
from why401.mcp_server.protocol import CLIENT, server
from why401.mcp_server.tools import Tools
from why401.sql_server import client_tokens
from why401.sql_server.address import check_address, check_free
from why401.sql_server.audit import Audit

AUDIT: Final = "mcp-audit.jsonl"
PATH: Final = "/mcp"
MAX_BODY: Final = 512 << 10  # bytes; a record of 100,000 characters and its envelope
MAX_CONNECTIONS: Final = 256
_LOOPBACK: Final = ["127.0.0.1:*", "localhost:*", "[::1]:*"]


def serve_stdio(settings: Settings, config_file: str | None) -> None:
    """Until standard input ends. Whoever started it may read the lake anyway."""
    _settle()
    tools = Tools(settings, config_file)
    try:
        server(tools).run("stdio")
    finally:
        tools.close()


def serve_http(
    settings: Settings, config_file: str | None, address: str, *, insecure: bool, ready: Callable[[], None]
) -> None:
    """Until a signal. Raises ConfigurationError for an address that may not be used, and when nobody has a token."""
    _settle()
    check_address(address, insecure=insecure)
    check_free(address)
    folder = settings.data_path.absolute()
    tokens = client_tokens.ClientTokens(folder / client_tokens.FILE)
    if not tokens.read():
        raise ConfigurationError("--http", address, "nobody has a token yet; create one with `why401 sql --grant NAME`")
    audit, tools = Audit(folder / AUDIT), Tools(settings, config_file)

    def note(tool: str, arguments: dict[str, Any]) -> None:
        sql = {"sql": arguments["sql"]} if "sql" in arguments else {}
        audit.write("tool", client=CLIENT.get(), tool=tool, **sql)

    host, _, port = address.rpartition(":")
    application = server(tools, note).streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=MAX_BODY,
        transport_security=_names(host),
    )
    guard = Guard(application, Clients(tokens), audit)
    config = uvicorn.Config(
        guard,
        http=Hall(Telemetry(), MAX_CONNECTIONS).protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=5,
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host.strip("[]"), int(port)), family=family) as listening:
        ready()
        try:
            _Server(config).run(sockets=[listening])
        finally:
            tools.close()
            audit.close()


class _Server(Server):
    """The protocol's sessions live from the application's start to its stop, which receivers have no need of."""

    async def startup(self, sockets: Any = None) -> None:
        """Start the application, then accept."""
        await self.lifespan.startup()
        await super().startup(sockets)


def _names(host: str) -> TransportSecuritySettings:
    """A web page that leads its name to loopback is refused; beyond loopback a proxy has names that nobody told."""
    if not is_loopback(host):
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    origins = [f"http://{name}" for name in _LOOPBACK]
    return TransportSecuritySettings(allowed_hosts=_LOOPBACK, allowed_origins=origins)


def _settle() -> None:
    os.umask(0o077)
    process.no_core_dumps()
