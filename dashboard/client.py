"""Reads the lake: the only module of the dashboard that knows DuckDB. Nothing here can write.

A connection is read-only, bounded in memory, threads and time, cut off from files and network other than the lake's
own, and locked. It is rebuilt when the catalog was replaced, when an attempt to read it failed, and now and then.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

import duckdb
import pandas as pd
import pyarrow as pa
import streamlit as st

from analyzer.lake.policy import refusal
from collector.settings import Settings
from dashboard import config, queries
from dashboard.errors import QueryRefused, QueryTimeout, StoreMissing, StoreUnavailable

THREADS: Final = 2
MAX_QUERIES: Final = 4  # at the same time; the memory limit is shared by all of them
MAX_ROWS: Final = 5_000  # of an ad hoc result: more than a person reads, less than a browser minds
MAX_LENGTH: Final = 20_000  # characters of ad hoc SQL
CACHE_SECONDS: Final = 5
RENEW_SECONDS: Final = (
    600  # DuckLake remembers the statistics of every snapshot that it met until its database is closed
)
_EXTENSIONS: Final = ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs")
Answer = TypeVar("Answer")
_BROKEN: Final = (duckdb.IOException, duckdb.ConnectionException, duckdb.InternalException, duckdb.FatalException)


@dataclass(frozen=True, slots=True)
class Lake:
    """One attached lake. `identity` changes when the catalog file is replaced under us, and every RENEW_SECONDS."""

    connection: duckdb.DuckDBPyConnection
    settings: Settings
    identity: tuple[int, int, int]
    turns: threading.BoundedSemaphore

    def run(self, sql: str, params: dict[str, Any]) -> pd.DataFrame:
        """The rows of one statement. Raises QueryTimeout, StoreMissing, StoreUnavailable, or DuckDB's own error."""
        # Not .df(): it leans on pandas calls that pandas 3 deprecates.
        return self.table(sql, params).to_pandas()

    def table(self, sql: str, params: dict[str, Any]) -> pa.Table:
        """The same as an Arrow table."""
        limit = self.settings.dashboard.query_timeout_seconds
        started = time.monotonic()
        if not self.turns.acquire(timeout=limit):
            raise QueryTimeout(limit)
        try:
            with _deadline(self.connection.cursor(), limit - (time.monotonic() - started), limit) as cursor:
                cursor.execute("USE lake")
                return cursor.execute(sql, params or None).to_arrow_table()
        finally:
            self.turns.release()


