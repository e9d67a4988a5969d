"""The address that remote SQL and `why401 mcp` listen on: this machine alone unless asked otherwise, and nobody else's."""

from __future__ import annotations

import socket

from collector.errors import ConfigurationError
from collector.settings.checks import is_loopback


def check_address(address: str, *, insecure: bool) -> bool:
    """Whether other machines can reach it. Raises ConfigurationError when they can and `insecure` is not set."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ConfigurationError("--address", address, 'expected "host:port"')
    if is_loopback(host):
        return False
    if not insecure:
        raise ConfigurationError(
            "--address",
            address,
            "this is plain HTTP, so tokens and answers could be read on the network; listen on 127.0.0.1 with a TLS "
            "proxy in front, or add --insecure if the network itself is encrypted",
        )
    return True


def check_free(address: str) -> None:
    """Raises ConfigurationError when the port is in use: quack would share it and each would get half of the requests."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that lingers is nobody
        try:
            probe.bind((host.strip("[]"), int(port)))
            probe.listen()
        except OSError as error:
            raise ConfigurationError("--address", address, f"cannot listen on it: {error.strerror}") from None
