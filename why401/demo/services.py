"""What stands behind the demo's Envoy: the issuers' key sets and an upstream that checks some tokens itself.

One loopback server for both. The upstream verifies with PyJWT, so its reasons are a library's own words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import orjson

from why401.demo.loopback import Loopback
from why401.demo.mint import Mint

MAX_SEEN: Final = 10_000  # jti values remembered for replay
REVOKED_MARK: Final = "revoked-"  # the demo's revocation list is every jti with this prefix
MAX_AGE_S: Final = 3 * 3600


class Refused(Exception):
    """The upstream says no. `challenge` is its WWW-Authenticate, "" for an upstream that says nothing."""

    def __init__(self, status: int, challenge: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.challenge = challenge


class Services(Loopback):
    """Key sets under /jwks/NAME.json, everything else is the upstream. `port` is known after construction."""

    def __init__(self, mint: Mint) -> None:
        self.mint = mint
        self.seen: deque[str] = deque(maxlen=MAX_SEEN)
        self.broken = 0
        server = _Server(("127.0.0.1", 0), _Handler)
        server.services = self
        super().__init__(server, "demo-services")

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        """The body of a 200. Raises Refused."""
        if path.startswith("/jwks/"):
            return self._key_set(path.removeprefix("/jwks/").removesuffix(".json"))
        if path.startswith("/v1/inventory"):
            raise Refused(403 if path.endswith("/stock") else 401)
        if path.startswith("/v1/profile") and "x-user" not in headers:
            raise Refused(401, _challenge("no authenticated user: header x-user is absent"))
        if path.startswith("/v1/invoices"):
            self._verify(headers)
        return orjson.dumps({"ok": True, "method": method})

    def _key_set(self, name: str) -> bytes:
        if name == "acquired":
            return b'{"keys": []}'
        if name not in self.mint.issuers:
            raise Refused(404)
        if name == "merged":
            url = self.mint.issuers[name].url
            return orjson.dumps({"issuer": url, "jwks_uri": f"{url}/keys"})
        return orjson.dumps(self.mint.jwks(name))

    def _verify(self, headers: Mapping[str, str]) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(401, "Bearer")
        try:
            claims = self._decode(token)
        except jwt.PyJWTError as error:
            raise Refused(401, _challenge(str(error))) from None
        self._judge(claims, headers)

    def _decode(self, token: str) -> dict[str, Any]:
        shop = self.mint.issuers["shop"]
        keys = jwt.PyJWKSet.from_dict(self.mint.jwks("shop"))
        kid = jwt.get_unverified_header(token).get("kid", "")
        claims: dict[str, Any] = jwt.decode(
            token,
            keys[kid],
            algorithms=["RS256"],
            audience=shop.audience,
            issuer=shop.url,
            leeway=60,
            options={"require": ["exp", "iat", "sub"]},
        )
        return claims

    def _judge(self, claims: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        jti = str(claims.get("jti", ""))
        if not claims["sub"]:
            raise Refused(401, _challenge("the sub claim is empty"))
        if "cnf" in claims and "dpop" not in headers:
            raise Refused(401, 'DPoP error="invalid_token", error_description="DPoP proof is missing", algs="ES256"')
        if jti.startswith(REVOKED_MARK):
            raise Refused(401, _challenge("The token has been revoked"))
        if self.mint.now() - claims.get("auth_time", self.mint.now()) > MAX_AGE_S:
            raise Refused(401, _challenge("auth_time is older than max_age, reauthentication is required"))
        if claims.get("purpose") == "one-time":
            self._once(jti)

    def _once(self, jti: str) -> None:
        if jti in self.seen:
            raise Refused(401, _challenge("jti was used before: one-time token replayed"))
        self.seen.append(jti)


def _challenge(why: str) -> str:
    quoted = why.replace("\\", "\\\\").replace('"', '\\"')
    return f'Bearer error="invalid_token", error_description="{quoted}"'


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    services: Services

    def handle_error(self, *_: object) -> None:
        """Count a gateway that went away in the middle of an answer; the default prints a traceback."""
        self.services.broken += 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, body, challenge = 200, b"", ""
        try:
            body = self.server.services.answer(self.command, urlsplit(self.path).path, headers)
        except Refused as refused:
            status, challenge = refused.status, refused.challenge
        self.send_response_only(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if challenge:
            self.send_header("www-authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal of whoever runs the demo."""

    do_GET = do_POST = do_OPTIONS = _serve  # noqa: N815  # the names that BaseHTTPRequestHandler calls