@contextmanager
def _deadline(cursor: duckdb.DuckDBPyConnection, seconds: float, limit: float) -> Iterator[duckdb.DuckDBPyConnection]:
    timer = threading.Timer(max(seconds, 0.0), cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield cursor
    except duckdb.InterruptException:
        raise QueryTimeout(limit) from None
    finally:
        timer.cancel()
        cursor.close()


def query(name: str, **params: Any) -> pd.DataFrame:
    """The rows of `queries/<name>.sql`; parameters that the statement does not use are left out.

    Raises DashboardError. Equal calls within a few seconds share one result.
    """
    used = duckdb.extract_statements(queries.text(name))[0].named_parameters
    wanted = tuple(sorted((key, _without_nul(value)) for key, value in params.items() if key in used))
    settings = config.settings()
    try:
        return _cached(name, wanted, place(settings))
    except duckdb.Error as error:  # a store of another version, or too little memory
        raise StoreUnavailable(place(settings), type(error).__name__) from None


def _without_nul(value: Any) -> Any:
    # DuckLake writes constants into statements of its catalog, where a NUL ends them.
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


@st.cache_data(ttl=CACHE_SECONDS, max_entries=256, show_spinner=False)
def _cached(name: str, params: tuple[tuple[str, Any], ...], store: str) -> pd.DataFrame:  # noqa: ARG001 - key of the cache
    return _rows(queries.text(name), dict(params))


def adhoc(sql: str) -> pa.Table:
    """The first MAX_ROWS + 1 rows of one SELECT over the views. Raises QueryRefused with what DuckDB says of it.

    The page calls `adhoc.ask` instead: this in a process that can be killed.
    """
    plain = _checked(sql)
    try:
        return _guarded(lambda store: store.table(f"SELECT * FROM ({plain}\n) LIMIT {MAX_ROWS + 1}", {}))  # noqa: S608 - parsed and checked by _checked
    except (duckdb.Error, OverflowError, ValueError) as error:
        raise QueryRefused(str(error)) from None


def columns() -> pd.DataFrame:
    """Every view's columns: view, column, type, comment."""
    return query("columns")


def _checked(sql: str) -> str:
    """The statement. A text with a semicolon, which would end it, is written back from the tree that was checked."""
    if len(sql) > MAX_LENGTH:
        raise QueryRefused(f"At most {MAX_LENGTH:,} characters.")
    try:
        serialized = _rows("SELECT json_serialize_sql($sql) AS tree", {"sql": sql})["tree"][0]
        tree = json.loads(serialized)
        why = refusal(tree, _resolvable())
    except (duckdb.Error, ValueError, RecursionError) as error:
        raise QueryRefused(f"Not understood: {type(error).__name__}.") from None
    if tree.get("error") and tree.get("error_type") == "parser":
        raise QueryRefused(f"Syntax: {tree.get('error_message', '')}")
    if why:
        raise QueryRefused(why)
    if ";" not in sql:
        return sql
    return str(_rows("SELECT json_deserialize_sql($tree::JSON) AS sql", {"tree": serialized})["sql"][0])


def _resolvable() -> frozenset[str]:
    return frozenset(query("resolvable")["name"])


def _rows(sql: str, params: dict[str, Any]) -> pd.DataFrame:
    return _guarded(lambda store: store.run(sql, params))


def _guarded(ask: Callable[[Lake], Answer]) -> Answer:
    settings = config.settings()
    store = _current(settings)
    try:
        return ask(store)
    except duckdb.CatalogException as error:
        if "does not exist" in str(error) and not _has_views(store):
            _forget()
            raise StoreMissing(place(settings)) from None
        raise
    except _BROKEN as error:
        _forget()
        raise StoreUnavailable(place(settings), type(error).__name__) from None


def _has_views(store: Lake) -> bool:
    try:
        return not store.run("SELECT 1 FROM failures LIMIT 1", {}).columns.empty
    except duckdb.Error:
        return False


def _current(settings: Settings) -> Lake:
    identity = _identity(settings)
    store = lake()
    if store.identity != identity:
        _forget()
        store = lake()
    return store


def _forget() -> None:
    lake.clear()
    _cached.clear()


@st.cache_resource(show_spinner=False)
def lake() -> Lake:
    """The process's connection, shared by all viewers; every query runs on a cursor of its own."""
    settings = config.settings()
    identity = _identity(settings)
    try:
        return Lake(_connect(settings), settings, identity, threading.BoundedSemaphore(MAX_QUERIES))
    except duckdb.Error as error:
        # The text may quote the ATTACH string, and that a password: only the kind goes on.
        raise StoreUnavailable(place(settings), type(error).__name__) from None


def place(settings: Settings) -> str:
    """Where the catalog is, without credentials."""
    return "the PostgreSQL catalog" if _is_postgres(settings) else str(_catalog(settings))


def newest(frame: pd.DataFrame, column: str) -> datetime | None:
    """The largest time of a column, None when there is none."""
    value = frame[column].max() if len(frame) else None
    return None if value is None or pd.isna(value) else value.to_pydatetime()


def _is_postgres(settings: Settings) -> bool:
    return settings.store.catalog.startswith("postgres")


def _catalog(settings: Settings) -> Path:
    named = settings.store.catalog.removeprefix("sqlite:")
    return Path(named) if named else settings.data_path.absolute() / "catalog.sqlite"


def _data(settings: Settings) -> str:
    return settings.store.data_path or str(settings.data_path.absolute() / "data")


def _identity(settings: Settings) -> tuple[int, int, int]:
    age = int(time.monotonic() // RENEW_SECONDS)
    if _is_postgres(settings):
        return (0, 0, age)
    try:
        found = _catalog(settings).stat()
    except OSError:
        raise StoreMissing(place(settings)) from None
    return (found.st_dev, found.st_ino, age)


def _connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(
        config={
            "memory_limit": f"{settings.dashboard.memory_mib}MiB",
            "threads": THREADS,
            "temp_directory": "",  # a query that does not fit is refused, it does not fill the disk
            "python_enable_replacements": False,
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_community_extensions": False,
        }
    )
    try:
        _load_extensions(con, settings)
        _attach(con, settings)
        _lock(con, settings)
    except BaseException:
        con.close()
        raise
    return con


def _load_extensions(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    catalog = "postgres_scanner" if _is_postgres(settings) else "sqlite_scanner"
    wanted = {"ducklake", catalog} | ({"httpfs"} if _data(settings).startswith("s3:") else set())
    for name in (name for name in _EXTENSIONS if name in wanted):
        file = _extension_file(name)
        con.execute(f"LOAD {queries.literal(str(file))}" if file else f"INSTALL {name}; LOAD {name}")


def _extension_file(name: str) -> Path | None:
    spec = find_spec(f"duckdb_extension_{name}")
    root = Path(next(iter(spec.submodule_search_locations or ()), "")) if spec else None
    file = root / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension" if root else None
    return file if file and file.is_file() else None


def _attach(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    if _data(settings).startswith("s3:"):
        con.execute(_s3_secret(settings))
    source = f"ducklake:{settings.store.catalog}" if _is_postgres(settings) else f"ducklake:sqlite:{_catalog(settings)}"
    where = queries.literal(_data(settings))
    con.execute(f"ATTACH {queries.literal(source)} AS lake (READ_ONLY, DATA_PATH {where}, OVERRIDE_DATA_PATH true)")
    con.execute("SET TimeZone = 'UTC'")


def _s3_secret(settings: Settings) -> str:
    store = settings.store
    options = {
        "REGION": store.s3_region,
        "ENDPOINT": store.s3_endpoint,
        "KEY_ID": store.s3_key_id,
        "SECRET": store.s3_secret,
    }
    words = [f"{name} {queries.literal(value)}" for name, value in options.items() if value]
    provider = "config" if store.s3_key_id else "credential_chain"
    style = ["URL_STYLE 'path'"] if store.s3_endpoint else []
    return f"CREATE SECRET (TYPE s3, PROVIDER {provider}, {', '.join([*words, *style, f'USE_SSL {store.s3_use_ssl}'])})"


def _lock(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """The second fence behind `readonly`: no files but the lake's, no further settings."""
    con.execute(f"SET allowed_directories = [{queries.literal(_data(settings))}]")
    if not _is_postgres(settings):
        catalog = str(_catalog(settings))
        files = [catalog + suffix for suffix in ("", "-wal", "-shm", "-journal")]
        con.execute(f"SET allowed_paths = {queries.literal(files)}")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
