"""The one door to the lake: every connection of the writer, the page, the command line and remote SQL is made here.

`Access` says what a connection may do; `connect` gives a connection that may do that and nothing else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import duckdb

from analyzer.lake import spill
from analyzer.lake.errors import LostCatalog, NoExtension, NoStore, StoreUnavailable
from analyzer.lake.trouble import named, reason
from analyzer.lake.view_files import quoted
from collector.settings import Settings

LAKE: Final = "lake"
CATALOG_FILE: Final = "catalog.sqlite"
# A second one finds nothing to do in a commit's small statements and doubled what it costs; each holds a row group and what it reads when it merges.
WRITER_THREADS: Final = 1
MAX_RETRY_COUNT: Final = 100  # 16 writers exceeded the default of 10 once in 400 commits
_SQLITE: Final = "sqlite:"
# Without write-ahead logging readers and the writer block each other for seconds; the mode stays in the file. DuckDB's own
# SQLite must set it: a second SQLite in the process would drop the first one's locks when it closes the file.
_WAL: Final = "META_JOURNAL_MODE 'WAL'"
# No connection takes a Python variable for a table, or downloads code.
_BASE: Final = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    # Checking the signatures of 67 MiB of extensions takes 0.2 s of every connection. They lie beside the library that
    # would check them (docs/decisions/0032); `load_extension` is the only door, and `lock` closes it.
    "allow_unsigned_extensions": "true",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a connection to the lake may do. By default: read, in memory, cut off from everything else."""

    memory_mib: int
    threads: int = 1
    write: bool = False  # commit
    create: bool = False  # and create data_dir (0700) and the catalog
    spill: bool = False  # use the disk for what does not fit in memory, instead of failing
    spill_mib: int = 0  # the same for a reader: so much, in a folder that only this process's user can open
    locked: bool = True  # no files and hosts but the lake's data, no further settings
    extensions: tuple[str, ...] = ()  # beside those that the lake needs
    bucket: str = ""  # another place on S3, of a backup: s3://…/


def writer(settings: Settings) -> Access:
    """What the store may do."""
    return Access(
        memory_mib=settings.store.memory_mib, threads=WRITER_THREADS, write=True, create=True, spill=True, locked=False
    )


def connect(settings: Settings, access: Access) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own in memory, with the lake attached and in use. Works beside writers in other processes.

    Raises NoStore when there is nothing to read yet, LostCatalog, DamagedCatalog, OtherFormat, NoExtension; what else
    DuckDB says is StoreUnavailable to a reader, and duckdb.Error to a writer.
    """
    if access.create:
        _prepare_directory(settings)
        _expect_no_orphans(settings)
    else:
        expect_catalog(settings)
    con = duckdb.connect(":memory:", config=_config(access))
    try:
        _prepare(con, settings, access)
        con.execute(f"ATTACH {quoted('ducklake:' + catalog(settings))} AS {LAKE} ({_options(settings, access)})")
        con.execute(f"USE {LAKE}")
        if access.locked:
            lock(con, settings)
    except duckdb.Error as error:
        con.close()
        raise _worded(error, settings, access) from None
    except BaseException:
        con.close()
        raise
    return con


def connect_outside(settings: Settings, access: Access) -> duckdb.DuckDBPyConnection:
    """A DuckDB without the lake, for a backup where there may be none. Raises NoExtension, duckdb.Error."""
    con = duckdb.connect(":memory:", config=_config(access))
    try:
        _prepare(con, settings, access)
    except BaseException:
        con.close()
        raise
    return con


def _worded(error: duckdb.Error, settings: Settings, access: Access) -> Exception:
    # DuckDB's text may quote the ATTACH string, and that a password: to readers only the kind goes on.
    if found := named(error, place(settings)):
        return found
    return error if access.write else StoreUnavailable(place(settings), reason(error))


def connect_reader(settings: Settings, *, memory_mib: int, threads: int = 1) -> duckdb.DuckDBPyConnection:
    """`connect` with the least that a reader needs."""
    return connect(settings, Access(memory_mib=memory_mib, threads=threads))


def lock(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """No files and hosts but the lake's data, and no further settings, for good. The catalog's scanner needs no permission."""
    con.execute(f"SET allowed_directories = [{quoted(data_path(settings))}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def attach_sql(settings: Settings) -> str:
    """The lines that attach the lake, read-only, in any DuckDB 1.5; secrets are left out for the user to fill in."""
    lines = [f"INSTALL {name}; LOAD {name};" for name in _extensions(settings)]
    if on_s3(settings):
        lines.append(_secret_sql(settings, "…", "…") + ";")
    options = _options(settings, Access(memory_mib=0))
    lines.append(f"ATTACH {quoted('ducklake:' + _without_password(catalog(settings)))} AS {LAKE} ({options});")
    return "\n".join([*lines, f"USE {LAKE};"])


def catalog(settings: Settings) -> str:
    """The catalog as DuckLake names it: `sqlite:PATH` or `postgres:WORDS`."""
    file = catalog_file(settings)
    return f"{_SQLITE}{file}" if file else settings.store.catalog


def catalog_file(settings: Settings) -> Path | None:
    """The SQLite catalog of the embedded mode; None with PostgreSQL."""
    named = settings.store.catalog
    if not named:
        return settings.data_path.absolute() / CATALOG_FILE
    return Path(named.removeprefix(_SQLITE)).absolute() if named.startswith(_SQLITE) else None


def place(settings: Settings) -> str:
    """Where the catalog is, without credentials."""
    return str(catalog_file(settings) or "the PostgreSQL catalog")


def expect_catalog(settings: Settings) -> None:
    """Raises NoStore when there is nothing to read yet, LostCatalog when only the catalog is not there."""
    file = catalog_file(settings)
    if file and _is_empty(file):
        _expect_no_orphans(settings)
        raise NoStore(str(file))


def data_path(settings: Settings) -> str:
    """Where the Parquet files are: absolute, with a slash at its end."""
    path = settings.store.data_path or str(settings.data_path.absolute() / "data")
    if not on_s3(settings):
        path = str(Path(path).absolute())
    return path.rstrip("/") + "/"


def on_s3(settings: Settings) -> bool:
    """Whether the data is in object storage."""
    return settings.store.data_path.startswith("s3://")


def secrets(settings: Settings) -> tuple[str, ...]:
    """Values that DuckDB's messages may quote and that no message may repeat."""
    words = settings.store.catalog.split()
    passwords = [word.partition("=")[2].strip("'") for word in words if word.lower().startswith("password=")]
    return tuple(value for value in (settings.store.catalog, *passwords, settings.store.s3_secret) if value)


