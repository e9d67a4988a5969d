"""A reader that lives on: one connection for many threads, made anew when the catalog was replaced or could not be read."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import duckdb
import pyarrow as pa

from analyzer.lake.attach import LAKE, Access, catalog_file, connect, expect_catalog, place
from analyzer.lake.errors import NoStore, QueryTimeout, QueryTooLarge, StoreUnavailable, UnfinishedRestore
from analyzer.lake.query import time_limit
from analyzer.lake.trouble import is_being_restored, named, reason
from collector.settings import Settings

# DuckLake keeps the statistics of every snapshot that it planned with until its database is closed.
RENEW_SECONDS: Final = 600
_BROKEN: Final = (duckdb.IOException, duckdb.ConnectionException, duckdb.InternalException, duckdb.FatalException)
Identity = tuple[int, int, int]


def used(sql: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the parameters that the statement uses; DuckDB refuses others.

    >>> used("SELECT $a", {"a": 1, "b": 2})
    {'a': 1}
    """
    names = duckdb.extract_statements(sql)[0].named_parameters
    return {name: value for name, value in params.items() if name in names}


class Reader:
    """Runs statements, each on a cursor of its own and within `timeout_s`, at most `at_once` at the same time."""

    def __init__(self, settings: Settings, access: Access, *, timeout_s: float, at_once: int = 1) -> None:
        self._settings = settings
        self._access = access
        self._timeout_s = timeout_s
        self._turns = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._current: tuple[Identity, duckdb.DuckDBPyConnection] | None = None

    @property
    def identity(self) -> Identity:
        """Another one when the catalog file was replaced, and every RENEW_SECONDS. Raises NoStore, LostCatalog."""
        age = int(time.monotonic() // RENEW_SECONDS)
        file = catalog_file(self._settings)
        if file is None:
            return (0, 0, age)
        try:
            found = file.stat()
        except OSError:
            expect_catalog(self._settings)  # says why, if it is still gone
            found = file.stat()
        return (found.st_dev, found.st_ino, age)

    def table(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """The rows of one statement. Raises LakeError (see errors.py), or DuckDB's own error."""
        con = self._connection()
        try:
            return self._run(con, sql, params)
        except duckdb.CatalogException as error:
            if "does not exist" in str(error) and not self._has_views(con):
                self._forget(con)
                raise (UnfinishedRestore() if is_being_restored(con) else NoStore(place(self._settings))) from None
            raise
        except duckdb.OutOfMemoryException:
            raise QueryTooLarge(self._access.memory_mib) from None
        except duckdb.Error as error:
            if found := named(error, place(self._settings)):
                self._forget(con)
                raise found from None
            if not isinstance(error, _BROKEN):
                raise
            self._forget(con)
            raise self._unavailable(error) from None

    def close(self) -> None:
        """Release the connection. Idempotent; the next statement connects anew."""
        with self._lock:
            current, self._current = self._current, None
        if current:
            current[1].close()

    def _run(self, con: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any] | None) -> pa.Table:
        started = time.monotonic()
        if not self._turns.acquire(timeout=self._timeout_s):
            raise QueryTimeout(self._timeout_s)
        try:
            with con.cursor() as cursor, time_limit(cursor, self._timeout_s, waited_s=time.monotonic() - started):
                cursor.execute(f"USE {LAKE}")
                return cursor.execute(sql, dict(params) if params else None).to_arrow_table()
        finally:
            self._turns.release()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            identity = self.identity
            if self._current is None or self._current[0] != identity:
                # The old connection is left to the threads that still use it; it closes with the last of them.
                self._current = (identity, self._connected())
            return self._current[1]

    def _connected(self) -> duckdb.DuckDBPyConnection:
        return connect(self._settings, self._access)

    def _forget(self, con: duckdb.DuckDBPyConnection) -> None:
        with self._lock:
            if self._current and self._current[1] is con:
                self._current = None

    def _has_views(self, con: duckdb.DuckDBPyConnection) -> bool:
        try:
            self._run(con, "SELECT 1 FROM failures LIMIT 1", None)
        except duckdb.Error:
            return False
        return True

    def _unavailable(self, error: duckdb.Error) -> StoreUnavailable:
        # DuckDB's text may quote the ATTACH string, and that a password: only the kind goes on.
        return StoreUnavailable(place(self._settings), reason(error))
