"""Requests that were allowed, as counts: most are, and of one the store asks no more than that it was one more of its kind.

A record of such a request becomes no event. Those of one batch that agree in all that is asked of an allowed request, but for times,
users and tokens' lengths, are one `Allowed`: an event that stands for them, and what of each is asked for. Of one in `every`, a sample, there is
an event besides.

    record → Collector.collect_or_count → None: it was accepted, and is counted                → Batch.allowed, Batch.samples
                                        → an event: it was refused, is none, or was allowed and
                                          answered with an error, of which another line may say
                                          that it was a refusal; if none does, it is counted   → Batch.items, Batch.allowed
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from collector.events import (
    NO_TIMES,
    Event,
    Gateway,
    Origin,
    Outcome,
    Request,
    Responder,
    TokenFacts,
    TokenKind,
    TokenTimes,
    moment_us,
)
from collector.safe import EMPTY, Safe
from collector.structs import Dataclass

MINUTE_US: Final = 60_000_000
MAX_TOKENS: Final = 20_000
FAILED: Final = 400  # the lowest status of an error
_NOWHERE: Final = Origin(kind=EMPTY)


class Allowed(Dataclass, Struct, frozen=True, gc=False):
    """Requests of one batch and one minute that were allowed and are alike; times are microseconds.

    `event` has what they share. Its token is nobody's, and as long as the longest; its `exp` is the one that was accepted latest,
    its lifetime the longest.
    """

    event: Event
    count: int
    first_us: int
    last_us: int
    users: Sequence[tuple[Safe, int]] = ()  # the pseudonym and the time of each request whose token names a user


class Kind(NamedTuple):
    """What requests share that are alike. A tuple: it is made, hashed and compared once a request."""

    gateway: Gateway
    responder: Responder
    method: Safe
    route: Safe
    host: Safe
    status: int
    token: TokenFacts  # nobody's
    time_known: bool


def is_accepted(status: int) -> bool:
    """Whether an allowed request was answered in a way that shows it: then no other line can show that it was refused (`line_of`)."""
    return status < FAILED


class Sampling:
    """Which accepted requests are samples: the first, and then one in `every`."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._seen = 0

    def takes(self) -> bool:
        """Whether the next one is a sample."""
        self._seen += 1
        return (self._seen - 1) % self._every == 0


class _Sum(Struct, gc=False):
    """An `Allowed` that still grows."""

    first_us: int
    last_us: int
    observed_ns: int
    count: int = 0
    size: int = 0
    exp_s: float | None = None
    lifetime_s: float | None = None
    users: list[tuple[Safe, int]] = field(default_factory=list)

    def times(self) -> TokenTimes:
        """The earliest `exp`, and the longest lifetime before it."""
        if self.exp_s is None:
            return NO_TIMES
        return TokenTimes(exp_s=self.exp_s, iat_s=None if self.lifetime_s is None else self.exp_s - self.lifetime_s)


class Counts:
    """The allowed requests of one batch. `samples` are events of those that `sampling` took."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.samples: list[Event] = []
        self._sums: dict[tuple[Kind, int], _Sum] = {}

    def add(self, kind: Kind, token: TokenFacts, times: TokenTimes, time_ns: int, observed_ns: int) -> None:
        """Count one request. `token` is its own, of which `kind` has what it shares with others."""
        at = moment_us(time_ns, observed_ns)
        key = kind, at // MINUTE_US
        found = self._sums.get(key)
        if found is None:
            found = self._sums[key] = _Sum(first_us=at, last_us=at, observed_ns=observed_ns)
        _add(found, at, token, times)

    def add_event(self, event: Event) -> None:
        """Count a request that was an event already."""
        request = event.request
        kind = Kind(
            gateway=event.gateway,
            responder=event.responder,
            method=request.method,
            route=request.route,
            host=request.host,
            status=request.status,
            token=nobodys(event.token),
            time_known=event.time_known,
        )
        self.add(kind, event.token, event.times, event.time_ns, event.observed_ns)

    def allowed(self) -> list[Allowed]:
        """What was counted."""
        return [_allowed(kind, found) for (kind, _), found in self._sums.items()]


def _add(found: _Sum, at: int, token: TokenFacts, times: TokenTimes) -> None:
    found.count += 1
    if at < found.first_us:
        found.first_us = at
    elif at > found.last_us:
        found.last_us = at
    found.size = max(found.size, token.size)
    if times.exp_s is not None:
        _add_times(found, times.exp_s, times.iat_s)
    if token.user:
        found.users.append((token.user, at))


def _add_times(found: _Sum, exp_s: float, iat_s: float | None) -> None:
    if found.exp_s is None or exp_s < found.exp_s:
        found.exp_s = exp_s
    if iat_s is not None and (found.lifetime_s is None or exp_s - iat_s > found.lifetime_s):
        found.lifetime_s = exp_s - iat_s


def _allowed(kind: Kind, found: _Sum) -> Allowed:
    event = Event(
        time_ns=found.last_us * 1000,
        observed_ns=found.observed_ns,
        origin=_NOWHERE,
        gateway=kind.gateway,
        outcome=Outcome.ALLOWED,
        responder=kind.responder,
        request=Request(method=kind.method, route=kind.route, host=kind.host, status=kind.status),
        token=replace(kind.token, size=found.size),
        times=found.times(),
        time_known=kind.time_known,
    )
    return Allowed(event=event, count=found.count, first_us=found.first_us, last_us=found.last_us, users=found.users)


@lru_cache(maxsize=MAX_TOKENS)
def nobodys(token: TokenFacts) -> TokenFacts:
    """The facts of a token without its user; of a whole JWS without its lengths, too, which tell nothing but whose it is."""
    if token.kind is not TokenKind.JWS or token.anomalies:
        return _one(replace(token, user=EMPTY, key_epoch=0))
    return _one(replace(token, user=EMPTY, key_epoch=0, size=0, parts=()))


@lru_cache(maxsize=MAX_TOKENS)
def _one(token: TokenFacts) -> TokenFacts:
    """Of equal facts always the same object, which is compared at no cost."""
    return token
