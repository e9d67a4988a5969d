"""Readers: beside a writer, in their own process, within limits."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from analyzer.lake import NoStore, NotOneQuery, QueryTimeout, attach, attach_sql, connect_reader, run_query
from collector.settings import Settings, StoreSettings
from tests.analyzer.verdict_samples import failing
from tests.waiting import HANG_S

WRITER = Path(__file__).parents[1] / "lake_writer.py"


def test_a_reader_beside_a_writer_sees_whole_commits(settings):
    """While another process commits and maintains, every query's rows agree with the offset and the sums."""
    writer = subprocess.Popen(
        [sys.executable, WRITER, settings.data_dir, "", "0", "200", "6000"], stdout=subprocess.PIPE
    )
    writer.stdout.readline()
    con = connect_reader(settings, memory_mib=256)
    sql = """
    SELECT (SELECT next FROM positions), (SELECT count(*) * 10 / 9 FROM failures)::BIGINT,
        (SELECT sum(requests) FROM trend)::BIGINT, (SELECT failures * 10 / 9 FROM groups)::BIGINT
    """
    seen = set()
    while writer.poll() is None:
        (row,) = run_query(con, sql).rows
        assert {row[0]} == set(row)
        seen.add(row[0])
    writer.communicate()

    assert 0 == writer.returncode
    assert len(seen) > 3
    assert [(6000,) * 4] == run_query(con, sql).rows
    con.close()


def test_a_query_is_interrupted_and_the_connection_goes_on(store):
    """A query that never ends raises QueryTimeout; the next one works."""
    con = connect_reader(store.settings, memory_mib=256)
    started = time.monotonic()
    with pytest.raises(QueryTimeout) as caught:
        run_query(con, "SELECT count(*) FROM range(10000000000) a, range(1000) b", timeout_s=0.2)

    assert 0.2 == caught.value.timeout_s
    assert time.monotonic() - started < HANG_S
    assert [(0,)] == run_query(con, "SELECT count(*) FROM failures").rows
    con.close()


FORBIDDEN = {
    "file": "SELECT * FROM read_text('/etc/hostname')",
    "data_dir": "SELECT * FROM read_text('{data_dir}/catalog.sqlite')",
    "attach": "ATTACH '/tmp/x.duckdb'",
    "copy": "COPY (SELECT 1) TO '{data_dir}/data/x.csv'",
    "insert": "INSERT INTO store.notes VALUES ('x', now(), '', 'muted', '')",
    "delete": "DELETE FROM store.events",
    "settings": "SET memory_limit = '64GB'",
    "extension": "INSTALL spatial",
    "two statements": "SELECT 1; SELECT 2",
    "call": "CALL ducklake_flush_inlined_data('lake')",
    "upkeep as a table": "SELECT * FROM ducklake_flush_inlined_data('lake')",
    "upkeep in a subquery": "SELECT (SELECT count(*) FROM Ducklake_Merge_Adjacent_Files('lake'))",
    "another SQLite file": "FROM sqlite_scan('{data_dir}/catalog.sqlite', 'ducklake_snapshot')",
    "SQL in a text": "FROM query('SELECT 1')",
}


@pytest.mark.parametrize("sql", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_reader_only_reads(store, sql):
    """What is not one SELECT over the lake is refused."""
    con = connect_reader(store.settings, memory_mib=256)
    with pytest.raises((duckdb.Error, NotOneQuery)):
        run_query(con, sql.format(data_dir=store.settings.data_dir))
    con.close()


def test_a_reader_loads_no_extension(store, tmp_path):
    """Signatures are not checked (decision 32), so nothing is loaded once a reader is open: by no path, not even ours."""
    copy = shutil.copy(attach._packaged("httpfs"), tmp_path)
    con = connect_reader(store.settings, memory_mib=256)
    for file in (copy, attach._packaged("httpfs")):
        with pytest.raises(duckdb.PermissionException, match="disabled"):
            con.execute(f"LOAD '{file}'")
    con.close()


def test_there_is_nothing_to_read_before_the_first_writer(settings):
    """The error says where the store would be."""
    with pytest.raises(NoStore, match=r"catalog\.sqlite"):
        connect_reader(settings, memory_mib=256)


def test_the_pasted_lines_attach_the_lake(store):
    """Any DuckDB that has the extensions runs `attach_sql` as it is."""
    from analyzer.lake.attach import load_extension

    store.append([failing()], [], {})
    con = duckdb.connect()
    for name in ("ducklake", "sqlite_scanner"):
        load_extension(con, name)
    lines = [line for line in attach_sql(store.settings).splitlines() if not line.startswith("INSTALL")]
    con.execute("\n".join(lines))

    assert [(1,)] == con.execute("SELECT count(*) FROM failures").fetchall()
    con.close()


def test_the_pasted_lines_hold_no_secret():
    """Passwords and keys are for the user to fill in."""
    store = StoreSettings(
        catalog="postgres:dbname=lake host=db password=hunter2",
        data_path="s3://lake/x",
        s3_key_id="AKIA",
        s3_secret="s3cr3t",
    )
    text = attach_sql(replace(Settings(), store=store))

    assert "hunter2" not in text
    assert "s3cr3t" not in text
    assert "s3://lake/x/" in text
