"""What is asked, and what walking through one gateway's configuration tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from collector.errors import Why401Error
from why401.expectations.nodes import Node
from why401.expectations.told import Document, Expectation, Place


class NoRequest(Why401Error):
    """A request that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:80]!r} is no request; expected METHOD and path, such as 'GET /payments', or a URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it reaches the gateway. `host` "": not told.

    >>> asked("get https://api.example.com/payments?page=2")
    Asked(method='GET', path='/payments', host='api.example.com', target='/payments?page=2')
    """

    method: str
    path: str
    host: str = ""
    target: str = ""  # with its query


def asked(text: str) -> Asked:
    """`GET /payments`, `/payments` or `GET https://host/payments`. Raises NoRequest."""
    *methods, target = text.split() or [""]
    method = "".join(methods).upper() or "GET"
    parts = _split(target)
    if parts is None or len(methods) > 1 or not method.isalpha():
        raise NoRequest(text)
    path, query = parts.path or "/", f"?{parts.query}" if parts.query else ""
    return Asked(method=method, path=path, host=parts.hostname or "", target=path + query)


def _split(target: str) -> SplitResult | None:
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return parts if target.startswith("/") or parts.netloc else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One decision on the way: `name` is route, check, provider or rule."""

    name: str
    says: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Where the request comes to in one gateway.

    Of `expectations`, any one that accepts the token is enough. `open` says why no token is checked. `refusal` is the code of a
    request that is refused whatever its token, and `elsewhere` who decides where the configuration does not tell.
    """

    steps: tuple[Step, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    open: str = ""
    refusal: str = ""
    elsewhere: str = ""
    forgives: tuple[str, ...] = ()  # codes with which a request passes all the same; "*": all
    unknown: tuple[str, ...] = ()  # what this configuration cannot tell about the request


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One document of a gateway, as its reader read it, and its tree."""

    document: Document
    root: Node = field(repr=False)


Walk: TypeAlias = Callable[[Sequence[Part], Asked], Walked]
"""A gateway's documents and a request → where it comes to. Never raises because of a configuration."""


def provided(one: Expectation) -> Step:
    """The step at which a provider and its key set are known."""
    facts = [
        ("issuer", one.issuer.text if one.issuer else "any"),
        ("audiences", ", ".join(told.text for told in one.audiences[:5]) or "any"),
        ("keys", _keys(one)),
    ]
    says = f"{one.name!r}: " + ", ".join(f"{name} {value}" for name, value in facts)
    return Step(name="provider", says=says, place=one.place)


def _keys(one: Expectation) -> str:
    if one.jwks:
        return one.jwks.text
    return "in the configuration" if one.inline_keys or one.inline_set else "not told"
