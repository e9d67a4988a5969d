"""Offsets in the transaction of their rows: exactly once, and one owner per partition."""

from __future__ import annotations

import pytest

from analyzer.store import open_store
from collector.errors import Fenced
from collector.records import Position
from collector.telemetry import Telemetry
from tests.analyzer.lake_helpers import racing
from tests.analyzer.verdict_samples import failing


def test_positions_follow_commits(store):
    """The next offset per partition; partitions never seen are left out, several batches of one are one step."""
    store.append([failing()], [Position("t", 0, 5, 7), Position("t", 0, 7, 9), Position("t", 1, 0, 4)], {})

    assert {0: 9, 1: 4} == store.positions("t", [0, 1, 2])
    assert {1: 4} == store.positions("t", [1])
    assert {} == store.positions("other", [0])


def test_a_batch_that_does_not_continue_is_fenced(store, ask):
    """A repeated batch is refused whole, with what was expected and found."""
    store.append([failing()], [Position("t", 0, 0, 1)], {})
    with pytest.raises(Fenced) as fenced:
        store.append([failing()], [Position("t", 1, 0, 1), Position("t", 0, 0, 1)], {})

    error = fenced.value
    assert ("t", 0, 0, 1) == (error.topic, error.partition, error.expected, error.found)
    assert [(1,)] == ask("SELECT count(*) FROM failures")
    assert {0: 1} == store.positions("t", [0, 1])


def test_the_loser_of_a_partition_is_fenced(settings):
    """Two stores take turns; the one that does not know of the other's commit is refused."""
    first, second = open_store(settings, Telemetry()), open_store(settings, Telemetry())
    first.append([failing()], [Position("t", 0, 0, 1)], {})
    second.append([failing()], [Position("t", 0, 1, 2)], {})
    with pytest.raises(Fenced):
        first.append([failing()], [Position("t", 0, 1, 2)], {})
    first.append([failing()], [Position("t", 0, 2, 3)], {})

    assert [(3,)] == first.rows("SELECT count(*) FROM failures")
    first.close()
    second.close()


def test_one_of_many_first_commits_wins(settings):
    """DuckLake has no unique keys: still, of four first commits one is taken."""
    assert (1, 3, [(1,), (2,)]) == racing(settings, 4)
