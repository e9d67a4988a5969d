"""Lines about one request find each other: what is open is found by its marks, first in, first out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from collector.events import Event
from collector.joining import agree
from collector.joining.halves import Half

MAX_OPEN: Final = 256  # slots of one kind under one key; the oldest gives way
MAX_KINDS: Final = 64  # kinds under one key; the oldest gives way
MAX_LOOKED_AT: Final = 64  # candidates of one kind
_BUCKET_NS: Final = agree.NEAR_NS
Key = tuple[str | int, ...]
Kind = tuple[bool, frozenset[str], str, str, bool]  # see `_kind`
AnySlot = TypeVar("AnySlot", bound="Slot")
_NOTHING: Final[dict[Kind, dict[int, Any]]] = {}
_Opened = dict[Key, dict[Kind, dict[int, AnySlot]]]


@dataclass(slots=True, eq=False, repr=False)
class Slot:
    """An event that may be part of several lines' event, and its place among the events that go on."""

    half: Half
    events: list[Event]
    index: int

    @property
    def event(self) -> Event:
        """As it is now."""
        return self.events[self.index]


class Pairs(Generic[AnySlot]):
    """Slots whose other lines have not been seen yet. Whoever opens slots closes them.

    Under each key slots stand by kind: those that the same statements of a program wrote. In a storm they are many, and a
    line that one of them cannot take, none of them can.
    """

    def __init__(self) -> None:
        self._open: _Opened[AnySlot] = {}

    def open(self, slot: AnySlot) -> None:
        """Let a slot be found."""
        _put(self._open, _own_keys(slot.half), _kind(slot.half), slot)

    def close(self, slot: AnySlot) -> None:
        """Forget a slot. Idempotent."""
        _take(self._open, _own_keys(slot.half), _kind(slot.half), slot)

    def find(self, slot: AnySlot) -> AnySlot | None:
        """The open slot that is about the same request."""
        half = slot.half
        if not self._open:
            return None
        for way in _WAYS:
            keys = way.looked_up(half)
            found = _likest(half, way, keys, self._open) if keys else None
            if found is not None:
                return found
        return None


def _likest(half: Half, way: _Way, keys: Sequence[Key], opened: _Opened[AnySlot]) -> AnySlot | None:
    best, most, first = None, -2, 0
    for one in _candidates(half, way, keys, opened):
        if not way.agrees(half, one.half):
            continue
        likeness, number = agree.likeness(half, one.half), one.half.number
        number = -number if way.takes_last else number
        if likeness > most or (likeness == most and number < first):
            best, most, first = one, likeness, number
    return best


def _candidates(half: Half, way: _Way, keys: Sequence[Key], opened: _Opened[AnySlot]) -> Iterator[AnySlot]:
    for key in keys:
        for (is_access, shapes, _, _, _), there in opened.get(key, _NOTHING).items():
            if (is_access and half.is_access) or not shapes.isdisjoint(half.shapes):
                continue
            if not way.suits(half, next(iter(there.values())).half):
                continue
            slots = reversed(there.values()) if way.takes_last else there.values()
            yield from islice(slots, MAX_LOOKED_AT)


def _kind(half: Half) -> Kind:
    """What all slots of a kind share: an access line, the statements that wrote the words, the program so far as known."""
    return half.is_access, half.shapes, half.kind, half.family, half.time_known


def _always(_new: Half, _old: Half) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Way:
    """One way in which lines find each other: where they are kept, where they are looked up, and what must hold then."""

    kept: Callable[[Half], Sequence[Key]]
    looked_up: Callable[[Half], Sequence[Key]]
    agrees: Callable[[Half, Half], bool]
    suits: Callable[[Half, Half], bool] = _always  # what holds for all slots of a kind, or for none
    takes_last: bool = False  # lines of one connection follow each other: the request before is over


def _ids(half: Half) -> Sequence[Key]:
    return [("id", one) for one in half.ids] if half.ids else ()


def _threads(half: Half) -> Sequence[Key]:
    return (("thread", half.program, half.thread),) if half.thread else ()


def _senders(half: Half) -> Sequence[Key]:
    if not half.token and not half.client:  # of most lines of words
        return ()
    said = (("token", half.token), ("client", half.client))
    return [(what, half.family, who, _bucket(half)) for what, who in said if who]


def _streams(half: Half) -> Sequence[Key]:
    """By time; and by place, for lines that have no time and those that such a line may find."""
    timed: Key = ("stream", half.stream, _bucket(half)) if half.time_known else ("untimed", half.stream)
    return timed, ("order", half.stream)


def _near_senders(half: Half) -> Sequence[Key]:
    senders = _senders(half)
    return _around(senders) if senders else ()


def _near_streams(half: Half) -> Sequence[Key]:
    if not half.time_known:
        return (("order", half.stream),)
    return *_around((("stream", half.stream, _bucket(half)),)), ("untimed", half.stream)


def _bucket(half: Half) -> int:
    return half.time_ns // _BUCKET_NS


def _around(keys: Iterable[Key]) -> list[Key]:
    """The keys of this bucket of time and of its neighbours: what is near may stand there."""
    return [(*key, int(bucket) + step) for *key, bucket in keys for step in (-1, 0, 1)]


# The surest first.
_WAYS: Final = (
    _Way(_ids, _ids, agree.by_id),
    _Way(_threads, _threads, agree.by_thread, takes_last=True),
    _Way(_senders, _near_senders, agree.by_sender),
    _Way(_streams, _near_streams, agree.by_stream, suits=agree.is_one_program),
)


def _own_keys(half: Half) -> list[Key]:
    return [key for way in _WAYS for key in way.kept(half)]


def _put(opened: _Opened[AnySlot], keys: Iterable[Key], kind: Kind, slot: AnySlot) -> None:
    for key in keys:
        kinds = opened.setdefault(key, {})
        there = kinds.setdefault(kind, {})
        there[id(slot)] = slot
        if len(there) > MAX_OPEN:
            del there[next(iter(there))]
        if len(kinds) > MAX_KINDS:
            del kinds[next(iter(kinds))]


def _take(opened: _Opened[AnySlot], keys: Iterable[Key], kind: Kind, slot: AnySlot) -> None:
    for key in keys:
        kinds = opened.get(key, {})
        there = kinds.get(kind, {})
        there.pop(id(slot), None)
        if not there:
            kinds.pop(kind, None)
        if not kinds:
            opened.pop(key, None)