def load_extension(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load DuckDB's binary from the package `duckdb_extension_NAME`: no download. Raises NoExtension."""
    path = _packaged(name)
    if path is None:
        raise NoExtension(name, duckdb.__version__)
    con.execute(f"LOAD {quoted(str(path))}")


def _expect_no_orphans(settings: Settings) -> None:
    """A catalog that is gone is not replaced beside its files. Only for local files: listing a bucket takes long."""
    file = catalog_file(settings)
    if file is None or on_s3(settings) or not _is_empty(file):
        return
    data = data_path(settings)
    if next(Path(data).rglob("ducklake-*.parquet"), None) is not None:
        raise LostCatalog(str(file), data)


def _is_empty(file: Path) -> bool:
    """No SQLite in it, nor in its log of what is not in it yet."""
    return not any(part.exists() and part.stat().st_size for part in (file, Path(f"{file}-wal")))


def _config(access: Access) -> dict[str, str | bool | int | float | list[str]]:
    config: dict[str, str | bool | int | float | list[str]] = {
        **_BASE,
        "threads": access.threads,
        "memory_limit": f"{access.memory_mib}MiB",
    }
    if access.spill:
        return config
    # With one thread none of DuckDB's own is there to return what statements freed: the page's process kept 240 MiB more.
    config |= {"allocator_background_threads": "true"}
    folder = spill.folder() if access.spill_mib else ""
    return config | {"temp_directory": folder, "max_temp_directory_size": f"{access.spill_mib}MiB"}


def _prepare(con: duckdb.DuckDBPyConnection, settings: Settings, access: Access) -> None:
    for name in (*_extensions(settings, access.bucket), *access.extensions):
        load_extension(con, name)
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    con.execute(f"SET ducklake_max_retry_count = {MAX_RETRY_COUNT}")
    if access.write:
        # Upkeep reads a file once; the cache would grow to the memory limit.
        con.execute("SET enable_external_file_cache = false")
    if on_s3(settings):
        con.execute(_secret_sql(settings, settings.store.s3_key_id, settings.store.s3_secret))
    if access.bucket:
        con.execute(_secret_sql(settings, settings.store.s3_key_id, settings.store.s3_secret, access.bucket))


def _options(settings: Settings, access: Access) -> str:
    where = f"DATA_PATH {quoted(data_path(settings))}, OVERRIDE_DATA_PATH true"
    if not access.write:
        return f"READ_ONLY, {where}"
    journal = f", {_WAL}" if catalog_file(settings) else ""
    create = f"CREATE_IF_NOT_EXISTS {str(access.create).lower()}"
    return f"{where}{journal}, {create}, DATA_INLINING_ROW_LIMIT {settings.store.inline_rows}"


def _prepare_directory(settings: Settings) -> None:
    # DuckDB and SQLite create files 0644; the process keeps this mask because files are created all its life.
    os.umask(0o077)
    settings.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _extensions(settings: Settings, bucket: str = "") -> tuple[str, ...]:
    names = ("ducklake", "sqlite_scanner" if catalog_file(settings) else "postgres_scanner")
    if not (bucket or on_s3(settings)):
        return names
    return (*names, "httpfs") if settings.store.s3_key_id else (*names, "httpfs", "aws")


def _packaged(name: str) -> Path | None:
    spec = find_spec(f"duckdb_extension_{name}")
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    files = [p / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension" for p in places]
    return next((file for file in files if file.exists()), None)


def _secret_sql(settings: Settings, key_id: str, secret: str, bucket: str = "") -> str:
    """For the lake's data, or for another place on S3: DuckDB takes the secret whose scope fits a URL best."""
    store = settings.store
    words = ["TYPE s3", f"SCOPE {quoted(bucket or data_path(settings))}", f"REGION {quoted(store.s3_region)}"]
    if store.s3_key_id:
        words += [f"KEY_ID {quoted(key_id)}", f"SECRET {quoted(secret)}"]
    else:
        words.append("PROVIDER credential_chain")
    if store.s3_endpoint:
        words += [f"ENDPOINT {quoted(store.s3_endpoint)}", "URL_STYLE 'path'"]
    words.append(f"USE_SSL {str(store.s3_use_ssl).lower()}")
    return f"CREATE SECRET why401_s3{'_bucket' if bucket else ''} ({', '.join(words)})"


def _without_password(words: str) -> str:
    return " ".join(word for word in words.split(" ") if not word.lower().startswith("password="))
