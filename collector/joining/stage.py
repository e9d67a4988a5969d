"""Several lines about one refused request become one event.

nginx, Apache, APISIX, Tyk and their like write the verifier's words to an error log and the status to an access log;
each line alone answers half of the question. The lines find each other by request id, by the connection that both
name, or by client, method, path and time. One record stays one event (decision 0001): the line that tells the status
carries the merged facts, the other becomes an unread event with reason `joined`.

Batches wait for the other half in order, `window_ms` at most, and only where a gateway has been seen to write both.
Batches that share a pair go on as one, so that a pair is never half committed (decision 0016).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final

from collector.events import Event, Gateway, Outcome, Request, Responder, TokenKind, Words
from collector.pipeline import Collector
from collector.records import Batch, Half, joined
from collector.safe import EMPTY, JOINED, Safe
from collector.settings import JoiningSettings
from collector.telemetry import Telemetry

NEAR_NS: Final = 2_000_000_000  # an access line is stamped at the request's end, an error line at the refusal
MAX_HELD: Final = 20_000  # events that wait: about 40 MB
MAX_OPEN: Final = 50  # unmatched halves under one key; the oldest gives way
LEARN_S: Final = 60.0  # a gateway kind just met is given this long to show that it writes both
REMEMBER_S: Final = 600.0
Key = tuple[str, str, str]


@dataclass(slots=True, eq=False, repr=False)
class Slot:
    """An event that may be half of a pair, where it stands, and what its batch waits for."""

    half: Half
    events: list[Event]
    index: int
    batch: _Held | None = None
    is_waiting: bool = False

    @property
    def event(self) -> Event:
        """As it stands now."""
        return self.events[self.index]


class Pairs:
    """Halves that have not met their other yet. Whoever opens slots closes them."""

    def __init__(self) -> None:
        self._open: dict[Key, list[Slot]] = {}
        self._last: dict[str, Slot] = {}  # by family: lines about one request often follow one another

    def open(self, slot: Slot) -> None:
        """Let a slot be found."""
        for key in _keys(slot.half):
            there = self._open.setdefault(key, [])
            there.append(slot)
            del there[:-MAX_OPEN]
        self._last[slot.half.family] = slot

    def close(self, slot: Slot) -> None:
        """Forget a slot. Idempotent."""
        for key in _keys(slot.half):
            kept = [one for one in self._open.get(key, ()) if one is not slot]
            if kept:
                self._open[key] = kept
            else:
                self._open.pop(key, None)
        if self._last.get(slot.half.family) is slot:
            del self._last[slot.half.family]

    def find(self, slot: Slot) -> Slot | None:
        """The open slot that tells of the same request."""
        for key in _keys(slot.half):
            found = [one for one in self._open.get(key, ()) if _AGREE[key[0]](slot.half, one.half)]
            is_sure = len(found) == 1 or (slot.half.path and all(one.half.path for one in found))
            if found and (key[0] != "client" or is_sure):
                return found[0]
        last = self._last.get(slot.half.family)
        return last if last and _follows(slot, last) else None


def _keys(half: Half) -> list[Key]:
    named = (("id", half.request_id), ("thread", half.thread), ("client", half.client))
    return [(what, half.family, value) for what, value in named if value]


def _same_id(one: Half, other: Half) -> bool:
    """Clients choose ids too and use them again: two access lines are two requests, as are lines far apart."""
    return not (one.is_access and other.is_access) and abs(one.time_ns - other.time_ns) <= 15 * NEAR_NS


def _same_thread(one: Half, other: Half) -> bool:
    """Lines of one connection or thread about one request; two with a status, or out of their order, are two requests.

    `one` is the new line. Some name a token and no path.
    """
    is_same = one.path == other.path or not (one.path and other.path)
    is_later = one.place > other.place or one.place == 0
    return _is_near(one, other) and is_same and is_later and not (one.has_status and other.has_status)


def _same_client(one: Half, other: Half) -> bool:
    """An error line and an access line; what only one of them tells does not part them."""
    told = ((one.request_id, other.request_id), (one.method, other.method), (one.path, other.path))
    return (
        one.is_access is not other.is_access
        and _is_near(one, other)
        and all(mine == theirs for mine, theirs in told if mine and theirs)
    )


_AGREE: Final[dict[str, Callable[[Half, Half], bool]]] = {
    "id": _same_id,
    "thread": _same_thread,
    "client": _same_client,
}


def _follows(slot: Slot, last: Slot) -> bool:
    """Two lines in a row of a log that names no connection: the same client and path, at once, in other words."""
    one, other = slot.half, last.half
    is_fragment = not (one.is_access or other.is_access or one.thread or other.thread)
    is_same = one.client == other.client and one.path == other.path != "" and _is_near(one, other)
    return is_fragment and is_same and slot.event.words != last.event.words


def _is_near(one: Half, other: Half) -> bool:
    return abs(one.time_ns - other.time_ns) <= NEAR_NS


def merge(slot: Slot, other: Slot) -> Slot:
    """Put the facts of both lines, `other` the earlier, into the slot that tells the status, and return it.

    The event in the other place becomes an unread one with reason `joined`.
    """
    kept, gone = (other, slot) if other.half.has_status and not slot.half.has_status else (slot, other)
    words = _words(other.event.words, slot.event.words)
    kept.events[kept.index] = _merged(kept.event, gone.event, words)
    was = gone.event
    gone.events[gone.index] = Event(
        time_ns=was.time_ns,
        observed_ns=was.observed_ns,
        origin=was.origin,
        gateway=Gateway(kind=was.gateway.kind),
        outcome=Outcome.UNREAD,
        words=Words(reason=JOINED),
        time_known=was.time_known,
    )
    kept.half = _known_so_far(kept.half, gone.half)
    return kept


def _known_so_far(kept: Half, gone: Half) -> Half:
    """By what a third line finds the merged one; once the access line is in, by nothing but the request id."""
    is_access = kept.is_access or gone.is_access
    return replace(
        kept,
        is_access=is_access,
        has_status=kept.has_status or gone.has_status,
        request_id=kept.request_id or gone.request_id,
        thread="" if is_access else kept.thread,
        place=max(kept.place, gone.place),
        client="" if is_access else kept.client or gone.client,
        path=kept.path or gone.path,
    )


def _merged(kept: Event, gone: Event, words: Words) -> Event:
    """An error log knows the product better than an access line that many share, and the responder."""
    is_shared = kept.gateway.kind in ("nginx", "generic") and gone.gateway.kind not in ("nginx", "generic", "")
    shows_token = kept.token.kind not in (TokenKind.UNKNOWN, TokenKind.ABSENT) or gone.token.kind is TokenKind.UNKNOWN
    judged = (Outcome.DENIED, Outcome.ERROR)
    return replace(
        kept,
        gateway=replace(kept.gateway, kind=gone.gateway.kind) if is_shared else kept.gateway,
        outcome=kept.outcome if kept.outcome in judged else gone.outcome,
        responder=kept.responder if kept.responder is not Responder.UNKNOWN else gone.responder,
        request=_filled(kept.request, gone.request),
        words=words,
        token=kept.token if shows_token else gone.token,
        times=kept.times if shows_token else gone.times,
        redactions=_summed(kept.redactions, gone.redactions),
    )


def _words(first: Words, second: Words) -> Words:
    """Both lines' sentences: the second's stands as the reason when there is none."""
    message = first.message or second.message
    also = second.message if first.message and second.message != first.message else EMPTY
    return Words(
        reason=first.reason or second.reason or also,
        message=message,
        challenge=first.challenge or second.challenge,
        flags=first.flags or second.flags,
        body_bytes=max(first.body_bytes, second.body_bytes),
        upstream_status=first.upstream_status or second.upstream_status,
    )


def _filled(kept: Request, gone: Request) -> Request:
    missing = {name: getattr(gone, name) for name in Request.__slots__ if not getattr(kept, name)}
    return replace(kept, **missing) if any(missing.values()) else kept


def _summed(one: tuple[tuple[Safe, int], ...], other: tuple[tuple[Safe, int], ...]) -> tuple[tuple[Safe, int], ...]:
    counts = dict(one)
    for rule, count in other:
        counts[rule] = counts.get(rule, 0) + count
    return tuple(counts.items())


@dataclass(slots=True, eq=False, repr=False)
class _Held:
    """A collected batch that may still wait."""

    batch: Batch[Any]
    events: list[Event]
    until: float
    number: int
    last: int  # the number of the latest batch that it shares a pair with
    slots: list[Slot]
    waiting: int = 0


class Joining:
    """The collector's stage: batches of raw records in, batches of events out, in order. One worker owns it."""

    def __init__(
        self,
        collector: Collector,
        settings: JoiningSettings,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collector = collector
        self._window_s = settings.window_ms / 1000
        self._telemetry = telemetry
        self._clock = clock
        self._pairs = Pairs()
        self._held: deque[_Held] = deque()
        self._count = 0  # events held
        self._number = 0
        self._seen: dict[tuple[str, bool], float] = {}  # (family, is_access) -> when last
        self._met: dict[str, float] = {}
        telemetry.gauge("why401.joining.held", lambda: self._count)

    def __call__(self, batch: Batch[Any]) -> list[Batch[Event]]:
        """Collect a batch; what is ready by now."""
        self._collector.begin_batch()
        now, events = self._clock(), list[Event]()
        self._number += 1
        held = _Held(batch, events, now + self._window_s, self._number, self._number, [])
        self._held.append(held)
        for item in batch.items:
            event, half = self._collector.collect_half(item)
            events.append(event)
            if half and not self._is_whole(event, half):
                self._offer(Slot(half, events, len(events) - 1, held), now)
        self._count += len(events)
        self._collector.end_batch()
        return self.due()

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

    def _is_whole(self, event: Event, half: Half) -> bool:
        """Status and words in one line, of a gateway that has not been seen to write more lines: most are."""
        return half.is_access and bool(event.words) and (half.family, False) not in self._seen

    def _offer(self, slot: Slot, now: float) -> None:
        half = slot.half
        self._met.setdefault(half.family, now)
        self._seen[half.family, half.is_access] = now
        other = self._pairs.find(slot)
        if other is None:
            self._open(slot, now)
            return
        self._telemetry.count("why401.records.dropped", reason="joined")
        self._close(other)
        self._fuse(slot, other)
        self._open(merge(slot, other), now)

    def _open(self, slot: Slot, now: float) -> None:
        self._pairs.open(slot)
        if slot.batch is None:
            return
        slot.batch.slots.append(slot)
        slot.is_waiting = self._may_come(slot.half, now)
        slot.batch.waiting += slot.is_waiting

    def _close(self, slot: Slot) -> None:
        self._pairs.close(slot)
        if slot.batch and slot.is_waiting:
            slot.batch.waiting -= 1
        slot.is_waiting = False

    def _fuse(self, slot: Slot, other: Slot) -> None:
        if slot.batch and other.batch:
            first, last = sorted((slot.batch.number, other.batch.number))
            self._held[first - self._held[0].number].last = max(last, self._held[first - self._held[0].number].last)

    def _may_come(self, half: Half, now: float) -> bool:
        """Whether to wait for the other kind of line: where it came of late, or words came of a new family.

        A pair, known by having neither client nor thread any more, waits for none.
        """
        if half.is_access and not half.client:
            return False
        seen = self._seen.get((half.family, not half.is_access), -REMEMBER_S)
        is_new = not half.is_access and now - self._met[half.family] < LEARN_S
        return is_new or now - seen < REMEMBER_S

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
        if len(group) == 1:
            return Batch(group[0].events, group[0].batch.positions, group[0].batch.done)
        events = [event for held in group for event in held.events]
        positions = joined(position for held in group for position in held.batch.positions)
        return Batch(events, tuple(positions), _all_of([held.batch.done for held in group]))


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


def join(collected: Sequence[tuple[Event, Half | None]]) -> list[Event]:
    """The same for records that are all there, as `why401 explain` has them: both lines of a pair get the merged event."""
    events = [event for event, _ in collected]
    if all(half is None or half.is_access for _, half in collected):
        return events
    pairs = Pairs()
    partner = list(range(len(events)))
    for index, (_, half) in enumerate(collected):
        if half is None:
            continue
        slot = Slot(half, events, index)
        other = pairs.find(slot)
        if other:
            pairs.close(other)
            kept = merge(slot, other)
            partner[(slot if kept is other else other).index] = kept.index
            slot = kept
        pairs.open(slot)
    return [events[_end(partner, index)] for index in range(len(events))]


def _end(partner: Sequence[int], index: int) -> int:
    while partner[index] != index:
        index = partner[index]
    return index
