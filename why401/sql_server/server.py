"""The process that answers: a locked reader of the lake behind quack. It owns no write, so it may be killed.

Reads lines of JSON on standard input: first what to serve, then, again and again, which tokens are valid and which sessions
ended; the end of the input ends it. Writes DuckDB's log to standard output: logins, queries, and a tick with what is running.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson

from analyzer.lake.allow_list import VIEWS
from analyzer.lake.attach import Access, connect, lock, secrets
from analyzer.lake.view_files import quoted
from collector.settings import Settings, load
from why401 import process
from why401.sql_server import authorization

LOG_TYPE: Final = "why401"
TICK_S: Final = 0.25  # memory can grow by a gigabyte a second
THREADS: Final = 2  # one client's heavy query leaves the other core alone
OVERHEAD_MIB: Final = 768  # interpreter, engine, extensions and buffers beside DuckDB's own memory limit
STACKS_MIB: Final = 3_072  # quack keeps a thread for each connection, and the limit counts their stacks of 8 MiB
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_ACTIVE: Final = "SELECT connection_id, epoch(query_started_at) FROM quack_active_connections() WHERE state = 'active'"
_VIEWS: Final = "SELECT view_name FROM duckdb_views() WHERE database_name = 'lake' AND schema_name = 'main'"
_TICK: Final = f"SELECT write_log($1, log_type := '{LOG_TYPE}', level := 'WARNING')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the first line asks for."""

    config_file: str | None
    data_dir: str | None
    address: str  # host:port
    memory_mib: int
    other_hosts: bool  # whether the address may be another than loopback


def main() -> None:
    """Serve until the input ends. Exit status 1 and a line on standard error when it cannot start."""
    lines = _Lines(sys.stdin.fileno())
    order = Order(**orjson.loads(lines.wait()))
    _limit(order.memory_mib)
    settings = load(order.config_file, flags={"data_dir": order.data_dir})
    try:
        con = serve(settings, order, orjson.loads(lines.wait()))
    except Exception as error:
        sys.exit(_without_secrets(settings, f"why401 sql --serve: {error}"))
    while not lines.ended:
        for line in lines.within(TICK_S):
            _apply(con, orjson.loads(line))
        con.execute(_TICK, [orjson.dumps(_tick(con)).decode()]).fetchall()
    os._exit(0)  # a running query would hold an orderly end back


def serve(settings: Settings, order: Order, news: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A locked reader that serves the clients of `news`. Raises NoStore, duckdb.Error."""
    # Locked at the end: quack listens through a setting.
    con = connect(
        settings,
        Access(memory_mib=order.memory_mib, threads=THREADS, locked=False, extensions=("httpfs", "quack")),
    )
    con.execute("USE memory")
    there = {name for (name,) in con.execute(_VIEWS).fetchall()}  # a lake of another version may lack some
    for view in (view for view in VIEWS if view in there):
        con.execute(f"CREATE VIEW {view} AS FROM lake.main.{view}")
    authorization.install(con)
    _apply(con, news)
    # The level is the filter: DuckDB's own query log, which would hold every text twice, is at INFO.
    con.execute("CALL enable_logging(level = 'warning', storage = 'stdout')").fetchall()
    con.execute("SET GLOBAL quack_authentication_function = 'sec.main.authenticate'")
    con.execute("SET GLOBAL quack_authorization_function = 'sec.main.authorize'")
    _listen(con, order)
    lock(con, settings)
    return con


def _listen(con: duckdb.DuckDBPyConnection, order: Order) -> None:
    words = f"{quoted('quack:' + order.address)}, token => {quoted(os.urandom(32).hex())}"
    con.execute(f"CALL quack_serve({words}{', allow_other_hostname => true' if order.other_hosts else ''})").fetchall()


def _apply(con: duckdb.DuckDBPyConnection, news: dict[str, Any]) -> None:
    con.execute("BEGIN")
    con.execute("DELETE FROM sec.main.tokens")
    con.execute("DELETE FROM sec.main.ended")
    for sha256, client, expires in news["tokens"]:
        con.execute("INSERT INTO sec.main.tokens VALUES ($1, $2, $3::TIMESTAMPTZ)", [sha256, client, expires])
    for session in news["ended"]:
        con.execute("INSERT INTO sec.main.ended VALUES ($1)", [session])
    con.execute("COMMIT")


def _tick(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    sessions = [name for (name,) in con.execute("SELECT connection_id FROM quack_active_connections()").fetchall()]
    return {"event": "tick", "rss_mib": _rss_mib(), "sessions": sessions, "active": con.execute(_ACTIVE).fetchall()}


def _rss_mib() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # not Linux
        return 0
    return pages * _PAGE >> 20


def _limit(memory_mib: int) -> None:
    """No core dumps; no more private memory than a heavy query needs, since not all of it counts for DuckDB's limit."""
    process.no_core_dumps()
    with contextlib.suppress(ValueError, OSError):  # a lower limit holds already
        most = (memory_mib + OVERHEAD_MIB + STACKS_MIB) << 20
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _without_secrets(settings: Settings, text: str) -> str:
    for value in secrets(settings):
        text = text.replace(value, "…")
    return text


class _Lines:
    """Lines of a file descriptor, waited for with a limit. Not ChildProcess: this is the other end, and has no process."""

    def __init__(self, handle: int) -> None:
        self.ended = False
        self._handle, self._rest = handle, b""
        self._whole: list[bytes] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(handle, selectors.EVENT_READ)

    def wait(self) -> bytes:
        """The next line. Raises EOFError."""
        while not self._whole:
            if self.ended:
                raise EOFError
            self._read(None)
        return self._whole.pop(0)

    def within(self, seconds: float) -> list[bytes]:
        """The lines read; [] when none within `seconds`."""
        if not self._whole:
            self._read(seconds)
        lines, self._whole = self._whole, []
        return lines

    def _read(self, seconds: float | None) -> None:
        if not self._selector.select(seconds):
            return
        read = os.read(self._handle, 1 << 20)
        self.ended = not read
        *lines, self._rest = (self._rest + read).split(b"\n")
        self._whole += [line for line in lines if line]


if __name__ == "__main__":
    main()
