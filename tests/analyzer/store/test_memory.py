"""The writer's memory does not grow with the number of its commits."""

from __future__ import annotations

import subprocess

from analyzer.lake.attach import catalog_file
from analyzer.store import store as writer
from tests.analyzer.verdict_samples import failing

COMMITS = 24
REMEMBERED = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'"


def _remembered(store) -> list[int]:
    """Bytes that DuckDB keeps beside its tables after each commit."""
    out = []
    for n in range(COMMITS):
        store.append([failing(n)], [], {("received", ""): 1})
        out.append(store.rows(REMEMBERED)[0][0])
    return out


def test_what_ducklake_remembers_is_forgotten_now_and_then(store, monkeypatch):
    """After the first connections nothing more is remembered, and every row is there."""
    monkeypatch.setattr(writer, "MAX_CALLS", 12)
    sizes = _remembered(store)

    assert max(sizes[COMMITS // 2 :]) <= 1.2 * max(sizes[: COMMITS // 2])
    assert [(COMMITS,)] == store.rows("SELECT count(*) FROM failures")


def test_ducklake_remembers_every_commit(store):
    """Why we connect anew; when this fails, DuckLake has mended it and MAX_CALLS can go."""
    sizes = _remembered(store)
    grown = sizes[-1] - sizes[COMMITS // 2]

    assert writer.MAX_CALLS > 10 * COMMITS
    assert grown > 10_000 * (COMMITS - COMMITS // 2)  # bytes; some 24 kB a commit


def test_a_store_that_connects_anew_all_the_time_loses_nothing(store, ask, monkeypatch):
    """Appends, upkeep and questions on ever new connections, with a reader in the same process."""
    monkeypatch.setattr(writer, "MAX_CALLS", 3)
    for n in range(2):
        store.append([failing(n)], [], {("received", ""): 1})
        store.maintain()
        assert [(n + 1,)] == ask("SELECT count(*) FROM failures")

    sums = "SELECT counter, sum(value)::INT FROM pipeline GROUP BY counter ORDER BY counter"
    assert [("received", 2), ("stored", 2)] == store.rows(sums)
    assert 0 == store._telemetry.value("why401.errors")


def test_the_catalog_has_write_ahead_logging(store):
    """Bytes 18 and 19 of a SQLite file: 2 is WAL. A journal instead makes readers and the writer wait for each other."""
    store.append([failing()], [], {})
    head = subprocess.run(["head", "-c", "20", catalog_file(store.settings)], capture_output=True, check=True).stdout

    assert b"\x02\x02" == head[18:20]
