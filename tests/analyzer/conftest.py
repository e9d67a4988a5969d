"""Fixtures of the store's tests: a fresh store, and services that run on loopback for one session."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.lake import run_query
from analyzer.lake.attach import CATALOG_FILE, connect_reader
from analyzer.store import Store, open_store
from collector.settings import Settings
from collector.telemetry import Telemetry
from tests.brokers import free_ports
from tests.waiting import HANG_S

POSTGRES = Path("/usr/lib/postgresql")


@pytest.fixture(scope="session")
def empty_catalog(tmp_path_factory) -> Path:
    """The catalog of an empty store. Copying it takes a tenth of what the migrations take, which have tests of their own."""
    data_dir = tmp_path_factory.mktemp("empty")
    made = open_store(replace(Settings(), data_dir=str(data_dir)), Telemetry())
    made.open()
    made.close()
    return data_dir / CATALOG_FILE


@pytest.fixture
def store(empty_catalog, tmp_path_factory) -> Iterator[Store]:
    """An empty store."""
    data_dir = tmp_path_factory.mktemp("store")
    shutil.copy(empty_catalog, data_dir)
    fresh = open_store(replace(Settings(), data_dir=str(data_dir)), Telemetry())
    fresh.open()
    yield fresh
    fresh.close()


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Settings of a store that does not exist yet."""
    return replace(Settings(), data_dir=str(tmp_path / "data"))


@pytest.fixture
def ask(store):
    """Rows of a query, asked by a reader of its own."""
    con = connect_reader(store.settings, memory_mib=256)
    yield lambda sql, *params: run_query(con, sql, params).rows
    con.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The libpq words of a PostgreSQL server of our own, stopped at the end."""
    versions = sorted(POSTGRES.glob("*/bin/initdb"))
    if not versions:
        pytest.skip(f"no PostgreSQL server's binaries below {POSTGRES}")
    binaries = versions[-1].parent
    # PostgreSQL refuses to run as root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if prefix:
        shutil.chown(folder, "postgres")
    cluster, port = str(folder / "cluster"), str(free_ports(1)[0])
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    run = {"stdout": subprocess.DEVNULL, "cwd": str(folder)}
    subprocess.run(
        [*prefix, binaries / "initdb", "-D", cluster, "-U", "why401", "-A", "trust", "-E", "UTF8", "--locale=C"],
        check=True,
        **run,
    )
    subprocess.run(
        [
            *prefix,
            binaries / "pg_ctl",
            "-D",
            cluster,
            "-o",
            options,
            "-l",
            str(folder / "log"),
            "-w",
            "-t",
            f"{HANG_S:g}",
            "start",
        ],
        check=True,
        **run,
    )
    yield f"host=127.0.0.1 port={port} user=why401 dbname=postgres"
    subprocess.run([*prefix, binaries / "pg_ctl", "-D", cluster, "-m", "fast", "-w", "stop"], check=True, **run)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_catalog(postgres) -> str:
    """A catalog setting with an empty database behind it."""
    import duckdb

    from analyzer.lake.attach import load_extension

    name = f"lake{free_ports(1)[0]}"
    con = duckdb.connect()
    load_extension(con, "postgres_scanner")
    con.execute(f"ATTACH '{postgres}' AS pg (TYPE postgres)")
    con.execute(f"CALL postgres_execute('pg', 'CREATE DATABASE {name}', use_transaction => false)")
    con.close()
    return f"postgres:{postgres.replace('dbname=postgres', f'dbname={name}')}"
