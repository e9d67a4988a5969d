"""What every gateway parser promises, and the one answer besides a record: "known, and not about authentication"."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from collector.errors import Why401Error
from collector.records import Parsed, RawRecord

Parser: TypeAlias = Callable[[RawRecord], Parsed | None]
"""Reads one raw record of one gateway.

Returns None when the record is not of this gateway's formats (another parser may know it). Raises UnreadableRecord
when it is and cannot be read, and NotAuth when it is and has nothing to do with authentication. Raises nothing else,
keeps no reference to the record, and takes time linear in its size.
"""


class NotAuth(Why401Error):
    """A record of a known gateway that is neither a request nor a verdict on one. `why` holds no part of the record."""

    def __init__(self, gateway: str, why: str) -> None:
        super().__init__(f"{gateway}: {why}")
        self.gateway = gateway
        self.why = why


class NotAdmitted(NotAuth):
    """A line in a known layout whose words report no refused credential (`admission.py`). Another parser may still know it."""
