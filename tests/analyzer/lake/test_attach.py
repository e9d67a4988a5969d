"""The one door: the same place, the same extensions and the same locks for whoever comes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from analyzer.lake import Access, NoExtension, NoStore, connect
from analyzer.lake.attach import data_path, load_extension, writer
from analyzer.lake.reader import Reader
from analyzer.store import Store, open_store
from collector.settings import Settings, StoreSettings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import failing
from tests.brokers import free_ports

ROOT = Path(__file__).parents[3]
LOCKED = {
    "python variables": "SELECT * FROM not_a_table",
    "a file": "SELECT * FROM read_text('/etc/hostname')",
    "a file beside the data": "SELECT * FROM read_blob('{data_dir}/pseudonym.key')",
    "a write": "CREATE TABLE x AS SELECT 1",
    "an export": "COPY (SELECT 1) TO '{data_dir}/x.csv'",
    "another database": "ATTACH '/tmp/why401-should-not-exist.duckdb' AS other",
    "more memory": "SET memory_limit = '64GB'",
    "more files": "SET enable_external_access = true",
    "other extensions": "SET allow_community_extensions = true",
    "a spill": "SET max_temp_directory_size = '1GB'",
}


@pytest.mark.parametrize("sql", LOCKED.values(), ids=LOCKED)
def test_a_locked_connection_reads_the_lake_and_nothing_else(store: Store, sql: str) -> None:
    """Each lock works by itself, without the check of statements in front of it."""
    not_a_table = pa.table({"x": [1]})  # a replacement scan would find it
    (store.settings.data_path / "pseudonym.key").write_text("{}")
    with connect(store.settings, Access(memory_mib=256)) as con, pytest.raises(duckdb.Error):
        con.execute(sql.format(data_dir=store.settings.data_dir)).fetchall()

    assert 1 == len(not_a_table)


def test_a_reader_that_needs_more_than_its_memory_fails(store: Store) -> None:
    """It neither spills to the disk nor grows."""
    with connect(store.settings, Access(memory_mib=64)) as con, pytest.raises(duckdb.OutOfMemoryException):
        con.execute("SELECT count(DISTINCT md5(range::VARCHAR)) FROM range(5000000)").fetchall()


@pytest.mark.parametrize("catalog", ["", "sqlite:lake/catalog.sqlite"])
def test_a_relative_place_is_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalog: str) -> None:
    """Writer and page find the same files from a relative data_path and catalog, wherever the page's process goes later."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lake").mkdir()
    relative = replace(
        Settings(), data_dir="lake", store=StoreSettings(data_path="files", catalog=catalog, inline_rows=0)
    )
    store = open_store(relative, Telemetry())
    store.append([failing(n) for n in range(9)], [], {})
    store.close()
    page = Reader(relative, Access(memory_mib=256), timeout_s=30)

    assert 9 == page.table("SELECT count(*) AS n FROM failures")["n"][0].as_py()
    assert f"{tmp_path}/files/" == data_path(relative)
    assert list((tmp_path / "files").rglob("*.parquet"))
    page.close()


def test_no_store_is_made_by_looking(settings: Settings) -> None:
    """A reader finds none; the writer makes one."""
    with pytest.raises(NoStore):
        connect(settings, Access(memory_mib=64))
    assert not settings.data_path.exists()

    connect(settings, writer(settings)).close()
    assert settings.data_path.exists()


def test_an_extension_is_never_downloaded() -> None:
    """One that is not installed is named with its package."""
    with duckdb.connect() as con, pytest.raises(NoExtension, match=r"pip install duckdb-extension-no-such==\d"):
        load_extension(con, "no_such")


def test_every_extension_that_settings_can_ask_for_is_pinned() -> None:
    """In the engine's version, among the dependencies: docs/decisions/0003."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = ("ducklake", "sqlite-scanner", "postgres-scanner", "httpfs", "aws", "quack")

    assert [] == [name for name in names if f'"duckdb-extension-{name}=={duckdb.__version__}"' not in text]


def test_nothing_else_connects_to_duckdb() -> None:
    """A second door would have other locks. why401/cli/doctor.py opens an empty database to try the extensions."""
    doors = {
        str(path.relative_to(ROOT))
        for package in ("collector", "analyzer", "dashboard", "why401")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "duckdb.connect"
    }

    assert {"analyzer/lake/attach.py", "why401/cli/doctor.py"} == doors


def test_the_page_reads_s3_with_the_aws_credential_chain(
    tmp_path: Path, bucket: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without s3_key_id, writer and page take the credentials from the environment, as the AWS tools do."""
    pytest.importorskip("duckdb_extension_aws")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    endpoint, name = bucket
    about = StoreSettings(data_path=f"s3://{name}/lake/", s3_endpoint=endpoint, s3_use_ssl=False, inline_rows=0)
    settings = replace(Settings(), data_dir=str(tmp_path / "data"), store=about)
    store = open_store(settings, Telemetry())
    store.append([failing(n) for n in range(9)], [], {})
    page = Reader(settings, Access(memory_mib=256, threads=2), timeout_s=60)

    assert 9 == page.table("SELECT count(*) AS n FROM failures")["n"][0].as_py()
    with connect(settings, Access(memory_mib=256)) as con:
        assert [("credential_chain",)] == con.execute("SELECT provider FROM duckdb_secrets()").fetchall()
    page.close()
    store.close()


@pytest.fixture
def bucket() -> Iterator[tuple[str, str]]:
    """An S3 service on loopback with one bucket: (endpoint, bucket)."""
    import urllib.request

    from moto.server import ThreadedMotoServer

    (port,) = free_ports(1)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/lake-chain", method="PUT")).close()
    yield f"127.0.0.1:{port}", "lake-chain"
    server.stop()
