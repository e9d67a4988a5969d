"""Several lines about one refused request become one event.

nginx, Apache, APISIX, Tyk and others write the message to an error log and the status to an access log, and many programs
write a line with the reason and another that only repeats that there was a refusal; each line alone answers half of the
question, and is not a refusal of its own. The lines find each other by request id, by the connection that both name, or as
complements near each other (agree.py). One record stays one event (decision 0001): the line that has the status carries
the merged facts, the other becomes an unread event with reason `joined`.

Batches wait for the other half in order, `window_ms` at most, and only where a gateway has been seen to write both.
Batches that share a pair go on as one, so that a pair is never half committed (decision 0016).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeVar

from collector.counted import Counts, Sampling
from collector.events import Event, Outcome
from collector.joining.halves import Half, Line
from collector.joining.merge import merge
from collector.joining.pairs import Pairs, Slot
from collector.joining.recent import Recent
from collector.pipeline import Collector
from collector.records import Batch, joined
from collector.settings import JoiningSettings
from collector.telemetry import Telemetry

Made = TypeVar("Made")
MAX_HELD: Final = 20_000  # events that wait: about 40 MB


@dataclass(slots=True, eq=False, repr=False)
class _Held:
    """A collected batch that may still wait."""

    batch: Batch[Any]
    events: list[Event]
    counts: Counts | None
    until: float
    number: int
    last: int  # the number of the latest batch that it shares a pair with
    slots: list[_Waiting]
    waiting: int = 0


@dataclass(slots=True, eq=False, repr=False)
class _Waiting(Slot):
    """A slot, and the batch that may wait for its other half."""

    batch: _Held | None = None
    is_waiting: bool = False


class Joining:
    """The collector's stage: batches of raw records in, batches of events out, in order. One worker owns it.

    With a `sampling`, allowed requests are counted (collector/counted.py).
    """

    def __init__(
        self,
        collector: Collector,
        settings: JoiningSettings,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
        *,
        sampling: Sampling | None = None,
    ) -> None:
        self._sampling = sampling
        self._collector = collector
        self._window_s = settings.window_ms / 1000
        self._telemetry = telemetry
        self._clock = clock
        self._pairs = Pairs[_Waiting]()
        self._held: deque[_Held] = deque()
        self._count = 0  # events held
        self._number = 0
        self._lines = 0  # that were offered, as their numbers
        self._recent = Recent()
        telemetry.gauge("why401.joining.held", lambda: self._count)

    def __call__(self, batch: Batch[Any]) -> list[Batch[Event]]:
        """Collect a batch; what is ready by now."""
        self._collector.begin_batch()
        now, events = self._clock(), list[Event]()
        self._number += 1
        held = _Held(
            batch=batch,
            events=events,
            counts=Counts(self._sampling) if self._sampling else None,
            until=now + self._window_s,
            number=self._number,
            last=self._number,
            slots=[],
        )
        self._held.append(held)
        for event, line in self._collected(batch.items, held.counts):
            events.append(event)
            # Most lines are whole; they are looked at again only once a gateway has been seen to write more of them.
            if line and not self._recent.is_settled(line):
                self._lines += 1
                half = line.half(self._lines)
                self._offer(_Waiting(half=half, events=events, index=len(events) - 1, batch=held), now)
        self._count += len(events)
        self._collector.end_batch()
        return self.due()

    def _collected(self, records: Sequence[Any], counts: Counts | None) -> Iterator[tuple[Event, Line | None]]:
        if counts is None:
            return map(self._collector.collect_line, records)
        collect_or_count = self._collector.collect_or_count
        return (made for record in records if (made := collect_or_count(record, counts)))

    def due(self) -> list[Batch[Event]]:
        """Batches, in order, in which nothing waits any more or that waited long enough."""
        ready = []
        while self._held and (group := self._ready_group()):
            ready.append(self._release(group))
        return ready

    def rest(self) -> list[Batch[Event]]:
        """Everything, at shutdown."""
        ready = []
        while self._held:
            ready.append(self._release(self._group()))
        return ready

    def _offer(self, slot: _Waiting, now: float) -> None:
        self._recent.note(slot.half, now)
        other = self._pairs.find(slot)
        if other is None:
            self._open(slot, now)
            return
        self._telemetry.count("why401.records.dropped", reason="joined")
        self._recent.note_pair(slot.half, other.half, now)
        self._close(other)
        self._fuse(slot, other)
        self._open(merge(slot, other), now)

    def _open(self, slot: _Waiting, now: float) -> None:
        self._pairs.open(slot)
        if slot.batch is None:
            return
        slot.batch.slots.append(slot)
        slot.is_waiting = self._recent.may_come(slot.half, now)
        slot.batch.waiting += slot.is_waiting

    def _close(self, slot: _Waiting) -> None:
        self._pairs.close(slot)
        if slot.batch and slot.is_waiting:
            slot.batch.waiting -= 1
        slot.is_waiting = False

    def _fuse(self, slot: _Waiting, other: _Waiting) -> None:
        if slot.batch and other.batch:
            first, last = sorted((slot.batch.number, other.batch.number))
            self._held[first - self._held[0].number].last = max(last, self._held[first - self._held[0].number].last)

    def _group(self) -> list[_Held]:
        """The first batch and those that it shares pairs with, which are neighbours."""
        last, group = self._held[0].last, []
        for held in self._held:
            if held.number > last:
                break
            last = max(last, held.last)
            group.append(held)
        return group

    def _ready_group(self) -> list[_Held]:
        group = self._group()
        must_go = self._clock() >= group[0].until or self._count > MAX_HELD
        return group if must_go or not any(held.waiting for held in group) else []

    def _release(self, group: Sequence[_Held]) -> Batch[Event]:
        for held in group:
            self._held.popleft()
            self._count -= len(held.events)
            for slot in held.slots:
                self._pairs.close(slot)
                slot.batch = None
        return _together([_whole(held) for held in group])


def _together(parts: Sequence[Batch[Event]]) -> Batch[Event]:
    if len(parts) == 1:
        return parts[0]
    return Batch(
        _chained(part.items for part in parts),
        tuple(joined(_chained(part.positions for part in parts))),
        _all_of([part.done for part in parts]),
        allowed=_chained(part.allowed for part in parts),
        samples=_chained(part.samples for part in parts),
        places=tuple(_chained(part.places for part in parts)),
    )


def _chained(lists: Iterable[Sequence[Made]]) -> list[Made]:
    return list(chain.from_iterable(lists))


def _whole(held: _Held) -> Batch[Event]:
    """The batch of events, of which those that no other line showed to be refused are counted."""
    batch, counts = held.batch, held.counts
    if counts is None:
        return Batch(held.events, batch.positions, batch.done, places=batch.places)
    for event in held.events:
        if event.outcome is Outcome.ALLOWED:
            counts.add_event(event)
    events = [event for event in held.events if event.outcome is not Outcome.ALLOWED]
    return Batch(
        events, batch.positions, batch.done, allowed=counts.allowed(), samples=counts.samples, places=batch.places
    )


def _all_of(dones: Sequence[Future[None]]) -> Future[None]:
    """A future whose end is the end of all of them."""
    together: Future[None] = Future()

    def pass_on(ended: Future[None]) -> None:
        error = ended.exception()
        for done in dones:
            if error:
                done.set_exception(error)
            else:
                done.set_result(None)

    together.add_done_callback(pass_on)
    return together


def join(collected: Sequence[tuple[Event, Line | None]]) -> list[Event]:
    """The same for records that are all there, as `why401 explain` has them: the lines of a request get the merged event."""
    events, places = placed(collected)
    return [events[place] for place in places]


def placed(collected: Sequence[tuple[Event, Line | None]]) -> tuple[list[Event], list[int]]:
    """The events that a batch of these records becomes, and for each record the index of the event that has its facts."""
    events = [event for event, _ in collected]
    partner = list(range(len(events)))
    pairs, recent = Pairs[Slot](), Recent()
    apart = _Apart()
    number = 0
    for index, (_, line) in enumerate(collected):
        if line is None or recent.is_settled(line):
            continue
        number += 1
        if recent.is_apart(line):
            apart.add(number, index, line)
            continue
        half = line.half(number)
        recent.note(half, 0.0)
        for one, at in apart.may_join(half):
            pairs.open(Slot(half=one, events=events, index=at))
        pairs.open(_paired(pairs, Slot(half=half, events=events, index=index), partner))
    return events, [_end(partner, index) for index in range(len(events))]


class _Apart:
    """Whole lines that no line so far can belong to (`Recent.is_apart`): they are opened once one comes that may."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, int, Line]] = []
        self._families: set[str] = set()

    def add(self, number: int, index: int, line: Line) -> None:
        """A line, its number, and its index among the events."""
        self._lines.append((number, index, line))
        self._families.add(line.family)

    def may_join(self, half: Half) -> list[tuple[Half, int]]:
        """The lines that a line of words may belong to, with their indexes; they are apart no more."""
        if half.is_access or not (half.ids or half.family in self._families):
            return []
        families = self._families if half.ids else {half.family}
        found = [each for each in self._lines if each[2].family in families]
        self._lines = [each for each in self._lines if each[2].family not in families]
        self._families = self._families - families
        return [(line.half(number), index) for number, index, line in found]


def _paired(pairs: Pairs[Slot], slot: Slot, partner: list[int]) -> Slot:
    """The slot, or what it became with the other line about its request."""
    other = pairs.find(slot)
    if other is None:
        return slot
    pairs.close(other)
    kept = merge(slot, other)
    partner[(slot if kept is other else other).index] = kept.index
    return kept


def _end(partner: Sequence[int], index: int) -> int:
    while partner[index] != index:
        index = partner[index]
    return index
