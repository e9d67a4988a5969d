"""What every gateway parser promises, and the one answer besides a record: "known, and not about authentication"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from collector.errors import Why401Error
from collector.records import Parsed, RawRecord

Parser: TypeAlias = Callable[[RawRecord], Parsed | None]
"""Reads one raw record of one gateway.

Returns None when the record is not of this gateway's formats (another parser may know it). Raises UnreadableRecord
when it is and cannot be read, and NotAuth when it is and has nothing to do with authentication. Raises nothing else,
keeps no reference to the record, and takes time linear in its size.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What is seen at once of every text that a parser reads: it begins with one of these characters, or holds one of these parts.

    A text that does neither is not shown to the parser (`collector/gateways/candidates.py`). The parts stand in a text's first
    `MAX_HEAD` characters.
    """

    begins: str = ""
    holds: tuple[str, ...] = ()


MAX_HEAD: Final = 4096
DIGITS: Final = "0123456789"
NO_TEXTS: Final = Texts()  # of a parser that reads objects only


class NotAuth(Why401Error):
    """A record of a known gateway that is neither a request nor a verdict on one. `why` holds no part of the record."""

    def __init__(self, gateway: str, why: str) -> None:
        super().__init__(f"{gateway}: {why}")
        self.gateway = gateway
        self.why = why


class NotAdmitted(NotAuth):
    """A line in a known layout whose words report no refused credential (`admission.py`). Another parser may still know it."""
