"""What the threat tests share: a lake made by the product, remote SQL over it, and a DuckDB client that attaches."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest

from analyzer.lake.view_files import quoted
from benchmarks.traffic import envoy_json
from tests.brokers import free_ports
from tests.dashboard.conftest import chromium, serve, use, visit
from tests.threats.quack_client import Client, Clients, Rows
from tests.waiting import HANG_S, eventually

__all__ = ["chromium", "serve", "use", "visit"]
TIMEOUT_S = 60.0  # no question of a test is to be ended by it on a slow machine
BRIEF_S = 4.0  # for the questions that have no end
CONFIG = """
data_dir = "{folder}/data"
[otlp]
grpc = ""
http = ""
[telemetry]
prometheus = ""
[dashboard]
memory_mib = 256
"""


@pytest.fixture(scope="session")
def real_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a lake with refusals in it, in Parquet files and in the catalog, as `why401 up` leaves it."""
    folder = tmp_path_factory.mktemp("real")
    config = folder / "why401.toml"
    config.write_text(CONFIG.format(folder=folder))
    for name, count in (("large", 2_000), ("small", 50)):  # beyond store.inline_rows: a file of its own
        (folder / f"{name}.log").write_text("\n".join(envoy_json(count, tokens=20)) + "\n")
        fill(config, folder / f"{name}.log")
    assert list((folder / "data").rglob("*.parquet"))
    return config


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a lake made of what outsiders would write; through the whole product, redaction included."""
    from tests.threats.hostile import lines

    folder = tmp_path_factory.mktemp("hostile-real")
    config = folder / "why401.toml"
    config.write_text(CONFIG.format(folder=folder))
    (folder / "access.log").write_text("\n".join(lines()) + "\n")
    fill(config, folder / "access.log")
    return config


def fill(config: Path, log: Path) -> None:
    """Put a log file into the lake, by the product."""
    command = [sys.executable, "-m", "why401", "up", "--config", str(config), "--file", str(log), "--no-follow"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * HANG_S)
    assert 0 == done.returncode, done.stderr


@dataclass
class Remote:
    """A running `why401 sql --serve`."""

    config: Path
    address: str
    token: str
    process: subprocess.Popen[str]
    log: Path
    clients: Clients

    @property
    def data_dir(self) -> Path:
        """Where the lake, the tokens and the audit log are."""
        return self.config.parent / "data"

    def client(self, token: str | None = None) -> Client:
        """A DuckDB of its own, attached as `r`; waits for a server that is being started anew."""
        con = self.clients.new()
        con.rows(f"CREATE SECRET (TYPE quack, TOKEN {quoted(token or self.token)})")
        deadline = time.monotonic() + HANG_S
        while True:
            try:
                con.rows(f"ATTACH {quoted('quack:' + self.address)} AS r")
                return con
            except duckdb.IOException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def remote_query(con: Client, sql: str) -> Rows:
    """The rows of a statement that the server runs. Raises duckdb.Error."""
    return con.rows(f"FROM r.query({quoted(sql)})")


@pytest.fixture(scope="session")
def serve_sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Remote]]:
    """Start `why401 sql --serve` over a configuration; stopped at the end by SIGTERM."""
    running: list[Remote] = []
    clients = Clients()

    def _serve(config: Path, *options: str) -> Remote:
        address = f"127.0.0.1:{free_ports(1)[0]}"
        log = tmp_path_factory.mktemp("remote") / "log"
        command = [sys.executable, "-m", "why401", "sql", "--serve"]
        command += ["--config", str(config), "--address", address]
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [*command, "--timeout", str(TIMEOUT_S), *options], stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        assert process.stdout
        eventually(lambda: "ready on" in log.read_text() or process.poll() is not None, "remote SQL is ready")
        assert process.poll() is None, log.read_text()
        token = "" if "--token-file" in options else process.stdout.readline().strip()
        running.append(Remote(config, address, token, process, log, clients))
        return running[-1]

    yield _serve
    clients.close()
    for remote in running:
        remote.process.terminate()
        remote.process.communicate(timeout=HANG_S)
        assert 0 == remote.process.returncode, remote.log.read_text()


@pytest.fixture(scope="session")
def remote(real_lake: Path, serve_sql: Callable[..., Remote]) -> Remote:
    """Remote SQL over the real lake."""
    return serve_sql(real_lake)


@pytest.fixture(scope="session")
def brief(real_lake: Path, serve_sql: Callable[..., Remote], tmp_path_factory: pytest.TempPathFactory) -> Remote:
    """The same with a short time-out and a token of its own, for what is to be ended by it."""
    secret = "of-the-server-with-a-short-time-out"
    file: Path = tmp_path_factory.mktemp("brief") / "token"
    file.touch(0o600)
    file.write_text(secret)
    options = ("--timeout", str(BRIEF_S), "--token-file", str(file), "--client", "brief")
    return replace(serve_sql(real_lake, *options), token=secret)


@pytest.fixture(scope="module")
def asking(remote: Remote) -> Iterator[Client]:
    """A client that stays attached for a module's statements that do not kill the server."""
    con = remote.client()
    yield con
    con.close()
