"""A lake that an earlier release made: this one reads it, migrates it and goes on writing to it."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analyzer.lake import connect_reader, run_query
from analyzer.lake.view_files import view_names
from analyzer.store import open_store
from collector.settings import Settings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import failing

# Made by `why401 up --no-follow` of each release from lines of tests/fixtures/gateways: 53 groups, 82 failures.
MADE = datetime(2026, 11, 29, tzinfo=UTC)  # retention counts from here, however old the fixture gets
LAKES = sorted((Path(__file__).parents[2] / "fixtures" / "lakes").glob("*.tar.xz"))


@pytest.fixture(params=LAKES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a lake as that release left it."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    return Settings(data_dir=str(folder))


def groups(settings: Settings) -> dict[str, int]:
    with connect_reader(settings, memory_mib=256) as con:
        rows = run_query(con, "SELECT group_id, failures FROM groups", timeout_s=60).rows
    return {str(group_id): int(failures) for group_id, failures in rows}


def test_a_reader_needs_no_migration(old: Settings) -> None:
    """The page of this release, started before its writer, shows what is there."""
    found = groups(old)

    assert (53, 82) == (len(found), sum(found.values()))


def test_the_writer_takes_it_over(old: Settings) -> None:
    """Groups keep their ids and counts, every view of this release answers, and new failures are added."""
    before = groups(old)
    store = open_store(old, Telemetry())
    store.append([failing(n) for n in range(3)], [], {})
    store.maintain(MADE)
    after = groups(old)
    with connect_reader(old, memory_mib=256) as con:
        sides = run_query(
            con, "SELECT expected, received, count(*) FROM failures GROUP BY ALL ORDER BY ALL", timeout_s=60
        ).rows
        columns = {name: run_query(con, f"SELECT * FROM {name} LIMIT 1").columns for name in view_names()}
    store.close()

    assert before.items() <= after.items()
    assert sum(before.values()) + 3 == sum(after.values())
    assert all(columns.values())
    assert [("", "", 82), ("b", "a", 3)] == [tuple(row) for row in sides]
