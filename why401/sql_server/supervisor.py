"""The process that a person starts: it keeps a server running, kills one that runs away, and writes the audit log."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from analyzer.lake.child_process import MOST_AT_ONCE, ChildProcess
from collector.errors import Why401Error
from why401.sql_server.audit import Audit
from why401.sql_server.client_tokens import ClientTokens, Token
from why401.sql_server.server import Order
from why401.sql_server.watch import Watched, messages, why_stop

WAIT_S: Final = 0.25
SILENCE_S: Final = 60.0  # without a tick for so long, the server hangs; a busy machine starts one in ten seconds
PATIENCE: Final = 5  # starts in a row without one tick, until it is reported as broken
MAX_LINE: Final = 1 << 20


class RemoteSqlFailed(Why401Error):
    """The server does not start; its own message is on standard error."""

    def __init__(self, address: str) -> None:
        super().__init__(f"remote SQL on {address} does not start; see the reason above")
        self.address = address


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to serve, and its bounds."""

    order: Order
    timeout_s: float
    ready: Callable[[], None]  # called at the first tick of the first server


class Supervisor:
    """One server after the other, until `stop`."""

    def __init__(self, plan: Plan, tokens: ClientTokens, audit: Audit) -> None:
        self._plan, self._tokens, self._audit = plan, tokens, audit
        self._stopping = threading.Event()
        self._is_up = False
        self._stamp: tuple[int, int] | None = None
        self._known: tuple[Token, ...] = ()
        self._changed()

    def stop(self, *_: object) -> None:
        """Ends `run`; a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Serve until stopped. Raises RemoteSqlFailed when the first server never comes up."""
        failures = 0
        while not self._stopping.is_set():
            with _Server(self._plan.order) as server:
                ticked = self._watch(server)
            failures = 0 if ticked else failures + 1
            if not self._stopping.is_set() and failures and (not self._is_up or failures >= PATIENCE):
                raise RemoteSqlFailed(self._plan.order.address)

    def _watch(self, server: _Server) -> bool:
        watched, ticked, heard = Watched(), False, time.monotonic()
        self._tell(server, watched)
        while not self._stopping.is_set() and server.is_alive():
            if self._changed() or watched.to_end(self._known, datetime.now(UTC)):
                self._tell(server, watched)
            for line in server.lines(WAIT_S):
                for message in messages(line):
                    heard = time.monotonic()
                    ticked = ticked or message["event"] == "tick"
                    self._note(server, watched, message)
            if time.monotonic() - heard > SILENCE_S:
                self._kill(server, "", "no sign of life")
        return ticked

    def _changed(self) -> bool:
        """Whether the token file changed; reads it. With a file that cannot be trusted, every login is refused."""
        stamp = self._tokens.stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._known = self._tokens.read()
        except (OSError, Why401Error) as error:
            self._known = ()
            print(f"why401: every login is refused: {error}", file=sys.stderr)
        return True

    def _tell(self, server: _Server, watched: Watched) -> None:
        now = datetime.now(UTC)
        for session in watched.to_end(self._known, now):
            watched.ended.add(session)
            self._audit.write("ended", client=watched.owner(session), session=session)
        rows = [(token.sha256, token.client, token.expires.isoformat()) for token in self._known]
        server.tell({"tokens": rows, "ended": sorted(watched.ended)})

    def _note(self, server: _Server, watched: Watched, message: dict[str, Any]) -> None:
        if message["event"] == "tick":
            self._on_tick(server, watched, message)
            return
        if message["event"] == "login" and message["ok"]:
            watched.logged_in(message["session"], message["client"], message["token"])
        facts = {key: value for key, value in message.items() if key not in ("event", "token")}
        self._audit.write(message["event"], **{"client": watched.owner(message["session"]), **facts})

    def _on_tick(self, server: _Server, watched: Watched, tick: dict[str, Any]) -> None:
        watched.ticked(tick["sessions"])
        if not self._is_up:
            self._is_up = True
            self._plan.ready()
        session, why = why_stop(tick, time.time(), self._plan.timeout_s, self._plan.order.memory_mib)
        if why:
            self._kill(server, watched.owner(session), why)

    def _kill(self, server: _Server, client: str, why: str) -> None:
        self._audit.write("stopped", client=client, why=why)
        print(f"why401: restarting the SQL server: {why}{f' (client {client})' if client else ''}", file=sys.stderr)
        server.kill()


class _Server:
    """A server process; killed at the end of the `with`."""

    def __init__(self, order: Order) -> None:
        self._child = ChildProcess("why401.sql_server.server")
        self._rest = b""
        self._ended = False
        self.tell(asdict(order))

    def tell(self, news: dict[str, Any]) -> None:
        """A line to the server; one that is gone does not matter."""
        if not self._child.write_line(orjson.dumps(news)):
            self._ended = True

    def lines(self, seconds: float) -> list[str]:
        """What its log says now; [] when nothing within `seconds`."""
        read = self._child.read(MOST_AT_ONCE, seconds)
        if read is None:
            return []
        self._ended = not read
        *lines, rest = (self._rest + read).split(b"\n")
        self._rest = b"" if len(rest) > MAX_LINE else rest
        return [line.decode("utf-8", "replace") for line in lines]

    def is_alive(self) -> bool:
        """Whether it still talks."""
        return not self._ended

    def kill(self) -> None:
        """End it, whatever it runs. What it wrote before is still read."""
        self._child.kill()

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close()


def on_signals(supervisor: Supervisor) -> None:
    """Ctrl-C and SIGTERM stop it in order."""
    signal.signal(signal.SIGINT, supervisor.stop)
    signal.signal(signal.SIGTERM, supervisor.stop)
