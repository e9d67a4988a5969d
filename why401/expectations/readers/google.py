"""Google Cloud API Gateway and Endpoints (ESPv2): OpenAPI with `x-google-*` (cloud.google.com/endpoints/docs/openapi/openapi-extensions)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import discovery, operations
from why401.expectations.told import Expectation, Finding, Told

NAME: Final = "gcp-api-gateway"
TITLE: Final = "Google API Gateway, ESPv2"
_USUAL: Final = {"algorithms": "RS256", "skew_seconds": "60"}  # ESPv2 is Envoy's jwt_authn


def is_mine(root: Node) -> bool:
    """A security scheme with an issuer of Google's extension."""
    return any(scheme.get("x-google-issuer") or scheme.get("x-google-auth", "issuer") for _, scheme in _schemes(root))


def _schemes(root: Node) -> Iterator[tuple[str, Node]]:
    yield from root.get("securityDefinitions").items()
    yield from root.get("components", "securitySchemes").items()


def read(root: Node) -> Iterator[Finding]:
    """Every scheme, and operations without security."""
    for name, scheme in _schemes(root):
        extension = scheme.get("x-google-auth") or scheme
        issuer = extension.first("x-google-issuer", "issuer").told()
        if issuer:
            yield _scheme(name, extension, issuer, root.get("host"))
    yield from operations(NAME, root)


def _scheme(name: str, scheme: Node, issuer: Told, host: Node) -> Expectation:
    audiences = scheme.first("x-google-audiences", "audiences").words()
    if not audiences and host:  # then the service's own name is accepted
        audiences = (Told(text=f"https://{host.text}", place=host.place),)
    return Expectation(
        gateway=NAME,
        name=name,
        place=scheme.place,
        issuer=issuer,
        audiences=audiences,
        jwks=scheme.first("x-google-jwks_uri", "jwksUri").told() or discovery(issuer),
        carriers=tuple(_carriers(scheme)),
        usual=_USUAL,
    )


def _carriers(scheme: Node) -> Iterator[Told]:
    for location in scheme.first("x-google-jwt-locations", "jwtLocations").each():
        for kind in ("header", "query", "cookie"):
            if told := location.get(kind).told():
                yield Told(text=f"{kind} {told.text}", place=told.place)
