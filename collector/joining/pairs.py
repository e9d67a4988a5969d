"""Lines about one request find each other, and their facts become one event's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from collector.events import Event, Gateway, Outcome, Request, Responder, TokenKind, Words
from collector.gateways import has_shared_format
from collector.joining.halves import Half
from collector.safe import EMPTY, JOINED, Safe

NEAR_NS: Final = 2_000_000_000  # an access line is stamped at the request's end, an error line at the refusal
MAX_OPEN: Final = 50  # unmatched halves under one key; the oldest gives way
_JUDGED: Final = (Outcome.DENIED, Outcome.ERROR)
Key = tuple[str, str, str]
AnySlot = TypeVar("AnySlot", bound="Slot")


@dataclass(slots=True, eq=False, repr=False)
class Slot:
    """An event that may be half of a pair, and its place among the events that go on."""

    half: Half
    events: list[Event]
    index: int

    @property
    def event(self) -> Event:
        """As it is now."""
        return self.events[self.index]


class Pairs(Generic[AnySlot]):
    """Halves whose other half has not been seen yet. Whoever opens slots closes them."""

    def __init__(self) -> None:
        self._open: dict[Key, list[AnySlot]] = {}
        self._last: dict[str, AnySlot] = {}  # by family: lines about one request often follow one another

    def open(self, slot: AnySlot) -> None:
        """Let a slot be found."""
        for key in _keys(slot.half):
            there = self._open.setdefault(key, [])
            there.append(slot)
            del there[:-MAX_OPEN]
        self._last[slot.half.family] = slot

    def close(self, slot: AnySlot) -> None:
        """Forget a slot. Idempotent."""
        for key in _keys(slot.half):
            kept = [one for one in self._open.get(key, ()) if one is not slot]
            if kept:
                self._open[key] = kept
            else:
                self._open.pop(key, None)
        if self._last.get(slot.half.family) is slot:
            del self._last[slot.half.family]

    def find(self, slot: AnySlot) -> AnySlot | None:
        """The open slot that is about the same request."""
        for key in _keys(slot.half):
            found = self._agreeing(key, slot.half)
            if found and (key[0] != "client" or _is_sure(slot.half, found)):
                return found[0]
        last = self._last.get(slot.half.family)
        return last if last and _follows(slot, last) else None

    def _agreeing(self, key: Key, half: Half) -> list[AnySlot]:
        agree = _AGREE[key[0]]
        return [one for one in self._open.get(key, ()) if agree(half, one.half)]


def _keys(half: Half) -> list[Key]:
    named = (("id", half.request_id), ("thread", half.thread), ("client", half.client))
    return [(what, half.family, value) for what, value in named if value]


def _is_sure(half: Half, found: Sequence[Slot]) -> bool:
    """A client sends many requests: there is one candidate, or all of them name the path that agrees."""
    return len(found) == 1 or (half.path != "" and all(one.half.path for one in found))


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
    """An error line and an access line; what only one of them says does not part them."""
    said = ((one.request_id, other.request_id), (one.method, other.method), (one.path, other.path))
    return (
        one.is_access is not other.is_access
        and _is_near(one, other)
        and all(mine == theirs for mine, theirs in said if mine and theirs)
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


def merge(slot: AnySlot, other: AnySlot) -> AnySlot:
    """Put the facts of both lines, `other` the earlier, into the slot that has the status, and return it.

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
    token_of = gone if _shows_more(gone.token.kind, kept.token.kind) else kept
    return replace(
        kept,
        gateway=_product(kept.gateway, gone.gateway.kind),
        outcome=kept.outcome if kept.outcome in _JUDGED else gone.outcome,
        responder=kept.responder if kept.responder is not Responder.UNKNOWN else gone.responder,
        request=_filled(kept.request, gone.request),
        words=words,
        token=token_of.token,
        times=token_of.times,
        redactions=_summed(kept.redactions, gone.redactions),
    )


def _product(kept: Gateway, gone: Safe) -> Gateway:
    is_named = gone != "" and not has_shared_format(gone)
    return replace(kept, kind=gone) if is_named and has_shared_format(kept.kind) else kept


def _shows_more(kind: TokenKind, than: TokenKind) -> bool:
    """Anything is more than no token, and that there was none is more than nothing known."""
    return than in (TokenKind.UNKNOWN, TokenKind.ABSENT) and kind is not TokenKind.UNKNOWN


def _words(first: Words, second: Words) -> Words:
    """Both lines' sentences: the second's is the reason when there is none."""
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
