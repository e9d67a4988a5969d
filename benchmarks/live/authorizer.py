"""A small authorization service, as people write one for forwardAuth, auth_request and ext_authz: it answers 200, or 401
with PyJWT's own words in the challenge.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import jwt

from why401.demo.mint import Issuer

LEEWAY_S: Final = 60


@contextmanager
def authorizer(issuer: Issuer, jwks_url: str) -> Iterator[int]:
    """Serve on a loopback port until the block ends; the port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.issuer, server.keys = issuer, jwt.PyJWKClient(jwks_url)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="authorizer")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    issuer: Issuer
    keys: jwt.PyJWKClient

    def refusal(self, authorization: str) -> str:
        """The challenge (RFC 6750 §3), "" for a token that is good."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return "Bearer"
        try:
            self._decode(token)
        except jwt.PyJWTError as error:
            description = str(error).replace("\\", "\\\\").replace('"', '\\"')
            return f'Bearer error="invalid_token", error_description="{description}"'
        return ""

    def _decode(self, token: str) -> None:
        jwt.decode(
            token,
            self.keys.get_signing_key_from_jwt(token),
            algorithms=list(self.issuer.algs),
            audience=self.issuer.audience,
            issuer=self.issuer.url,
            leeway=LEEWAY_S,
            options={"require": ["exp", "sub"]},
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:  # the name that BaseHTTPRequestHandler calls
        challenge = self.server.refusal(self.headers.get("authorization", ""))
        self.send_response_only(401 if challenge else 200)
        self.send_header("content-length", "0")
        if challenge:
            self.send_header("www-authenticate", challenge)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""
