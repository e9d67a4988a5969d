"""Who may send syslog: on which addresses why401 listens, and from which networks it takes messages.

Nothing in UDP or TCP says who sends; over TLS, a client certificate does. Beyond loopback, one of `tls_client_ca`, `allow` and
`insecure` is asked for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from collector.errors import ConfigurationError
from collector.settings import SyslogSettings
from collector.settings.checks import is_loopback
from collector.sources.otlp.tls import Certificates
from collector.telemetry import Telemetry

_MAX_PEERS: Final = 4096  # whose answer is remembered


class Senders:
    """Raises ConfigurationError for settings that cannot be used together."""

    def __init__(
        self, settings: SyslogSettings, telemetry: Telemetry, *, base: Path = Path(), insecure: bool = False
    ) -> None:
        self._settings = settings
        self._insecure = insecure
        self._networks = tuple(ipaddress.ip_network(each) for each in settings.allow)
        self.certificates = _certificates(settings, base, telemetry) if settings.tls else None
        self.takes = lru_cache(_MAX_PEERS)(self._takes)

    def addresses(self) -> Iterator[tuple[str, str, int]]:
        """(name, host, port) of each address to bind. Raises ConfigurationError for one that others reach and that nothing protects."""
        for name in ("udp", "tcp", "tls"):
            if value := getattr(self._settings, name):
                yield name, *self._address(name, value)

    def _address(self, name: str, value: str) -> tuple[str, int]:
        host, _, port = value.rpartition(":")
        host = host.strip("[]")
        is_known = bool(self._networks) or (name == "tls" and self._settings.tls_client_ca)
        if not (self._insecure or is_known or is_loopback(host)):
            right = "set tls_client_ca or allow" if name == "tls" else "set allow, or use tls with tls_client_ca"
            why = f"anybody who reaches it could write into the store: {right}, bind 127.0.0.1, or set insecure = true"
            raise ConfigurationError(f"syslog.{name}", value, why)
        return host, int(port)

    def _takes(self, peer: str) -> bool:
        """Whether messages from an address are taken; this machine's always are."""
        if not self._networks:
            return True
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback or any(address in network for network in self._networks)

    def describe(self, name: str) -> str:
        """How an address is protected, for `why401 check`."""
        return ", ".join(self._words(name))

    def _words(self, name: str) -> Iterator[str]:
        if name != "tls" or self.certificates is None:
            yield "no TLS"
        else:
            yield f"TLS (certificate valid until {self.certificates.expires:%F})"
        if name == "tls" and self._settings.tls_client_ca:
            yield "client certificates required"
        elif self._networks:
            yield f"from {', '.join(map(str, self._networks))}"
        else:
            yield "no authentication"


def _certificates(settings: SyslogSettings, base: Path, telemetry: Telemetry) -> Certificates:
    for name in ("tls_cert", "tls_key"):
        if not getattr(settings, name):
            raise ConfigurationError(f"syslog.{name}", "", "is required with syslog.tls")
    client_ca = base / settings.tls_client_ca if settings.tls_client_ca else None
    return Certificates(base / settings.tls_cert, base / settings.tls_key, client_ca, telemetry, section="syslog")
