"""The distributed store: a PostgreSQL catalog, data on S3, several writers."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from analyzer.lake import connect_reader, damage, run_query, snapshot
from analyzer.lake.errors import BrokenBackup, NotCopied, NotRestored, StoreUnavailable
from analyzer.store import open_store, repair
from analyzer.store.backup import backup
from analyzer.store.restore import check, restore
from collector.records import Position
from collector.settings import StoreSettings
from collector.telemetry import Telemetry
from tests.analyzer.lake_helpers import racing
from tests.analyzer.verdict_samples import failing, passing
from tests.brokers import free_ports

WRITER = Path(__file__).parents[1] / "lake_writer.py"
pytestmark = pytest.mark.postgres


def test_writers_of_one_lake(settings, postgres_catalog):
    """Three processes append and maintain at once: every offset of every partition is there once."""
    writers = [
        subprocess.Popen(
            [sys.executable, WRITER, settings.data_dir, postgres_catalog, str(n), "50", "500"], stdout=subprocess.PIPE
        )
        for n in range(3)
    ]
    for writer in writers:
        writer.communicate()
    assert [0, 0, 0] == [writer.returncode for writer in writers]

    con = connect_reader(replace(settings, store=StoreSettings(catalog=postgres_catalog)), memory_mib=256)
    sql = "SELECT origin_partition, count(*), count(DISTINCT origin_offset) FROM lake.store.events GROUP BY ALL ORDER BY ALL"
    assert [(n, 500, 500) for n in range(3)] == run_query(con, sql).rows
    assert [(0, 500), (1, 500), (2, 500)] == run_query(con, "SELECT partition, next FROM positions ORDER BY ALL").rows
    assert [(1500,)] == run_query(con, "SELECT sum(requests)::BIGINT FROM trend").rows
    con.close()


def test_one_of_many_first_commits_wins(settings, postgres_catalog):
    """Two first commits of a partition conflict in PostgreSQL too."""
    assert (1, 2, [(1,), (2,)]) == racing(replace(settings, store=StoreSettings(catalog=postgres_catalog)), 3)


@pytest.mark.parametrize("text", ["nul \0 byte", "quote ' and \\ and \"", "🙂"])
def test_any_text_is_stored(settings, postgres_catalog, text):
    """Inlined rows in PostgreSQL keep their characters."""
    store = open_store(replace(settings, store=StoreSettings(catalog=postgres_catalog)), Telemetry())
    store.append([failing(route=text)], [], {})

    assert [(text.replace("\0", ""),)] == store.rows("SELECT route FROM failures")
    store.close()


def test_data_on_s3(settings, postgres_catalog, bucket):
    """Files go to the bucket; readers, maintenance and snapshots find them there."""
    endpoint, name = bucket
    about = StoreSettings(
        catalog=postgres_catalog, data_path=f"s3://{name}/lake/", s3_endpoint=endpoint, s3_key_id="test",
        s3_secret="test", s3_use_ssl=False,
    )  # fmt: skip
    settings = replace(settings, store=about)
    store = open_store(settings, Telemetry())
    store.append([failing(n) for n in range(300)] + [passing()], [Position("t", 0, 0, 301)], {})
    store.maintain()
    con = connect_reader(settings, memory_mib=256)

    assert [(300,)] == run_query(con, "SELECT count(*) FROM failures").rows
    assert [(301,)] == run_query(con, "SELECT sum(requests)::BIGINT FROM trend").rows
    snapshot(settings, settings.data_path / "copy.duckdb")
    assert 0 == store._telemetry.value("why401.errors")
    con.close()
    store.close()


def test_a_backup_goes_from_one_kind_of_lake_to_the_other(store, settings, postgres_catalog, bucket, tmp_path):
    """SQLite and local files → a backup on S3 → PostgreSQL and S3 → a backup in a folder → the same rows and positions."""
    endpoint, name = bucket
    s3 = StoreSettings(s3_endpoint=endpoint, s3_key_id="test", s3_secret="test", s3_use_ssl=False)
    embedded = replace(store.settings, store=s3)
    distributed = replace(settings, store=replace(s3, catalog=postgres_catalog, data_path=f"s3://{name}/second/"))
    store.append([failing(n) for n in range(300)], [Position("t", 0, 0, 300)], {})
    backup(embedded, f"s3://{name}/backup", print)
    restore(distributed, f"s3://{name}/backup")
    with pytest.raises(NotCopied, match="not empty"):
        backup(embedded, f"s3://{name}/backup", print)
    with pytest.raises(NotRestored, match="there is a lake"):
        restore(distributed, f"s3://{name}/backup")
    with pytest.raises(BrokenBackup, match=r"no backup\.json"):
        restore(distributed, f"s3://{name}/nothing")
    with closing(open_store(distributed, Telemetry())) as restored:
        restored.append([failing(1)], [Position("t", 0, 300, 301)], {})
        found = restored.rows("SELECT (SELECT count(*) FROM failures), next FROM positions")
        backup(distributed, str(tmp_path / "copy"), print)

    assert [(301, 301)] == found
    assert 301 == check(settings, str(tmp_path / "copy")).tables["events"].rows


def test_damage_on_s3_is_found_and_detached(settings, postgres_catalog, bucket):
    """A missing, a cut and an overwritten object: said with rows and time, detached, and the rest answers; a bucket that is away is no damage."""
    endpoint, name = bucket
    s3 = StoreSettings(
        catalog=postgres_catalog, data_path=f"s3://{name}/hurt/", s3_endpoint=endpoint, s3_key_id="test", s3_secret="test", s3_use_ssl=False
    )  # fmt: skip
    settings = replace(settings, store=s3)
    with closing(open_store(settings, Telemetry())) as store:
        for first in range(0, 600, 150):
            store.append([failing(n) for n in range(first, first + 150)], [Position("t", 0, first, first + 150)], {})
        files = store.rows("SELECT data_file FROM ducklake_list_files('lake', 'events', schema => 'store')")
        missing, cut, changed, _ = (file.removeprefix(f"s3://{name}/") for (file,) in files)
        s3_client = boto3.client(
            "s3", endpoint_url=f"http://{endpoint}", aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
        )  # fmt: skip
        content = s3_client.get_object(Bucket=name, Key=cut)["Body"].read()
        s3_client.delete_object(Bucket=name, Key=missing)
        s3_client.put_object(Bucket=name, Key=cut, Body=content[: len(content) // 2])
        s3_client.put_object(Bucket=name, Key=changed, Body=content[:1000] + b"\xff" * 4000 + content[5000:])
        found = damage.find(settings)
        detached = repair.detach(settings, found)
        left = store.rows("SELECT count(*) FROM failures")
        store.maintain()
        errors = store._telemetry.by("why401.errors", "kind")
    with pytest.raises(StoreUnavailable):
        damage.find(replace(settings, store=replace(s3, s3_endpoint=f"127.0.0.1:{free_ports(1)[0]}")))

    assert {file.rpartition("/")[2] for (file,) in files[:3]} == {one.path.rpartition("/")[2] for one in found}
    assert [150] * 3 == [one.rows for one in found]
    assert all(one.since and one.until for one in found)
    assert (3, [(150,)], ()) == (len(detached), left, damage.find(settings))
    assert not errors


def test_no_restore_beside_data_files_on_s3(settings, postgres_catalog, bucket, tmp_path):
    """Those of a lake whose catalog is gone: upkeep would delete them."""
    endpoint, name = bucket
    s3 = StoreSettings(
        data_path=f"s3://{name}/lost/", s3_endpoint=endpoint, s3_key_id="test", s3_secret="test", s3_use_ssl=False
    )
    lost = replace(settings, store=s3)
    with closing(open_store(lost, Telemetry())) as store:
        store.append([failing(n) for n in range(300)], [], {})
    backup(lost, str(tmp_path / "copy"), print)
    with pytest.raises(NotRestored, match="data files of another lake"):
        restore(replace(settings, store=replace(s3, catalog=postgres_catalog)), str(tmp_path / "copy"))


@pytest.fixture(scope="module")
def bucket():
    """An S3 service on loopback with one bucket: (endpoint, bucket)."""
    from moto.server import ThreadedMotoServer

    (port,) = free_ports(1)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/lake-test", method="PUT")).close()
    yield f"127.0.0.1:{port}", "lake-test"
    server.stop()
