"""Accepted tokens: for every route, what those of each issuer have in common. Bounded, one worker's own.

An accepted and a rejected token side by side often reveal more than the gateway's message: RBAC's "no policy matched"
does not distinguish a missing scope from a scope that is an array where the rule expects a string.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from collector.events import NO_TIMES, Event, Outcome, TokenFacts, TokenKind, TokenTimes, Verification
from collector.structs import Dataclass

MAX_ROUTES: Final = 2_000  # about 10 MB when full; the one idle longest is evicted
MAX_ISSUERS: Final = 10  # per route
MAX_VALUES: Final = 20  # audiences and key ids per issuer and route; with more audiences nothing is common
_EXPIRED_STEP_S: Final = 60  # smaller steps would make equal evidence unequal
ENOUGH: Final = 100  # beyond this many tokens a new one changes nothing unless it differs
PROTECTED: Final = 2  # refusals for want of a credential, before a request without one is odd that passes
Route = tuple[str, str, str, str]


class Passing(Dataclass, Struct, frozen=True, gc=False, cache_hash=True):
    """What every accepted token of one issuer on one route had. Equal objects mean equal evidence."""

    issuer: str
    tokens: int  # 1, 3, 10, 30, 100: based on at least so many requests
    claims: tuple[tuple[str, str], ...]  # (name, JSON type) that all of them had
    scopes: tuple[str, ...]  # that all of them had
    audiences: tuple[str, ...]  # that any of them had
    kids: tuple[str, ...]  # that any of them had
    lifetime_s: float  # the longest; 0 when not known
    traits: tuple[str, ...] = ()  # what is odd about any of them (`traits_of`): their validator does not mind
    expired_s: float = 0.0  # how long after its `exp` one was accepted; 0: none was


class Passed(Dataclass, Struct, frozen=True, gc=False, cache_hash=True):
    """What was accepted on one route: per issuer, the most frequent first."""

    issuers: tuple[Passing, ...] = ()

    def of(self, issuer: str) -> Passing | None:
        """What was accepted from one issuer."""
        return next((one for one in self.issuers if one.issuer == issuer), None)


NOTHING: Final = Passed()


@dataclass(slots=True)
class _Common:
    """What the tokens of one issuer on one route have in common so far."""

    claims: dict[str, str]
    scopes: set[str]
    audiences: set[str]
    kids: set[str] = field(default_factory=set)
    lifetime_s: float = 0.0
    expired_s: float = 0.0
    traits: set[str] = field(default_factory=set)
    form: tuple[object, ...] = ()
    tokens: int = 0

    def learn(self, token: TokenFacts, times: TokenTimes, count: int) -> None:
        self.tokens += count
        there: dict[str, str] = dict(token.claims)
        if self.claims.items() - there.items():
            self.claims = {name: kind for name, kind in self.claims.items() if there.get(name) == kind}
        self.scopes.intersection_update(token.scopes)
        if len(self.audiences) < MAX_VALUES:
            self.audiences.update(token.aud)
        if len(self.kids) < MAX_VALUES and token.kid:
            self.kids.add(token.kid)
        self._learn_form(token)
        self.lifetime_s = max(self.lifetime_s, _lifetime_s(times))
        if times.exp_s is not None and times.exp_s < -self.expired_s and not _is_no_date(token, "exp"):
            self.expired_s = -times.exp_s

    def _learn_form(self, token: TokenFacts) -> None:
        """Tokens differ from request to request, their forms hardly."""
        form = token.alg, token.token_use, token.verification, token.zip, token.crit, token.anomalies, token.faults
        if form != self.form and len(self.traits) < MAX_VALUES:
            self.form = form
            self.traits.update(traits_of(token))

    def shown(self, issuer: str) -> Passing:
        audiences = tuple(sorted(self.audiences)) if len(self.audiences) < MAX_VALUES else ()
        claims = tuple(self.claims.items())
        kids = tuple(sorted(self.kids))
        return Passing(
            issuer=issuer,
            tokens=_step(self.tokens),
            claims=claims,
            scopes=tuple(sorted(self.scopes)),
            audiences=audiences,
            kids=kids,
            lifetime_s=self.lifetime_s,
            traits=tuple(sorted(self.traits)),
            expired_s=float(_EXPIRED_STEP_S * int(self.expired_s / _EXPIRED_STEP_S)),
        )


def _is_no_date(token: TokenFacts, name: str) -> bool:
    """A claim that is no time at all: a validator that lets it pass may check real ones all the same."""
    return any(claim == name for claim, _ in token.faults)


def traits_of(token: TokenFacts) -> list[str]:
    """What is odd about a token, in words that are equal for equal oddities."""
    traits = [f"alg {token.alg}"]
    if token.verification not in (Verification.NOT_CHECKED, Verification.VERIFIED):
        traits.append(f"verification {token.verification}")
    if token.crit:
        traits.append("crit " + ",".join(token.crit))
    if token.zip:
        traits.append("zip")
    if token.token_use:
        traits.append(f"use {token.token_use}")
    traits.extend(token.anomalies)
    traits.extend(f"{claim} {fault}" for claim, fault in token.faults)
    return traits


@dataclass(slots=True)
class _RouteMemory:
    issuers: dict[str, _Common] = field(default_factory=dict)
    shown: Passed | None = None
    bare_refusals: int = 0  # requests without a credential that were refused, up to PROTECTED


class Memory:
    """Learns from allowed requests, to compare rejected ones with them."""

    def __init__(self, max_routes: int = MAX_ROUTES) -> None:
        self._max_routes = max_routes
        self._routes: OrderedDict[Route, _RouteMemory] = OrderedDict()

    def __len__(self) -> int:
        return len(self._routes)

    def learn(self, event: Event, count: int = 1) -> None:
        """Take in an allowed request whose token's claims are known; `count` of them are alike."""
        token = event.token
        if event.outcome is not Outcome.ALLOWED or not token.claims or event.request.status >= 300:
            return
        route = self._route(_key(event))
        common = route.issuers.get(token.iss)
        if common is None:
            if len(route.issuers) >= MAX_ISSUERS:
                return
            common = route.issuers[token.iss] = _Common(dict(token.claims), set(token.scopes), set(token.aud))
        common.learn(token, event.times if event.time_known else NO_TIMES, count)
        route.shown = None

    def note_refusal(self, event: Event) -> None:
        """Take in a refused request: one without a credential shows that the route requires one."""
        if event.token.kind is TokenKind.ABSENT and event.request.status in (401, 403):
            route = self._route(_key(event))
            route.bare_refusals = min(route.bare_refusals + 1, PROTECTED)

    def is_protected(self, event: Event) -> bool:
        """PROTECTED requests without a credential were refused on the route of this one."""
        route = self._routes.get(_key(event))
        return route is not None and route.bare_refusals >= PROTECTED

    def about(self, event: Event) -> Passed:
        """What was accepted where this request was rejected."""
        route = self._routes.get(_key(event))
        if route is None:
            return NOTHING
        if route.shown is None:
            by_use = sorted(route.issuers.items(), key=lambda item: -item[1].tokens)
            route.shown = Passed(tuple(common.shown(issuer) for issuer, common in by_use))
        return route.shown

    def _route(self, key: Route) -> _RouteMemory:
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = _RouteMemory()
            if len(self._routes) > self._max_routes:
                self._routes.popitem(last=False)
        else:
            self._routes.move_to_end(key)
        return route


def _key(event: Event) -> Route:
    request = event.request
    return event.gateway.kind, request.host, request.method, request.route


def _lifetime_s(times: TokenTimes) -> float:
    """To the millisecond, as times are: the difference of two of them has noise behind it."""
    return round(times.exp_s - times.iat_s, 3) if times.exp_s is not None and times.iat_s is not None else 0.0


def _step(count: int) -> int:
    return next((step for step in (100, 30, 10, 3) if count >= step), 1)
