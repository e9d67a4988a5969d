"""The options of `why401 sql` that are about asking from afar: serve, grant, revoke."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from collector.errors import ConfigurationError
from collector.settings import Settings
from why401 import process

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_CLIENT: Final = "default"
_READY: Final = """ready on {address}; Ctrl-C stops. In DuckDB 1.5:
  INSTALL quack; LOAD quack;
  CREATE SECRET (TYPE quack, TOKEN '…');
  ATTACH 'quack:{address}' AS why401;
  FROM why401.query('SELECT code, failures, title FROM groups ORDER BY failures DESC');"""
_OPTIONS: Final = (
    click.option("--serve", is_flag=True, help="Answer DuckDB clients over the quack protocol, read-only."),
    click.option("--address", default="127.0.0.1:9494", show_default=True, help="With --serve: host:port."),
    click.option(
        "--insecure", is_flag=True, help="With --serve: plain HTTP beyond loopback; put a TLS proxy in front."
    ),
    click.option("--token-file", type=click.Path(), help="With --serve: a token of your own, in a file of mode 0600."),
    click.option("--client", default=DEFAULT_CLIENT, show_default=True, help="Whose the token of --token-file is."),
    click.option("--grant", metavar="CLIENT", help="Make a token for a client, print it once, and stop."),
    click.option("--revoke", metavar="CLIENT", help="End a client's token and sessions, and stop."),
    click.option(
        "--days", type=click.FloatRange(0, 3650, min_open=True), default=90, show_default=True, help="Life of a token."
    ),
)


@dataclass(frozen=True, slots=True)
class Remote:
    """The options, as click gives them."""

    serve: bool
    address: str
    insecure: bool
    token_file: str | None
    client: str
    grant: str | None
    revoke: str | None
    days: float


def remote_options(command: F) -> F:
    """The options on a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def is_remote(given: Mapping[str, Any]) -> bool:
    """Whether this call is about remote SQL at all."""
    return bool(given["serve"] or given["grant"] or given["revoke"])


def run_remote(settings: Settings, asked: Remote, timeout_s: float, config_file: str | None) -> None:
    """Grant, revoke, or serve until Ctrl-C. Raises ConfigurationError, RemoteSqlFailed."""
    from why401.sql_server import audit, tokens

    os.umask(0o077)
    file = tokens.TokenFile(settings.data_path.absolute() / tokens.FILE)
    log = audit.Audit(settings.data_path.absolute() / audit.FILE)
    if asked.grant:
        click.echo(file.grant(asked.grant, asked.days))
        log.write("grant", client=asked.grant, days=asked.days)
    elif asked.revoke:
        log.write("revoke", client=asked.revoke, found=file.revoke(asked.revoke))
    else:
        _serve(settings, asked, timeout_s, config_file, file, log)


def _serve(settings: Settings, asked: Remote, timeout_s: float, config_file: str | None, file: Any, log: Any) -> None:
    from why401.sql_server.server import Order
    from why401.sql_server.supervisor import Plan, Supervisor, on_signals

    process.no_core_dumps()
    beyond = check_address(asked.address, insecure=asked.insecure)
    check_free(asked.address)
    _first_token(asked, file, log)
    order = Order(
        config_file=str(Path(config_file).absolute()) if config_file else None,
        data_dir=str(settings.data_path.absolute()),
        address=asked.address,
        memory_mib=settings.dashboard.memory_mib,
        other_hosts=beyond,
    )
    supervisor = Supervisor(Plan(order, timeout_s, lambda: _say_ready(asked, beyond=beyond)), file, log)
    on_signals(supervisor)
    log.write("started", address=asked.address)
    supervisor.run()


def check_address(address: str, *, insecure: bool) -> bool:
    """Whether others than this machine can reach it. Raises ConfigurationError when they can and `insecure` is not said."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ConfigurationError("--address", address, 'expected "host:port"')
    if is_loopback(host.strip("[]")):
        return False
    if not insecure:
        raise ConfigurationError(
            "--address",
            address,
            "quack speaks plain HTTP, so tokens and answers would be readable on the way; listen on 127.0.0.1 with a "
            "TLS proxy in front, or say --insecure where the network itself is encrypted",
        )
    return True


def check_free(address: str) -> None:
    """Raises ConfigurationError when somebody listens there: quack would share the port and each get half of the requests."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that lingers is nobody
        try:
            probe.bind((host.strip("[]"), int(port)))
            probe.listen()
        except OSError as error:
            raise ConfigurationError("--address", address, f"cannot be listened on: {error.strerror}") from None


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own. A name is not resolved: it may mean another tomorrow."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _first_token(asked: Remote, file: Any, log: Any) -> None:
    if asked.token_file:
        file.adopt(asked.client, Path(asked.token_file), asked.days)
        log.write("grant", client=asked.client, days=asked.days)
    elif not file.read():
        click.echo(f"token of client {asked.client!r}, shown this once, for {asked.days:g} days:", err=True)
        click.echo(file.grant(asked.client, asked.days))
        log.write("grant", client=asked.client, days=asked.days)


def _say_ready(asked: Remote, *, beyond: bool) -> None:
    if beyond:
        click.secho("plain HTTP beyond this machine: put a TLS proxy in front of it", fg="yellow", err=True)
    click.echo(_READY.format(address=asked.address), err=True)
