"""A served syslog source over an intake in memory, and plain clients."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from collector.records import RawRecord
from collector.settings import SyslogSettings
from collector.sources.syslog.syslog_source import SyslogSource
from collector.telemetry import Telemetry
from tests.intakes import LedgerIntake
from tests.intakes import running as serving
from tests.waiting import HANG_S, eventually

ANY_PORT = "127.0.0.1:0"


@dataclass
class Rig:
    """One running source."""

    source: SyslogSource
    intake: LedgerIntake
    telemetry: Telemetry
    stop: Any = None

    def at(self, name: str) -> tuple[str, int]:
        host, _, port = self.source.addresses[name].rpartition(":")
        return host.strip("[]"), int(port)

    def drops(self) -> dict[str, int]:
        return {reason: int(n) for reason, n in self.telemetry.by("why401.records.dropped", "reason").items()}

    def closed(self) -> dict[str, int]:
        return {reason: int(n) for reason, n in self.telemetry.by("why401.connections.closed", "reason").items()}

    def cut(self) -> int:
        return int(self.telemetry.value("why401.errors", kind="record_cut"))

    def texts(self) -> list[str]:
        return [record.text for record in self.intake.items]

    def records(self, count: int) -> list[RawRecord]:
        """The records, when so many are there."""
        eventually(lambda: len(self.intake.items) >= count, f"{count} records")
        return list(self.intake.items)

    def datagram(self, *messages: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for message in messages:
                client.sendto(message, self.at("udp"))

    @contextmanager
    def connection(self, name: str = "tcp", context: ssl.SSLContext | None = None) -> Iterator[socket.socket]:
        with socket.create_connection(self.at(name), timeout=HANG_S) as plain:
            if context is None:
                yield plain
                return
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                yield secured

    def send(self, stream: bytes, name: str = "tcp", context: ssl.SSLContext | None = None) -> bytes:
        """A whole connection; what came back until the other side closed it."""
        with self.connection(name, context) as client:
            try:
                client.sendall(stream)
                if context is None:
                    client.shutdown(socket.SHUT_WR)
                return client.recv(1000) if context is None else b""
            except OSError:  # closed at once
                return b""


@contextmanager
def running(intake: LedgerIntake | None = None, *, insecure: bool = False, **settings: Any) -> Iterator[Rig]:
    """The source on free ports of loopback, over UDP and TCP unless told otherwise; stopped and joined at the end."""
    values = settings if {"udp", "tcp", "tls"} & settings.keys() else {"udp": ANY_PORT, "tcp": ANY_PORT} | settings
    telemetry = Telemetry()
    source = SyslogSource(SyslogSettings(**values), telemetry, insecure=insecure)
    rig = Rig(source, intake or LedgerIntake(), telemetry)
    with serving(source, rig.intake) as rig.stop:
        assert source.ready.wait(HANG_S)
        yield rig
