"""What `why401 sql` does about remote SQL, without options or printing: grant, revoke, serve."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collector.settings import Settings
from why401 import process
from why401.sql_server import audit, client_tokens
from why401.sql_server.address import check_address, check_free
from why401.sql_server.server import Order
from why401.sql_server.supervisor import Plan, Supervisor, on_signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What to serve: where, to whom at first, and for how long a query may run."""

    address: str  # host:port
    insecure: bool  # other machines may reach it in plain HTTP
    token_file: str | None  # a token of the operator's own
    client: str  # the owner of that token, or of the first one
    days: float  # how long a new token is valid
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What the caller prints."""

    token: Callable[[str], None]  # the first token, which is never shown again
    ready: Callable[[bool], None]  # whether other machines can reach the server


class RemoteSql:
    """The tokens and the audit log of one data directory, and the server over it."""

    def __init__(self, settings: Settings) -> None:
        os.umask(0o077)
        folder = settings.data_path.absolute()
        self._settings = settings
        self._tokens = client_tokens.ClientTokens(folder / client_tokens.FILE)
        self._log = audit.Audit(folder / audit.FILE)

    def grant(self, client: str, days: float) -> str:
        """A new token for a client; the only time that it can be seen. Raises ConfigurationError."""
        secret = self._tokens.grant(client, days)
        self._log.write("grant", client=client, days=days)
        return secret

    def revoke(self, client: str) -> None:
        """End a client's token and its sessions."""
        self._log.write("revoke", client=client, found=self._tokens.revoke(client))

    def serve(self, service: Service, config_file: str | None, events: Events) -> None:
        """Serve until a signal. Raises ConfigurationError, RemoteSqlFailed."""
        process.no_core_dumps()
        beyond = check_address(service.address, insecure=service.insecure)
        check_free(service.address)
        self._first_token(service, events)
        order = Order(
            config_file=str(Path(config_file).absolute()) if config_file else None,
            data_dir=str(self._settings.data_path.absolute()),
            address=service.address,
            memory_mib=self._settings.dashboard.memory_mib,
            other_hosts=beyond,
        )
        plan = Plan(order=order, timeout_s=service.timeout_s, ready=lambda: events.ready(beyond))
        supervisor = Supervisor(plan, self._tokens, self._log)
        on_signals(supervisor)
        self._log.write("started", address=service.address)
        supervisor.run()

    def _first_token(self, service: Service, events: Events) -> None:
        if service.token_file:
            self._tokens.adopt(service.client, Path(service.token_file), service.days)
            self._log.write("grant", client=service.client, days=service.days)
        elif not self._tokens.read():
            events.token(self.grant(service.client, service.days))
