"""A position that was deleted and comes back, and a lake that goes back: neither moves a reader back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.lake.attach import connect, writer
from analyzer.lake.errors import PositionsBroken
from analyzer.store import Store, fence, maintain, migrate, open_store
from analyzer.store.fence import Place
from collector.errors import Fenced
from collector.events import Origin
from collector.records import Position
from collector.settings import StoreSettings
from collector.telemetry import Telemetry
from tests.analyzer.verdict_samples import failing

TOPIC = "why401.events"
ROWS = 'SELECT "partition", next, epoch FROM store.offsets ORDER BY ALL'
PLACES = 'SELECT "partition", next FROM store.offsets ORDER BY ALL'
STORED = "SELECT count(*), count(DISTINCT origin_offset) FROM store.events"


def append(store: Store, first: int, end: int, partition: int = 0) -> None:
    verdicts = [failing(origin=Origin("kafka", TOPIC, partition, offset)) for offset in range(first, end)]
    store.append(verdicts, [Position(TOPIC, partition, first, end)], {})


# Commits (partition, first, end) before each flush: files with a position each, and one with a position that was deleted.
COMPACTIONS = {
    "merge": (maintain.merge, [[(0, 0, 2)], [(1, 0, 1)]]),
    "rewrite": (maintain.rewrite, [[(0, 0, 1), (0, 1, 2), (1, 0, 1)]]),
}


@pytest.mark.postgres
@pytest.mark.parametrize(("step", "flushed"), COMPACTIONS.values(), ids=COMPACTIONS)
def test_a_compaction_beside_a_commit_moves_no_reader_back(settings, postgres_catalog, step, flushed, monkeypatch):
    """DuckLake brings the deleted position back: it is not read, the next commit deletes it, and it is counted."""
    settings = replace(settings, store=StoreSettings(catalog=postgres_catalog))
    telemetry = Telemetry()
    upkeep, writer = open_store(settings, Telemetry()), open_store(settings, telemetry)
    for commits in flushed:
        for partition, first, end in commits:
            append(writer, first, end, partition)
        upkeep._called(lambda con: maintain.flush(con, settings.store, None, None))

    def beside_a_commit(con):
        monkeypatch.setattr(maintain, "_expect_lease", lambda _: append(writer, 2, 3))
        step(con, settings.store, None, None)

    upkeep._called(beside_a_commit)
    assert [(0, 2), (0, 3), (1, 1)] == writer.rows(PLACES), "DuckLake has learned better"

    assert {0: 3, 1: 1} == writer.positions(TOPIC, [0, 1])
    with pytest.raises(Fenced):
        append(writer, 2, 3)
    append(writer, 3, 4)
    assert [(0, 4), (1, 1)] == writer.rows(PLACES)
    assert 1 == telemetry.value("why401.errors", kind="resurrected")
    assert [(5,)] == writer.rows("SELECT count(*) FROM store.events")
    upkeep.close()
    writer.close()


def test_a_lake_that_lost_commits_is_not_written_to(settings):
    """What this process committed must be there; a sentence says what is, and a new process may go on from it."""
    store = open_store(settings, Telemetry())
    append(store, 0, 2)
    append(store, 2, 5)
    store.rows("DELETE FROM store.offsets")
    store.rows(
        f"INSERT INTO store.offsets BY NAME SELECT '{TOPIC}' AS topic, 0 AS \"partition\", 2 AS next, 1 AS epoch"
    )
    with pytest.raises(PositionsBroken, match=r"at offset 2 \(epoch 1\).*committed offset 5 \(epoch 2\)"):
        append(store, 2, 5)
    assert [(0, 2, 1)] == store.rows(ROWS)
    store.rows("DELETE FROM store.offsets")
    with pytest.raises(PositionsBroken, match="without a position"):
        append(store, 5, 6)
    store.close()

    fresh = open_store(settings, Telemetry())
    append(fresh, 2, 5)
    fresh.close()


def test_two_positions_of_one_epoch_end_the_writer(store):
    """Which of them is true cannot be known."""
    append(store, 0, 2)
    store.rows(
        f"INSERT INTO store.offsets BY NAME SELECT '{TOPIC}' AS topic, 0 AS \"partition\", 7 AS next, 1 AS epoch"
    )
    with pytest.raises(PositionsBroken, match="two positions of epoch 1"):
        append(store, 7, 8)
    assert [(2,)] == store.rows("SELECT count(*) FROM store.events")


def test_a_watermark_that_comes_back_takes_nothing_again(store):
    """The row that is further counts, whichever is found first."""
    events = [failing(origin=Origin("kafka", "raw", 0, offset)) for offset in range(4)]
    store.append(events, [Position(TOPIC, 0, 0, 4)], {})
    for _ in range(2):
        store.rows(
            "INSERT INTO store.watermarks BY NAME SELECT 'raw' AS topic, 0 AS \"partition\", 2 AS next, 1 AS seen"
        )
    store.append(events, [Position(TOPIC, 0, 4, 8)], {})

    assert [(4, 4)] == store.rows(STORED)
    assert [(4, 1)] == store.rows("SELECT next, seen FROM store.watermarks")


@given(
    commits=st.lists(st.integers(1, 500), min_size=1, max_size=20),
    back=st.lists(st.integers(0, 19), max_size=10),
    seed=st.randoms(use_true_random=False),
)
def test_whatever_comes_back_the_last_commit_is_the_position(commits, back, seed):
    """Any earlier rows, any number of times, in any order; offsets may also fall, in a topic that was made anew."""
    rows = [("t", 0, following, epoch) for epoch, following in enumerate(commits, start=1)]
    lake = [rows[-1], *(rows[n] for n in back if n < len(rows))]
    seed.shuffle(lake)
    seen = fence.found(lake)

    assert {("t", 0): Place(next=commits[-1], epoch=len(commits))} == seen.places
    assert len(lake) - 1 == seen.came_back


def test_rows_of_a_release_without_epochs_are_taken_over(settings, monkeypatch):
    """Of several rows the furthest is the position, because what came back was behind. The next commit begins to count."""
    known = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: known[:1])
    monkeypatch.setattr(migrate, "views", tuple)
    with connect(settings, writer(settings)) as old:
        migrate.migrate(old)
        old.execute(f"INSERT INTO store.offsets SELECT '{TOPIC}', 0, unnest([40, 70, 50]), now()")
    monkeypatch.undo()
    store = open_store(settings, Telemetry())
    assert {0: 70} == store.positions(TOPIC, [0])
    append(store, 70, 90)

    assert [(0, 90, 1)] == store.rows(ROWS)
    store.close()
