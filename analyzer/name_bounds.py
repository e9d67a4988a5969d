"""Bounds on strings that outsiders choose: issuers, clients, key ids, routes. A name that is not admitted is "(other)".

A name is admitted while there is room. After that, a new name must be seen ADMIT times before it replaces the name that
was idle longest: a flood of random values cannot evict real names, and a real new cause still shows.

Not one class with analyzer/store/writer_state.py: here names are bounded before grouping, for the life of the process,
because a name that is evicted must be able to return; there labels of sums are bounded per hour, because rows are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from collector.events import Event, Request, TokenFacts
from collector.safe import OTHER, Safe

ADMIT: Final = 50
LIMITS: Final = {
    "issuer": 200,
    "client": 1_000,
    "kid": 1_000,
    "audience": 500,
    "route": 1_000,
    "host": 500,
    "instance": 500,
    "agent": 200,
}


class NameBounds:
    """The admitted names by kind, bounded by LIMITS. One worker owns it."""

    def __init__(self, limits: dict[str, int] | None = None, known: Iterable[tuple[str, str]] = ()) -> None:
        self._limits = limits or LIMITS
        self._fixed = set(known)  # configured values are never evicted
        self._names: dict[str, OrderedDict[Safe, None]] = {kind: OrderedDict() for kind in self._limits}
        self._waiting: dict[str, OrderedDict[str, int]] = {kind: OrderedDict() for kind in self._limits}
        self.refused = 0

    def name(self, kind: str, value: Safe, count: int = 1) -> Safe:
        """The value itself when it is admitted, else OTHER; it was seen `count` times."""
        if not value:
            return value
        names = self._names[kind]
        if value in names:
            names.move_to_end(value)
            return value
        if (kind, value) in self._fixed:
            return value
        if len(names) < self._limits[kind] or self._earned(kind, value, count):
            names[value] = None
            if len(names) > self._limits[kind]:
                names.popitem(last=False)
            return value
        self.refused += count
        return OTHER

    def _earned(self, kind: str, value: str, count: int) -> bool:
        waiting = self._waiting[kind]
        seen = waiting.pop(value, 0) + count
        if seen >= ADMIT:
            return True
        waiting[value] = seen
        if len(waiting) > 4 * self._limits[kind]:
            waiting.popitem(last=False)
        return False

    def bounded(self, event: Event, count: int = 1) -> Event:
        """The event with every such string bounded, which stands for `count`; the same object when nothing changes."""
        request = self._request(event.request, count)
        token = self._token(event.token, count)
        if request is event.request and token is event.token:
            return event
        return replace(event, request=request, token=token)

    def _request(self, request: Request, count: int) -> Request:
        route, host = self.name("route", request.route, count), self.name("host", request.host, count)
        agent = self.name("agent", request.user_agent, count)
        if route is request.route and host is request.host and agent is request.user_agent:
            return request
        return replace(request, route=route, host=host, user_agent=agent)

    def _token(self, token: TokenFacts, count: int) -> TokenFacts:
        iss, client, kid = (
            self.name("issuer", token.iss, count),
            self.name("client", token.client, count),
            self.name("kid", token.kid, count),
        )
        aud = tuple(self.name("audience", value, count) for value in token.aud)
        if iss is token.iss and client is token.client and kid is token.kid and aud == token.aud:
            return token
        return replace(token, iss=iss, client=client, kid=kid, aud=aud)
