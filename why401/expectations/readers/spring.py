"""Spring Boot: `spring.security.oauth2.resourceserver` in application.yml, .properties and on the command line.

docs.spring.io/spring-boot/reference/web/spring-security.html; OAuth2ResourceServerProperties
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import discovery
from why401.expectations.told import Expectation, Finding, Remark, Told

NAME: Final = "spring"
TITLE: Final = "Spring Boot"
_USUAL: Final = {"skew_seconds": "60", "algorithms": "RS256"}  # JwtTimestampValidator; NimbusJwtDecoder
_PATH: Final = ("spring", "security", "oauth2", "resourceserver")
_READ: Final = frozenset({
    "issueruri", "jwkseturi", "audiences", "jwsalgorithms", "jwsalgorithm", "publickeylocation", "principalclaimname",
    "authorityprefix", "authoritiesclaimname", "authoritiesclaimdelimiter",
})  # fmt: skip


def _find(root: Node, *names: str) -> Node:
    """A path whose names may be joined by dots (`spring.security: {oauth2.resourceserver: …}`)."""
    for name, value in root.items():
        parts = tuple(name.lower().split("."))
        if parts == names[: len(parts)]:
            found = _find(value, *names[len(parts) :]) if len(parts) < len(names) else value
            if found:
                return found
    return Node(None, root.file)


def _plain(name: str) -> str:
    """Relaxed binding: `issuer-uri`, `issuerUri` and `issuer_uri` are one name."""
    return name.replace("-", "").replace("_", "").lower()


def is_mine(root: Node) -> bool:
    """A resource server."""
    return root.is_mapping and bool(_find(root, *_PATH))


def read(root: Node) -> Iterator[Finding]:
    """The one issuer that Boot's properties can name."""
    server = _find(root, *_PATH)
    jwt, opaque = _find(server, "jwt"), _find(server, "opaquetoken")
    if jwt:
        yield from _jwt(jwt)
    if opaque:
        yield Remark(
            gateway=NAME,
            place=opaque.place,
            says="opaquetoken: tokens are checked by introspection at the issuer; nothing is expected of a JWT",
        )
    yield Remark(
        gateway=NAME,
        place=server.place,
        says="which routes require a token and which scopes is Java code, which is not read",
    )


def _jwt(jwt: Node) -> Iterator[Finding]:
    values = {_plain(name.partition("[")[0]): value for name, value in jwt.items()}
    nothing = Node(None, jwt.file)
    issuer = values.get("issueruri", nothing).told()
    key = values.get("publickeylocation", nothing)
    algorithms = values.get("jwsalgorithms", values.get("jwsalgorithm", nothing))
    yield Expectation(
        gateway=NAME,
        name="resourceserver.jwt",
        place=jwt.place,
        issuer=issuer,
        audiences=values.get("audiences", nothing).words(),
        algorithms=algorithms.words(),
        jwks=values.get("jwkseturi", nothing).told() or (None if key else discovery(issuer)),
        inline_keys=(Told(text=f"public key {key.text}", place=key.place),) if key else (),
        user_claim=values.get("principalclaimname", nothing).told(),
        usual=_USUAL | {"required_claims": ""},
    )
    for name, value in jwt.items():
        if _plain(name.partition("[")[0]) not in _READ:
            yield Remark(gateway=NAME, place=value.place, says=f"`{name}` is not read")
