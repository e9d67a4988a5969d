"""What the supervisor decides from the server's log lines; pure, so that each decision has a test without a process."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from why401.sql_server.client_tokens import Token
from why401.sql_server.server import LOG_TYPE, OVERHEAD_MIB

MAX_SESSIONS: Final = 256  # quack keeps the session of a client that vanished; when nothing runs they are all dropped
_COLUMNS: Final = 10  # of a line of DuckDB's log storage `stdout`
_TYPE, _MESSAGE = 7, 9


@dataclass(slots=True)
class Watched:
    """What is known of a running server."""

    owners: dict[str, tuple[str, str]] = field(default_factory=dict)  # session -> client and digest of its token
    since_tick: set[str] = field(default_factory=set)  # sessions that logged in after it
    ended: set[str] = field(default_factory=set)

    def owner(self, session: str) -> str:
        """The client behind a session, "" when it is not known."""
        return self.owners.get(session, ("", ""))[0]

    def logged_in(self, session: str, client: str, sha256: str) -> None:
        """A session began."""
        self.owners[session] = (client, sha256)
        self.since_tick.add(session)

    def ticked(self, sessions: Iterable[str]) -> None:
        """Forget sessions that are gone, so that nothing grows."""
        alive = set(sessions) | self.since_tick
        self.owners = {session: owner for session, owner in self.owners.items() if session in alive}
        self.ended &= alive
        self.since_tick.clear()

    def to_end(self, tokens: Iterable[Token], now: datetime) -> set[str]:
        """Sessions whose token is no longer valid, beyond those already ended."""
        valid = {(token.client, token.sha256) for token in tokens if token.is_valid(now)}
        return {session for session, owner in self.owners.items() if owner not in valid} - self.ended


def messages(line: str) -> Iterator[dict[str, Any]]:
    """Our message in a line of DuckDB's log; nothing for a line that is not ours."""
    row = next(csv.reader([line], delimiter="\t"), [])
    if len(row) == _COLUMNS and row[_TYPE] == LOG_TYPE:
        try:
            yield orjson.loads(row[_MESSAGE])
        except ValueError:
            return


def why_stop(tick: dict[str, Any], now: float, timeout_s: float, memory_mib: int) -> tuple[str, str]:
    """(session, reason) when the server must be killed, ("", "") otherwise. quack has no other way to stop a query."""
    for session, started in tick["active"]:
        if now - started > timeout_s:
            return session, f"a query took longer than {timeout_s:g} s"
    if tick["rss_mib"] > memory_mib + OVERHEAD_MIB:
        return "", f"{tick['rss_mib']} MiB in use"
    if len(tick["sessions"]) > MAX_SESSIONS and not tick["active"]:
        return "", f"{len(tick['sessions'])} abandoned sessions"
    return "", ""
