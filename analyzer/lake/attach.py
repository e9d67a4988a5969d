"""Connections to the lake: extensions, ATTACH, the hardened reader, and the SQL that a user pastes."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import duckdb

from analyzer.lake.errors import NoStore
from analyzer.lake.view_files import quoted
from collector.settings import Settings

LAKE: Final = "lake"
CATALOG_FILE: Final = "catalog.sqlite"
WRITER_THREADS: Final = 2
MAX_RETRY_COUNT: Final = 100  # 16 writers met the default of 10 once in 400 commits
# Without write-ahead logging readers and the writer block each other for seconds; the mode stays in the file. DuckDB's own
# SQLite must set it: a second SQLite in the process would drop the first one's locks when it closes the file.
_WAL: Final = "META_JOURNAL_MODE 'WAL'"
_BASE: Final = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def connect_writer(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory with the lake attached for writing; creates data_dir (0700) and the catalog."""
    _prepare_directory(settings)
    con = _connect(settings, settings.store.memory_mib, threads=WRITER_THREADS)
    con.execute(
        "SET enable_external_file_cache = false"
    )  # upkeep reads a file once; its cache grows to the memory limit
    options = f"DATA_PATH {quoted(data_path(settings))}, OVERRIDE_DATA_PATH true"
    if catalog(settings).startswith("sqlite:"):
        options += f", {_WAL}"
    return _attach(con, settings, f"{options}, DATA_INLINING_ROW_LIMIT {settings.store.inline_rows}")


def connect_reader(settings: Settings, *, memory_mib: int, threads: int = 1) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own in memory, the lake attached read-only and in use, settings locked.

    Works beside writers in other processes. Files other than the lake's data cannot be reached by file functions.
    Raises NoStore before the first writer came.
    """
    con = connect_lake(settings, memory_mib=memory_mib, threads=threads)
    harden(con, settings)
    return con


def harden(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Lock a reader: no files but the lake's data, no spilling to disk, no further settings."""
    for statement in _hardening(settings):
        con.execute(statement)


def connect_lake(settings: Settings, *, memory_mib: int, threads: int) -> duckdb.DuckDBPyConnection:
    """The lake attached read-only in a DuckDB without further limits, for our own exports. Raises NoStore."""
    if not settings.store.catalog and not catalog_file(settings).exists():
        raise NoStore(str(catalog_file(settings)))
    con = _connect(settings, memory_mib, threads)
    return _attach(con, settings, f"READ_ONLY, DATA_PATH {quoted(data_path(settings))}, OVERRIDE_DATA_PATH true")


def attach_sql(settings: Settings) -> str:
    """The lines that attach the lake, read-only, in any DuckDB 1.5; secrets are left out for the user to fill in."""
    lines = [f"INSTALL {name}; LOAD {name};" for name in _extensions(settings)]
    if on_s3(settings):
        lines.append(_secret_sql(settings, "…", "…") + ";")
    options = f"READ_ONLY, DATA_PATH {quoted(data_path(settings))}, OVERRIDE_DATA_PATH true"
    lines.append(f"ATTACH {quoted('ducklake:' + _without_password(catalog(settings)))} AS {LAKE} ({options});")
    return "\n".join([*lines, f"USE {LAKE};"])


def catalog(settings: Settings) -> str:
    """The catalog as DuckLake names it: `sqlite:PATH` or `postgres:WORDS`."""
    return settings.store.catalog or f"sqlite:{catalog_file(settings)}"


def catalog_file(settings: Settings) -> Path:
    """Where the SQLite catalog of the embedded mode stands."""
    return settings.data_path.absolute() / CATALOG_FILE


def data_path(settings: Settings) -> str:
    """Where the Parquet files stand, with a slash at its end."""
    path = settings.store.data_path or str(settings.data_path.absolute() / "data")
    if not path.startswith("s3://"):
        path = str(Path(path).absolute())
    return path.rstrip("/") + "/"


def on_s3(settings: Settings) -> bool:
    """Whether the data is in object storage."""
    return settings.store.data_path.startswith("s3://")


def secrets(settings: Settings) -> tuple[str, ...]:
    """Values that DuckDB's messages may quote and that must not be told on."""
    words = settings.store.catalog.split()
    passwords = [word.partition("=")[2].strip("'") for word in words if word.lower().startswith("password=")]
    return tuple(value for value in (settings.store.catalog, *passwords, settings.store.s3_secret) if value)


def _connect(settings: Settings, memory_mib: int, threads: int) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(":memory:", config={**_BASE, "threads": str(threads), "memory_limit": f"{memory_mib}MiB"})
    try:
        for name in _extensions(settings):
            load_extension(con, name)
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"SET ducklake_max_retry_count = {MAX_RETRY_COUNT}")
        if on_s3(settings):
            con.execute(_secret_sql(settings, settings.store.s3_key_id, settings.store.s3_secret))
    except BaseException:
        con.close()
        raise
    return con


def _attach(con: duckdb.DuckDBPyConnection, settings: Settings, options: str) -> duckdb.DuckDBPyConnection:
    try:
        con.execute(f"ATTACH {quoted('ducklake:' + catalog(settings))} AS {LAKE} ({options})")
        con.execute(f"USE {LAKE}")
    except BaseException:
        con.close()
        raise
    return con


def _hardening(settings: Settings) -> tuple[str, ...]:
    return (
        f"SET allowed_directories = [{quoted(data_path(settings))}]",
        "SET enable_external_access = false",
        "SET allow_community_extensions = false",
        "SET max_temp_directory_size = '0KiB'",  # a reader that needs more than its memory fails instead of filling a disk
        "SET lock_configuration = true",
    )


def _prepare_directory(settings: Settings) -> None:
    # DuckDB and SQLite create files 0644; the process keeps this mask because files are created all its life.
    os.umask(0o077)
    settings.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _extensions(settings: Settings) -> tuple[str, ...]:
    scanner = "postgres_scanner" if catalog(settings).startswith("postgres") else "sqlite_scanner"
    names = ("ducklake", scanner)
    if not on_s3(settings):
        return names
    return (*names, "httpfs") if settings.store.s3_key_id else (*names, "httpfs", "aws")


def load_extension(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load from the Python package, without any download; from DuckDB's repository when the package is absent."""
    path = _packaged(name)
    if path is None:
        con.execute(f"INSTALL {name}")
    con.execute(f"LOAD {quoted(str(path)) if path else name}")


def _packaged(name: str) -> Path | None:
    """DuckDB's signed binary in the package `duckdb_extension_NAME`, which an air-gapped machine has too."""
    spec = find_spec(f"duckdb_extension_{name}")
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    files = [p / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension" for p in places]
    return next((file for file in files if file.exists()), None)


def _secret_sql(settings: Settings, key_id: str, secret: str) -> str:
    store = settings.store
    words = ["TYPE s3", f"SCOPE {quoted(data_path(settings))}", f"REGION {quoted(store.s3_region)}"]
    if store.s3_key_id:
        words += [f"KEY_ID {quoted(key_id)}", f"SECRET {quoted(secret)}"]
    else:
        words.append("PROVIDER credential_chain")
    if store.s3_endpoint:
        words += [f"ENDPOINT {quoted(store.s3_endpoint)}", "URL_STYLE 'path'"]
    words.append(f"USE_SSL {str(store.s3_use_ssl).lower()}")
    return f"CREATE SECRET why401_s3 ({', '.join(words)})"


def _without_password(words: str) -> str:
    return " ".join(word for word in words.split(" ") if not word.lower().startswith("password="))
