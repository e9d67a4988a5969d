"""Who may ask the page, by the names in the request, and what a browser may do with the answer.

A name that an outsider owns can be made to lead to 127.0.0.1 (DNS rebinding): then his page and ours have the same origin for the
browser, and no rule of the browser helps. So requests are answered only under names that we know the page by, also on loopback; a
websocket comes only from an origin that is the page's own. Addresses are no names: nobody can rebind them.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from collector.settings import Settings
from collector.settings.checks import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
MISDIRECTED: Final = 421
SEE_OTHER: Final = 303
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)  # of Streamlit's own page
_OF_STREAMLIT: Final = (
    "static",
    "_stcore",
    "media",
    "component",
    "app",
    "vendor",
    "auth",
)  # where its own files are below a folder
_REFUSAL: Final = b"The page is not known by this name. Add it to [dashboard] hosts in why401.toml.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the page is called: `hosts` by their names, `origins` with their ports, and whether any address will do."""

    hosts: frozenset[str]
    origins: frozenset[str]
    any_address: bool

    def knows(self, host: str) -> bool:
        """Whether a Host header, with or without a port, names the page."""
        name = _name(host)
        return name in self.hosts or (self.any_address and _is_address(name))

    def may_connect(self, host: str, origin: str | None) -> bool:
        """Whether a websocket may be opened. Browsers always send an origin; other programs need none."""
        if not self.knows(host):
            return False
        place = urlsplit(origin).netloc.lower() if origin is not None else ""
        return origin is None or place == host.lower() or place in self.origins


def names(settings: Settings) -> Names:
    """Of the configured address, `[dashboard] hosts`, and where the login leads back to."""
    bound = settings.dashboard.address.rpartition(":")[0].strip("[]").lower()
    further = [host.lower() for host in settings.dashboard.hosts]
    further += [place for place in (urlsplit(settings.dashboard.login.redirect_uri).netloc.lower(),) if place]
    is_wild = _is_address(bound) and ipaddress.ip_address(bound).is_unspecified
    known = {bound, *(_name(place) for place in further)}
    if is_loopback(bound) or is_wild:
        known |= set(LOOPBACK)
    if is_wild:
        known |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return Names(hosts=frozenset(known), origins=frozenset(further), any_address=is_wild)


def headers(page: Path) -> tuple[tuple[bytes, bytes], ...]:
    """For every response. `page` is the document that the browser starts with; its own inline scripts are named by their digest."""
    scripts = " ".join(
        ["'self'", "'unsafe-eval'", *_digests(page.read_text(encoding="utf-8"))]
    )  # charts compile their expressions
    policy = (
        "default-src 'self'", f"script-src {scripts}", "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:",
        "font-src 'self' data:", "connect-src 'self'", "worker-src 'self' blob:", "object-src 'none'", "base-uri 'none'",
        "form-action 'self'", "frame-src 'none'", "frame-ancestors 'none'",
    )  # fmt: skip
    return (
        (b"content-security-policy", "; ".join(policy).encode()),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )


class Guard:
    """ASGI middleware in front of Streamlit."""

    def __init__(self, app: ASGIApp, names: Names, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._app = app
        self._names = names
        self._headers = tuple(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the headers to the answer."""
        if scope["type"] == "websocket" and not self._names.may_connect(*_asked(scope)):
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: HTTP 403
        elif scope["type"] == "http" and not self._names.knows(_asked(scope)[0]):
            await self._refuse(send)
        elif scope["type"] == "http" and _is_astray(scope):
            await self._lead_home(scope, send)
        elif scope["type"] == "http":
            await self._app(scope, receive, self._adding(send))
        else:
            await self._app(scope, receive, send)

    def _adding(self, send: Send) -> Send:
        ours = {name for name, _ in self._headers}

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                theirs = [pair for pair in message.get("headers", ()) if pair[0].lower() not in ours]
                message = {**message, "headers": [*theirs, *self._headers]}
            await send(message)

        return add

    async def _lead_home(self, scope: Scope, send: Send) -> None:
        query, name = scope.get("query_string", b""), scope["path"].strip("/")
        page = name.encode() if name.isascii() and name.isalnum() else b""  # a slash too many at its end
        head = [(b"location", b"/" + page + (b"?" + query if query else b"")), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": SEE_OTHER, "headers": [*head, *self._headers]})
        await send({"type": "http.response.body", "body": b""})

    async def _refuse(self, send: Send) -> None:
        head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(_REFUSAL)).encode())]
        await send({"type": "http.response.start", "status": MISDIRECTED, "headers": [*head, *self._headers]})
        await send({"type": "http.response.body", "body": _REFUSAL})


def _is_astray(scope: Scope) -> bool:
    """A person at a path below a folder, where no page is. Streamlit would send a document that finds none of its files from there: blank."""
    folder, slash, _ = scope["path"].lstrip("/").partition("/")
    wanted = b"".join(value for name, value in scope["headers"] if name == b"accept")
    return bool(slash) and folder not in _OF_STREAMLIT and b"text/html" in wanted and scope["method"] in ("GET", "HEAD")


def _asked(scope: Scope) -> tuple[str, str | None]:
    """Host and Origin; a request with two of either names nothing that we know."""
    found: dict[bytes, list[str]] = {b"host": [], b"origin": []}
    for name, value in scope["headers"]:
        if name in found:
            found[name].append(value.decode("latin-1"))
    hosts, origins = found[b"host"], found[b"origin"]
    return (hosts[0] if len(hosts) == 1 else ""), (None if not origins else origins[0] if len(origins) == 1 else "")


def _name(host: str) -> str:
    """Without port and brackets, in lower case; "" when it is no host."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    is_host = parts.netloc == host and "@" not in host
    return (parts.hostname or "").rstrip(".") if is_host else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _digests(document: str) -> list[str]:
    scripts: list[Any] = _SCRIPT.findall(document)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]
