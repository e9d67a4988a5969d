"""Traefik: the router with the highest priority whose rule matches, then its middlewares in their order.

doc.traefik.io/traefik/routing/routers: without a priority of its own, a router's is the length of its rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import re2

from why401.expectations.nodes import Node
from why401.expectations.readers import traefik
from why401.trace.walked import Asked, Part, Step, Walked, provided

_TOKEN: Final = re2.compile(r"\s*(&&|\|\||!|\(|\)|([A-Za-z]+)\(([^()]*)\))")
_VALUE: Final = re2.compile(r"[`\"']([^`\"']*)[`\"']")
MAX_RULE: Final = 4_000
MAX_CHAIN: Final = 8
ANY_HOST: Final = "*"


def walk(parts: Sequence[Part], asked: Asked) -> Walked:
    """Through all documents at once."""
    routers = [pair for part in parts for pair in part.root.get("http", "routers").items()]
    if not routers:
        return Walked(elsewhere="no router is in this file; name the dynamic configuration")
    # Without a host, routers for every host go first.
    fitting = _fitting(routers, asked) or _fitting(routers, replace(asked, host=ANY_HOST) if not asked.host else asked)
    if not fitting:
        return Walked(open=f"no router serves {asked.method} {asked.path}: Traefik answers 404")
    name, router = max(fitting, key=lambda pair: _priority(pair[1]))
    says = f"router {name}: {router.get('rule').text}"
    return _in_router(parts, router, Step(name="route", says=says, place=router.get("rule").place))


def _fitting(routers: Sequence[tuple[str, Node]], asked: Asked) -> list[tuple[str, Node]]:
    return [(name, one) for name, one in routers if matches(one.get("rule").text, asked)]


def _in_router(parts: Sequence[Part], router: Node, route: Step) -> Walked:
    """The first middleware that checks decides."""
    middlewares = dict(pair for part in parts for pair in part.root.get("http", "middlewares").items())
    for used in _used(router.get("middlewares"), middlewares, MAX_CHAIN):
        middleware = middlewares.get(used)
        if middleware is None:
            says = f"middleware {used!r} is not in these files"
            return Walked(steps=(route,), elsewhere=says)
        if traefik.checks(middleware):
            check = Step(name="check", says=f"middleware {used!r}", place=middleware.place)
            return _checked(parts, used, middleware, [route, check])
    return Walked(steps=(route,), open="the router has no middleware that checks")


def _checked(parts: Sequence[Part], name: str, middleware: Node, steps: list[Step]) -> Walked:
    expectations = tuple(
        one for part in parts for one in part.document.expectations if one.name.partition(" ")[0] == name
    )
    if expectations:
        return Walked(steps=(*steps, *map(provided, expectations)), expectations=expectations)
    address = middleware.get("forwardAuth", "address").text
    who = (
        f"tokens are checked by the service at {address}"
        if address
        else f"middleware {name!r} decides by its own means"
    )
    return Walked(steps=tuple(steps), elsewhere=f"{who}; what it expects is in its configuration")


def _priority(router: Node) -> int:
    own = router.get("priority").text
    return int(own) if own.isdigit() and own != "0" else len(router.get("rule").text)


def _used(names: Node, middlewares: dict[str, Node], depth: int) -> Iterator[str]:
    """`jwt@file` is `jwt`; a chain is its members."""
    for told in names.all_told():
        name = told.text.partition("@")[0]
        chain = middlewares[name].get("chain", "middlewares") if name in middlewares else None
        if chain and depth:
            yield from _used(chain, middlewares, depth - 1)
        else:
            yield name


# --- rules -------------------------------------------------------------------------------------------------


def matches(rule: str, asked: Asked) -> bool:
    """Whether a rule matches; a matcher that is not known (a header, a client's address) is taken as it would have to be.

    >>> from why401.trace.walked import asked
    >>> matches("Host(`api.example.com`) && (PathPrefix(`/orders`) || Path(`/pay`)) && !Method(`POST`)", asked("GET https://api.example.com/pay"))
    True
    """
    return _Rule(rule[:MAX_RULE], asked).is_met()


class _Rule:
    """A recursive descent over `||`, `&&`, `!`, parentheses and matchers."""

    def __init__(self, rule: str, asked: Asked) -> None:
        self._tokens = list(_TOKEN.finditer(rule))[:200]
        self._at, self._asked = 0, asked

    def is_met(self) -> bool:
        return bool(self._tokens) and self._either()

    def _either(self) -> bool:
        found = self._both()
        while self._take("||"):
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._take("&&"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            found = self._either()
            self._take(")")
            return found
        if self._at >= len(self._tokens):
            return False
        match = self._tokens[self._at]
        self._at += 1
        return self._holds(match[2] or "", _VALUE.findall(match[3] or ""))

    def _take(self, mark: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][1] == mark:
            self._at += 1
            return True
        return False

    def _holds(self, name: str, values: list[str]) -> bool:
        path, host = self._asked.path, self._asked.host
        tests = {
            "Host": lambda: host in (*values, ANY_HOST),
            "HostRegexp": lambda: host == ANY_HOST or any(_is_like(one, host) for one in values),
            "Method": lambda: self._asked.method in values,
            "Path": lambda: path in values,
            "PathPrefix": lambda: path.startswith(tuple(values)),
            "PathRegexp": lambda: any(_is_like(one, path) for one in values),
        }
        return tests[name]() if name in tests else True


def _is_like(pattern: str, text: str) -> bool:
    try:
        return re2.search(pattern, text) is not None
    except re2.error:
        return False
