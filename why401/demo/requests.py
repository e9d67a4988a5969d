"""What a demo client sends: requests as data, and the small functions that tables of faults are written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from why401.demo.mint import Mint

Headers = tuple[tuple[str, str], ...]
REQUEST_ID: Final = "x-request-id"


@dataclass(frozen=True, slots=True, repr=False)
class DemoRequest:
    """One HTTP/1.1 request. Headers are pairs: some faults send a name twice."""

    method: str
    path: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """One client: the subject of its tokens, its address and its software. `number` counts the requests of a run."""

    mint: Mint
    subject: str = "user-0001"
    address: str = "192.0.2.10"
    user_agent: str = "okhttp/4.12.0"
    number: int = 0


TokenFor = Callable[[Caller], str]
Build = Callable[[Caller], DemoRequest]


@dataclass(frozen=True, slots=True)
class At:
    """A NumericDate this many `unit`s from now (RFC 7519 §2 counts seconds)."""

    seconds: float
    unit: int = 1
    as_type: type = int


def send(path: str, token: TokenFor, form: str = "Bearer {}", *, method: str = "GET", extra: Headers = ()) -> Build:
    """A request with the token where `form` has its braces; `form` "" sends no Authorization header."""

    def build(caller: Caller) -> DemoRequest:
        text = token(caller) if "{}" in form or "{}" in path else ""
        authorization = (("authorization", form.replace("{}", text)),) if form else ()
        return DemoRequest(method, path.replace("{}", text), (*authorization, *extra))

    return build


def good(issuer: str) -> TokenFor:
    """The caller's good token of that issuer."""
    return lambda caller: caller.mint.good(issuer, caller.subject)


def claiming(issuer: str, **changes: Any) -> TokenFor:
    """A token that the issuer signed over changed claims; `At` values are resolved when it is made."""

    def make(caller: Caller) -> str:
        return caller.mint.token(issuer, caller.subject, **resolve(caller, changes))

    return make


def signed(issuer: str, alg: str = "", **header: Any) -> TokenFor:
    """A token over good claims, with other header parameters."""

    def make(caller: Caller) -> str:
        key = caller.mint.key(issuer, alg) if alg else caller.mint.settled_key(issuer)
        return caller.mint.sign(caller.mint.claims(issuer, caller.subject), key, **header)

    return make


def edited(token: TokenFor, change: Callable[[str], str]) -> TokenFor:
    """A good token, changed as text on its way."""
    return lambda caller: change(token(caller))


def constant(text: str) -> TokenFor:
    """The same text for every caller."""
    return lambda _caller: text


def resolve(caller: Caller, changes: dict[str, Any]) -> dict[str, Any]:
    """Changes with every `At` replaced by its number or text."""
    now = caller.mint.now()
    return {
        name: value.as_type(int((now + value.seconds) * value.unit)) if isinstance(value, At) else value
        for name, value in changes.items()
    }
