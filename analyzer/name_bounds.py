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

    def name(self, kind: str, value: Safe) -> Safe:
        """The value itself when it is admitted, else OTHER."""
        names = self._names[kind]
        if not value or value in names or (kind, value) in self._fixed:
            if value in names:
                names.move_to_end(value)
            return value
        if len(names) < self._limits[kind] or self._earned(kind, value):
            names[value] = None
            if len(names) > self._limits[kind]:
                names.popitem(last=False)
            return value
        self.refused += 1
        return OTHER

    def _earned(self, kind: str, value: str) -> bool:
        waiting = self._waiting[kind]
        count = waiting.pop(value, 0) + 1
        if count >= ADMIT:
            return True
        waiting[value] = count
        if len(waiting) > 4 * self._limits[kind]:
            waiting.popitem(last=False)
        return False

    def bounded(self, event: Event) -> Event:
        """The event with every such string bounded; the same object when nothing changes."""
        request = self._request(event.request)
        token = self._token(event.token)
        if request is event.request and token is event.token:
            return event
        return replace(event, request=request, token=token)

    def _request(self, request: Request) -> Request:
        route, host = self.name("route", request.route), self.name("host", request.host)
        agent = self.name("agent", request.user_agent)
        if route is request.route and host is request.host and agent is request.user_agent:
            return request
        return replace(request, route=route, host=host, user_agent=agent)

    def _token(self, token: TokenFacts) -> TokenFacts:
        iss, client, kid = (
            self.name("issuer", token.iss),
            self.name("client", token.client),
            self.name("kid", token.kid),
        )
        aud = tuple(self.name("audience", value) for value in token.aud)
        if iss is token.iss and client is token.client and kid is token.kid and aud == token.aud:
            return token
        return replace(token, iss=iss, client=client, kid=kid, aud=aud)
