"""The options of `why401 sql` for remote SQL, and what it prints about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from collector.settings import Settings

if TYPE_CHECKING:
    from why401.sql_server.serve import Service

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
        "--insecure",
        is_flag=True,
        help="With --serve: allow plain HTTP on addresses other than loopback; put a TLS proxy in front.",
    ),
    click.option(
        "--token-file", type=click.Path(), help="With --serve: use your own token, from a file with mode 0600."
    ),
    click.option("--client", default=DEFAULT_CLIENT, show_default=True, help="Owner of the token in --token-file."),
    click.option("--grant", metavar="CLIENT", help="Create a token for a client, print it once, and exit."),
    click.option("--revoke", metavar="CLIENT", help="Revoke a client's token, end its sessions, and exit."),
    click.option(
        "--days",
        type=click.FloatRange(0, 3650, min_open=True),
        default=90,
        show_default=True,
        help="Days until a new token expires.",
    ),
)


def remote_options(command: F) -> F:
    """The options on a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def is_remote(given: Mapping[str, Any]) -> bool:
    """Whether this call is about remote SQL at all."""
    return bool(given["serve"] or given["grant"] or given["revoke"])


def run_remote(settings: Settings, given: Mapping[str, Any], timeout_s: float, config_file: str | None) -> None:
    """Grant, revoke, or serve until Ctrl-C. Raises ConfigurationError, RemoteSqlFailed."""
    from why401.sql_server.serve import Events, RemoteSql, Service

    remote = RemoteSql(settings)
    if given["grant"]:
        click.echo(remote.grant(given["grant"], given["days"]))
        return
    if given["revoke"]:
        remote.revoke(given["revoke"])
        return
    service = Service(
        address=given["address"],
        insecure=given["insecure"],
        token_file=given["token_file"],
        client=given["client"],
        days=given["days"],
        timeout_s=timeout_s,
    )
    events = Events(token=lambda secret: _say_token(service, secret), ready=lambda beyond: _say_ready(service, beyond))
    remote.serve(service, config_file, events)


def _say_token(service: Service, secret: str) -> None:
    click.echo(f"token for client {service.client!r}, valid for {service.days:g} days, shown only once:", err=True)
    click.echo(secret)


def _say_ready(service: Service, beyond: bool) -> None:
    if beyond:
        click.secho("plain HTTP, reachable from other machines: put a TLS proxy in front", fg="yellow", err=True)
    click.echo(_READY.format(address=service.address), err=True)
