"""DuckDB clients of remote SQL in a process of their own: quack is native code under attack here, and may die of it.

`python -m tests.threats.quack_client` reads pickled (connection, SQL) pairs, SQL None closes; answers with rows or an error.
"""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import sys
from typing import Any, Final

import duckdb

from analyzer.lake.attach import load_extension

Rows = list[tuple[Any, ...]]
DIED: Final = "the client's process died"


class Clients:
    """The process, started when it is needed and again when it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    def new(self) -> Client:
        """A connection that has quack loaded."""
        self._number += 1
        return Client(self, self._number)

    def ask(self, number: int, sql: str | None) -> Rows:
        """Rows of a statement. Raises duckdb.Error, also when the process died of it."""
        process = self._running()
        try:
            pickle.dump((number, sql), process.stdin)
            process.stdin.flush()
            answer = pickle.load(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            self.close()
            raise duckdb.IOException(DIED) from None
        if isinstance(answer, list):
            return answer
        raise getattr(duckdb, answer[0], duckdb.Error)(answer[1])

    def close(self) -> None:
        """End the process and every connection in it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _running(self) -> Any:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.threats.quack_client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process


class Client:
    """One connection. Its own statements run here, those of `r.query` on the server."""

    def __init__(self, clients: Clients, number: int) -> None:
        self._clients = clients
        self._number = number

    def rows(self, sql: str) -> Rows:
        """Rows of a statement. Raises duckdb.Error."""
        return self._clients.ask(self._number, sql)

    def close(self) -> None:
        """Leave the server."""
        with contextlib.suppress(duckdb.Error):
            self._clients.ask(self._number, None)


def main() -> None:
    """Answer until the input ends."""
    connections: dict[int, duckdb.DuckDBPyConnection] = {}
    while True:
        try:
            number, sql = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(_answer(connections, number, sql), sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _answer(connections: dict[int, duckdb.DuckDBPyConnection], number: int, sql: str | None) -> Rows | tuple[str, str]:
    try:
        if sql is None:
            connections.pop(number).close()
            return []
        return _connection(connections, number).execute(sql).fetchall()
    except (duckdb.Error, KeyError) as error:
        return type(error).__name__, str(error)


def _connection(connections: dict[int, duckdb.DuckDBPyConnection], number: int) -> duckdb.DuckDBPyConnection:
    if number not in connections:
        connections[number] = duckdb.connect()
        for name in ("httpfs", "quack"):
            load_extension(connections[number], name)
    return connections[number]


if __name__ == "__main__":
    main()
