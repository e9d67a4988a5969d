"""A small OpenID provider on loopback: discovery, authorize with PKCE, token, JWKS. It knows a few people by name."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests import tokens
from tests.brokers import free_ports
from tests.waiting import HANG_S, eventually

CLIENT, SECRET = "why401-page", "the-clients-secret-0123456789"


@dataclass
class Provider:
    """Served at `issuer`; `people` maps a login name to the claims of its ID token."""

    issuer: str
    people: Mapping[str, Mapping[str, Any]]
    codes: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def application(self) -> Starlette:
        paths = {
            "/.well-known/openid-configuration": self.discovery,
            "/jwks": self.jwks,
            "/authorize": self.authorize,
            "/chosen": self.chosen,
        }
        routes = [Route(path, handler) for path, handler in paths.items()]
        return Starlette(routes=[*routes, Route("/token", self.token, methods=["POST"])])

    async def discovery(self, _: Request) -> Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
        }
        return JSONResponse(document)

    async def jwks(self, _: Request) -> Response:
        return JSONResponse(tokens.jwks("oidc"))

    async def authorize(self, request: Request) -> Response:
        """The provider's own page: who are you?"""
        asked = urlencode(dict(request.query_params))
        links = "".join(f'<p><a href="/chosen?who={who}&{asked}">{who}</a></p>' for who in self.people)
        return HTMLResponse(f"<h1>Who are you?</h1>{links}")

    async def chosen(self, request: Request) -> Response:
        query = dict(request.query_params)
        code = secrets.token_urlsafe()
        self.codes[code] = (query.pop("who"), query)
        back = urlencode({"code": code, "state": query["state"]})
        return RedirectResponse(f"{query['redirect_uri']}?{back}")

    async def token(self, request: Request) -> Response:
        form = dict(await request.form())
        who, asked = self.codes.pop(str(form.get("code")), ("", {}))
        if not who or _client(request, form) != (CLIENT, SECRET) or not _proves(str(form.get("code_verifier")), asked):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": who, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        signed = jwt.encode({**claims, **self.people[who]}, tokens.rsa_key("oidc"), "RS256", {"kid": "oidc"})
        return JSONResponse({"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": signed})


def _client(request: Request, form: Mapping[str, Any]) -> tuple[str, str]:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        name, _, secret = base64.b64decode(value).decode().partition(":")
        return name, secret
    return str(form.get("client_id")), str(form.get("client_secret"))


def _proves(verifier: str, asked: Mapping[str, str]) -> bool:
    """RFC 7636, S256."""
    return tokens.b64(hashlib.sha256(verifier.encode()).digest()) == asked.get("code_challenge")


@contextmanager
def serving(people: Mapping[str, Mapping[str, Any]]) -> Iterator[Provider]:
    """The provider in a thread of its own."""
    port = free_ports(1)[0]
    provider = Provider(f"http://127.0.0.1:{port}", people)
    server = uvicorn.Server(uvicorn.Config(provider.application(), port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started, "the OpenID provider")
        yield provider
    finally:
        server.should_exit = True
        thread.join(HANG_S)
