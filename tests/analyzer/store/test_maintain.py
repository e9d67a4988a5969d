"""Upkeep changes what is stored only where retention says so."""

from __future__ import annotations

import dataclasses
import random
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from analyzer.store import maintain, open_memory_store
from collector.settings import Settings, StoreSettings
from tests.analyzer.verdict_samples import GROUP, START_S, failing, passing

BEGUN = datetime.fromtimestamp(START_S, UTC)
DAY = 86_400
ALL = {
    name: f"SELECT * FROM {name} ORDER BY ALL"
    for name in ("failures", "groups", "trend", "traffic", "issuers", "keys", "token_shapes", "changes", "pipeline")
}


def test_maintenance_changes_no_view(store, monkeypatch):
    """Adding up, flushing, merging and expiring leave every view as it was."""
    monkeypatch.setattr(maintain, "COMPACT_ROWS", 1)
    for n in range(8):
        store.append([failing(n), failing(n + 40), passing(n)], [], {("received", ""): 3})
    before = {name: store.rows(sql) for name, sql in ALL.items()}
    rows = store.rows("SELECT count(*) FROM store.deltas")
    store.maintain(BEGUN + timedelta(hours=2))
    store.maintain(BEGUN + timedelta(hours=2, minutes=5))

    assert before == {name: store.rows(sql) for name, sql in ALL.items()}
    assert store.rows("SELECT count(*) FROM store.deltas") < rows
    assert [(2,)] == store.rows("SELECT count(*) FROM store.rollups")
    assert 0 == store._telemetry.value("why401.errors")


def test_retention_by_class(store):
    """Events go after days, sums and groups after months."""
    old, recent = dataclasses.replace(GROUP, id="v1-old"), dataclasses.replace(GROUP, id="v1-recent")
    store.append(
        [failing(at_s=START_S - 500 * DAY, group=old), failing(at_s=START_S - 100 * DAY, group=recent)], [], {}
    )
    store.append([failing(at_s=START_S)], [], {})
    store.maintain(BEGUN)

    assert [(1,)] == store.rows("SELECT count(*) FROM failures")
    assert [(GROUP.id, 1), ("v1-recent", 1)] == store.rows("SELECT group_id, failures FROM groups ORDER BY group_id")
    assert [(2,)] == store.rows("SELECT count(*) FROM store.descriptions")
    assert [(2,)] == store.rows("SELECT sum(requests) FROM trend")


def test_the_size_cap_takes_the_oldest_events(monkeypatch):
    """Beyond the cap events go by age; sums stay."""
    store = open_memory_store(Settings(store=StoreSettings(max_size_mib=64)))
    monkeypatch.setattr(maintain, "_MIB", 2048)  # 64 units of 2 KiB: a cap that a test can fill
    noise = random.Random(1)
    store.append([failing(n, request_id=noise.randbytes(100).hex()) for n in range(2_000)], [], {})
    for _ in range(4):
        store.maintain(BEGUN + timedelta(hours=1))

    ((left, oldest),) = store.rows("SELECT count(*), min(epoch(event_time))::BIGINT FROM failures")
    [(size,)] = store.rows("SELECT sum(file_size_bytes)::BIGINT FROM ducklake_table_info('lake')")
    assert 0.7 < size / (64 * 2048) <= 1
    assert oldest == START_S + 2_000 - left
    assert [(2_000,)] == store.rows("SELECT failures FROM groups")
    store.close()


def test_old_files_are_deleted_after_the_grace(store):
    """Merged files stay for running readers, then go."""
    for n in range(5):
        store.append([failing(n) for _ in range(150)], [], {})
    files = store.settings.data_path / "data"
    store.maintain(datetime.now(UTC))
    during = len(list(files.rglob("events/*.parquet")))
    store.maintain(datetime.now(UTC) + timedelta(days=3))
    after = len(list(files.rglob("events/*.parquet")))

    assert (during, after) == (6, 1)


def test_files_of_others_are_not_deleted(store, caplog):
    """Backups, tables of somebody, another lake's files: what this lake cannot have written stays, and is told once."""
    store.append([failing(n) for n in range(150)], [], {})
    data = store.settings.data_path / "data"
    older = "ducklake-01900000-0000-7000-8000-000000000000.parquet"  # of 2024
    foreign = [data / "backup" / "events" / "part-0.parquet", data / "store" / "events" / older]
    (own,) = (data / "store" / "events").glob("*.parquet")
    orphan = own.with_name(own.name.replace(own.name[-12:-8], "ffff"))
    for file in (*foreign, orphan):
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(own, file)
    for days in (3, 4):
        store.maintain(datetime.now(UTC) + timedelta(days=days))
    assert [True] * 4 == [file.exists() for file in (*foreign, orphan, own)]
    (told,) = [record.getMessage() for record in caplog.records if "not of this lake" in record.getMessage()]
    assert told.startswith("upkeep: 2 Parquet files")

    for file in foreign:
        file.unlink()
    store.maintain(datetime.now(UTC) + timedelta(days=5))
    assert [False, True] == [orphan.exists(), own.exists()]


@pytest.mark.parametrize("name", [name for name, _ in maintain.STEPS])
def test_each_step_runs_on_an_empty_store(store, name):
    """No step needs data."""
    dict(maintain.STEPS)[name](store._connected(), store.settings.store, BEGUN, maintain.Upkeep())
