"""Which row of `store.offsets` is a partition's position, and who may move it.

A commit deletes the rows of its partitions and inserts one for each, with an epoch one higher. That is one row per
partition, if a deleted row stays deleted; with DuckLake 1.5.5 it may come back: a merge or rewrite of files that
commits after a delete which was inlined does not see it (docs/store.md). Rows that come back are older, so they have a
lower epoch: the row with the highest one is the position, the others are counted and deleted with the next commit.

What cannot be proved ends the writer with a sentence, and nothing is written: two positions of one epoch, or a lake that is
behind what this very process committed to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analyzer.lake.errors import PositionsBroken
from collector.errors import Fenced
from collector.records import Position

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a partition stands: the next offset to read, and how many commits moved it there."""

    next: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the lake holds of the partitions of a commit: their places, and all rows, also those that came back."""

    places: Mapping[Partition, Place]
    rows: int

    @property
    def came_back(self) -> int:
        """Rows that had been deleted."""
        return self.rows - len(self.places)


def found(rows: Iterable[tuple[str, int, int, int]]) -> Found:
    """Of rows (topic, partition, next, epoch) each partition's place. Raises PositionsBroken.

    >>> found([("t", 0, 200, 4), ("t", 0, 100, 3), ("t", 1, 70, 9)])
    Found(places={('t', 0): Place(next=200, epoch=4), ('t', 1): Place(next=70, epoch=9)}, rows=3)
    """
    places: dict[Partition, Place] = {}
    count = 0
    for topic, partition, following, epoch in rows:
        count += 1
        key, place = (topic, partition), Place(next=following, epoch=epoch)
        known = places.get(key)
        places[key] = place if known is None else _later(key, known, place)
    return Found(places=places, rows=count)


def _later(key: Partition, one: Place, other: Place) -> Place:
    if one.epoch != other.epoch:
        return max(one, other, key=lambda place: place.epoch)
    if one != other:
        raise PositionsBroken(
            *key,
            f"the lake holds two positions of epoch {one.epoch}, offset {one.next} and offset {other.next}",
            "restore the catalog, or delete the wrong one of these rows from store.offsets",
        )
    return one


def moved(
    steps: Sequence[Position], places: Mapping[Partition, Place], committed: Mapping[Partition, Place]
) -> dict[Partition, Place]:
    """The places after `steps`. `committed` is what this writer committed last.

    Raises Fenced when a step does not continue its place, PositionsBroken when a place is behind `committed`.
    """
    after: dict[Partition, Place] = {}
    for step in steps:
        key = (step.topic, step.partition)
        place = places.get(key)
        _expect_not_behind(key, place, committed.get(key))
        if place is not None and place.next != step.first:
            raise Fenced(step.topic, step.partition, step.first, place.next)
        after[key] = Place(next=step.next, epoch=(place.epoch if place else 0) + 1)
    return after


def _expect_not_behind(key: Partition, place: Place | None, committed: Place | None) -> None:
    if committed is None or (place is not None and place.epoch >= committed.epoch):
        return
    where = f"at offset {place.next} (epoch {place.epoch})" if place else "without a position"
    raise PositionsBroken(
        *key,
        f"the lake is {where}, but this process committed offset {committed.next} (epoch {committed.epoch}) to it: the catalog lost commits, as"
        " after a restore, a failover, or a crash with fsync or synchronous_commit off",
        "look at the catalog; when it is as you want it, start why401 again, and it reads on from where the lake is",
    )
