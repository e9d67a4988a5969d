"""The facts of two lines about one request become one event's."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from collector.events import NO_TIMES, Event, Gateway, Outcome, Request, Responder, TokenKind, TokenTimes, Words
from collector.gateways import has_shared_format, is_general
from collector.joining import agree
from collector.joining.halves import Half
from collector.joining.pairs import AnySlot
from collector.safe import EMPTY, JOINED, Safe

_JUDGED: Final = (Outcome.DENIED, Outcome.ERROR)
_SAME_S: Final = 5.0
_SAME_MINUTE_NS: Final = 60 * 10**9


def merge(slot: AnySlot, other: AnySlot) -> AnySlot:
    """Put the facts of both lines, `other` the earlier, into the slot that has the status, and return it.

    The event in the other place becomes an unread one with reason `joined`.
    """
    kept, gone = (slot, other) if _rank(slot.half) > _rank(other.half) else (other, slot)
    words = _words(other.event.words, other.half, slot.event.words, slot.half)
    event = _merged(kept.event, gone.event, words)
    if kept.half.family != gone.half.family:
        event = replace(event, gateway=_writer(event.gateway, kept, gone))
    kept.events[kept.index] = event
    gone.events[gone.index] = _joined(gone.event)
    kept.half = other.half.and_also(slot.half)
    return kept


def _rank(half: Half) -> tuple[bool, bool]:
    return half.is_access, half.status > 0


def _joined(was: Event) -> Event:
    return Event(
        time_ns=was.time_ns,
        observed_ns=was.observed_ns,
        origin=was.origin,
        gateway=Gateway(kind=was.gateway.kind),
        outcome=Outcome.UNREAD,
        words=Words(reason=JOINED),
        time_known=was.time_known,
    )


def _merged(kept: Event, gone: Event, words: Words) -> Event:
    """An error log knows the product better than an access line that many share, and the responder."""
    token_of = gone if _shows_more(gone.token.kind, kept.token.kind) else kept
    timed = gone if gone.time_known and not kept.time_known else kept
    return replace(
        kept,
        time_ns=timed.time_ns,
        time_known=timed.time_known,
        zone_known=timed.zone_known or _shows_zone(kept, gone),
        gateway=_product(kept.gateway, gone.gateway.kind),
        outcome=kept.outcome if kept.outcome in _JUDGED else gone.outcome,
        responder=kept.responder if kept.responder is not Responder.UNKNOWN else gone.responder,
        request=_filled(kept.request, gone.request),
        words=words,
        token=token_of.token,
        times=_from(timed.time_ns, token_of),
        redactions=_summed(kept.redactions, gone.redactions),
    )


def _shows_zone(one: Event, other: Event) -> bool:
    """One clock tells the other's zone when both say the same of one request."""
    is_told = (one.zone_known or other.zone_known) and one.time_known and other.time_known
    return is_told and abs(one.time_ns - other.time_ns) < _SAME_MINUTE_NS


def _from(time_ns: int, event: Event) -> TokenTimes:
    """Its token's times, as seconds from the merged event's time. Below a few seconds both lines have the same."""
    later_s = (event.time_ns - time_ns) / 1e9
    if event.times is NO_TIMES or abs(later_s) < _SAME_S:
        return event.times
    return TokenTimes(**{name: _plus(getattr(event.times, name), later_s) for name in TokenTimes.__struct_fields__})


def _plus(offset: float | None, seconds: float) -> float | None:
    return None if offset is None else round(offset + seconds, 3)


def _product(kept: Gateway, gone: Safe) -> Gateway:
    is_better = has_shared_format(kept.kind) and _tells(gone) > _tells(kept.kind)
    return replace(kept, kind=gone) if is_better else kept


def _tells(kind: Safe) -> int:
    """How much a parser's name says about the product: nothing, that others write so too, which it is."""
    if not kind or is_general(kind):
        return 0
    return 1 if has_shared_format(kind) else 2


def _writer(merged: Gateway, kept: AnySlot, gone: AnySlot) -> Gateway:
    """Of two products, the one that says why is the one that refused."""
    speaker = max((kept, gone), key=lambda one: (one.half.says_why and one.half.has_line, one.half.has_line))
    named = speaker.event.gateway if speaker is kept or not has_shared_format(speaker.event.gateway.kind) else merged
    return replace(merged, kind=named.kind)


def _shows_more(kind: TokenKind, than: TokenKind) -> bool:
    """Anything is more than no token, and that there was none is more than nothing known."""
    return than in (TokenKind.UNKNOWN, TokenKind.ABSENT) and kind is not TokenKind.UNKNOWN


def _words(first: Words, early: Half, second: Words, late: Half) -> Words:
    """Both lines' sentences: the one that says why; the second's is the reason when there is none. An echo adds nothing."""
    if _is_weaker(early, late):
        first, second, early, late = second, first, late, early
    is_echo = _is_weaker(late, early) or _adds_nothing(late, early)
    return Words(
        reason=first.reason or (EMPTY if is_echo else second.reason or _also(first, second)),
        message=first.message or second.message,
        challenge=first.challenge or second.challenge,
        flags=first.flags or second.flags,
        body_bytes=max(first.body_bytes, second.body_bytes),
        upstream_status=first.upstream_status or second.upstream_status,
    )


def _also(first: Words, second: Words) -> Safe:
    return second.message if first.message and second.message != first.message else EMPTY


def _is_weaker(echo: Half, of: Half) -> bool:
    """A line of words that says no more than that something was refused, beside one that says why."""
    return echo.has_line and of.has_line and of.says_why and not echo.says_why


def _adds_nothing(late: Half, early: Half) -> bool:
    """Who said it first, or names the same causes first, is enough."""
    is_both = late.has_line and early.has_line and early.says_why
    return agree.repeats(late, early) or (is_both and late.kinds <= early.kinds)


def _filled(kept: Request, gone: Request) -> Request:
    missing = {name: getattr(gone, name) for name in Request.__struct_fields__ if not getattr(kept, name)}
    return replace(kept, **missing) if any(missing.values()) else kept


def _summed(one: tuple[tuple[Safe, int], ...], other: tuple[tuple[Safe, int], ...]) -> tuple[tuple[Safe, int], ...]:
    counts = dict(one)
    for rule, count in other:
        counts[rule] = counts.get(rule, 0) + count
    return tuple(counts.items())
