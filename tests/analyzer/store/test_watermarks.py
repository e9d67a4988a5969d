"""Raw records that a collector sends again after a crash are taken once."""

from __future__ import annotations

import dataclasses

import pytest

from collector.events import Origin
from collector.records import Position
from tests.analyzer.verdict_samples import failing

FIRST, SECOND = 1, 2  # two readings of the raw topic

# Appends of (raw offset, number of the event in its record, reading); how many of each are taken.
CASES = {
    "one event a record, sent again": (
        [[(1, 0, FIRST), (2, 0, FIRST)], [(1, 0, SECOND), (2, 0, SECOND), (3, 0, SECOND)]],
        [2, 1],
    ),
    "sent again in the same append": (
        [[(1, 0, FIRST), (2, 0, FIRST), (1, 0, SECOND), (2, 0, SECOND), (3, 0, SECOND)]],
        [3],
    ),
    "the last record alone sent again": ([[(1, 0, FIRST)], [(1, 0, SECOND)]], [1, 0]),
    "the last record sent again by a clock that was set back": (
        [[(1, 0, FIRST)], [(2, 0, SECOND)], [(1, 0, FIRST), (2, 0, SECOND)]],
        [1, 1, 0],
    ),
    "three events of one record": ([[(1, 0, FIRST), (1, 1, FIRST), (1, 2, FIRST), (2, 0, FIRST)]], [4]),
    "a record over two appends": ([[(1, 0, FIRST), (1, 1, FIRST)], [(1, 2, FIRST), (2, 0, FIRST)]], [2, 2]),
    "a record sent in part, then whole": ([[(1, 0, FIRST)], [(1, 0, SECOND), (1, 1, SECOND), (2, 0, SECOND)]], [1, 2]),
    "gaps": ([[(1, 0, FIRST), (9, 0, FIRST)], [(5, 0, SECOND), (9, 0, SECOND), (10, 0, SECOND)]], [2, 1]),
}


@pytest.mark.parametrize(("appends", "taken"), CASES.values(), ids=CASES)
def test_raw_records_are_taken_once(store, appends, taken):
    """Of events that a crashed collector repeats, each is stored once and none is lost."""
    at, before = 0, 0
    for events, expected in zip(appends, taken, strict=True):
        verdicts = [raw(offset, reading, index=index) for offset, index, reading in events]
        store.append(verdicts, [Position("why401.events", 0, at, at + len(events))], {("received", ""): len(events)})
        at += len(events)
        ((total,),) = store.rows("SELECT count(*) FROM failures")
        assert expected == total - before
        before = total
    counters = dict(store.rows("SELECT counter, sum(value) FROM pipeline GROUP BY counter"))
    assert counters["received"] == counters["stored"] + counters.get("dropped", 0)


def test_partitions_have_watermarks_of_their_own(store):
    """The same offset of another raw partition is another record."""
    events = [raw(7, FIRST, partition) for partition in (0, 1, 2)]
    store.append(events, [Position("why401.events", 0, 0, 3)], {})

    assert [(3,)] == store.rows("SELECT count(*) FROM failures")


def test_a_batch_guarded_by_its_own_positions_needs_no_watermark(store):
    """Read straight from the raw topic, the offsets are the guard; OTLP events have neither."""
    store.append([raw(7, FIRST), raw(7, SECOND), failing()], [Position("raw", 0, 7, 8)], {})

    assert [(3, 0)] == store.rows("SELECT count(*), (SELECT count(*) FROM store.watermarks) FROM failures")


def raw(offset, reading, partition=0, index=0):
    verdict = failing(origin=Origin("kafka", "raw", partition, offset, index))
    return dataclasses.replace(verdict, event=dataclasses.replace(verdict.event, observed_ns=2 * 10**18 + reading))
