"""One syslog message → a record without its header: host, program, process, time, severity and structured data are fields, never words."""

from __future__ import annotations

import time
from typing import Any, Final

from msgspec import Struct

from collector.events import Origin
from collector.records import RawRecord
from collector.redaction import fixed, request_facts
from collector.shippers import syslog
from collector.structs import Unshown

_SYSLOG: Final = fixed("syslog")
_END: Final = "\r\n\0 "
Stream = tuple[str, str, str, str]  # peer, host, program, process: whose lines may go on with each other


class Message(Unshown, Struct, kw_only=True):
    """A record with the text of its message, and the stream that it belongs to."""

    record: RawRecord
    stream: Stream


class Reader:
    """Reads what one peer sends. Never raises."""

    def __init__(self, peer: str, gateway: str) -> None:
        self._peer = peer
        self._origin = Origin(kind=_SYSLOG, source=request_facts.peer(peer))
        self._gateway = gateway
        self._last: Message | None = None

    def read(self, data: bytes) -> Message | None:
        """The message; one that begins without a priority goes on with the one before, None when there is none before.

        So the lines of a stack trace stay with their message where a line break ends each of them.
        """
        text, now = data.decode("utf-8", "replace"), time.time_ns()
        header = syslog.read(text.lstrip("\ufeff"), now) if data[:1] in (b"<", b"\xef") else None
        if header is None:
            return self._on(text, now)
        self._last = self._message(header, now)
        return self._last

    def _on(self, text: str, now_ns: int) -> Message | None:
        last = self._last
        if last is None:
            return None
        told = last.record
        record = RawRecord(
            self._origin, now_ns, text=text.rstrip(_END), resource=told.resource, time_ns=told.time_ns,
            gateway=self._gateway, level=told.level, program=told.program,
        )  # fmt: skip
        return Message(record=record, stream=last.stream)

    def _message(self, header: syslog.Header, now_ns: int) -> Message:
        record = RawRecord(
            origin=self._origin,
            observed_ns=now_ns,
            text=header.rest.rstrip(_END),
            attributes=dict(header.data),
            resource=_resource(header),
            time_ns=header.time_ns,
            gateway=self._gateway,
            level=header.level,
            program=header.program[:100],
        )
        return Message(record=record, stream=(self._peer, header.host, header.program, header.process))


def _resource(header: syslog.Header) -> dict[str, Any]:
    """As OpenTelemetry names them."""
    named = (("host.name", header.host), ("service.name", header.program), ("process.pid", header.process))
    return {name: value for name, value in named if value}
