"""Tyk: API definitions, classic and OAS (`x-tyk-api-gateway`), and the operator's manifests.

tyk.io/docs/api-management/authentication/jwt-validation; TykTechnologies/tyk apidef/oas/security.go
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import carriers, is_manifest
from why401.expectations.told import Expectation, Finding, Place, Remark, Route, Told

NAME: Final = "tyk"
TITLE: Final = "Tyk"
_USUAL: Final = {"skew_seconds": "0", "required_claims": ""}
_FAMILY: Final = {
    "rsa": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "ecdsa": ("ES256", "ES384", "ES512"),
    "hmac": ("HS256", "HS384", "HS512"),
}
_SKEWS: Final = ("jwt_expires_at_validation_skew", "expiresAtValidationSkew")


def is_mine(root: Node) -> bool:
    """An API definition."""
    return bool(root.get("x-tyk-api-gateway") or is_manifest(root, "tyk.tyk.io", "ApiDefinition") or _classic(root))


def _classic(root: Node) -> Node:
    """The definition itself, or inside the dashboard's envelope."""
    for one in (root, root.get("api_definition"), root.get("spec")):
        if one.get("proxy", "listen_path") or one.has("enable_jwt") or one.has("use_keyless"):
            return one
    return Node(None, root.file)


def read(root: Node) -> Iterator[Finding]:
    """The JWT scheme, and whether a key is needed at all."""
    if root.get("x-tyk-api-gateway"):
        yield from _oas(root.get("x-tyk-api-gateway"))
    else:
        yield from _of_classic(_classic(root))


def _listen(path: Node) -> Told:
    return Told(text=f"{path.text.rstrip('/')}/*", place=path.place)


def _of_classic(api: Node) -> Iterator[Finding]:
    route = _listen(api.get("proxy", "listen_path"))
    yield Route(
        gateway=NAME,
        pattern=route,
        is_checked=not api.get("use_keyless").is_true,
        why="use_keyless" if api.get("use_keyless").is_true else "",
    )
    config = api.get("auth_configs", "jwt") or api.get("auth")
    if api.get("enable_jwt").is_true:
        yield Expectation(
            gateway=NAME,
            name=f"API {api.get('name').text}",
            place=api.place,
            algorithms=_algorithms(api.get("jwt_signing_method")),
            jwks=_source(api.get("jwt_source")),
            inline_keys=_inline(api.get("jwt_source")),
            user_claim=api.first("jwt_identity_base_field", "jwt_client_base_field").told(),
            skew_seconds=api.get(_SKEWS[0]).told(),
            carriers=carriers(
                ("header", config.get("auth_header_name").all_told()),
                ("cookie", config.get("cookie_name").all_told() if config.get("use_cookie").is_true else ()),
                ("query", config.get("param_name").all_told() if config.get("use_param").is_true else ()),
            ),
            routes=(route,),
            usual=_USUAL,
        )
        yield _no_issuer(api.get("enable_jwt").place)
    for provider in api.get("openid_options", "providers").each():
        yield Expectation(
            gateway=NAME,
            name=f"API {api.get('name').text}, openid_options",
            place=provider.place,
            issuer=provider.get("issuer").told(),
            audiences=tuple(_client_ids(provider.get("client_ids"))),
            routes=(route,),
            usual=_USUAL,
        )


def _client_ids(clients: Node) -> Iterator[Told]:
    """Base64 client ids, each with its policy."""
    for name, value in clients.items():
        if plain := _decoded(name):
            yield Told(text=plain, place=value.place)


def _no_issuer(place: Place) -> Remark:
    return Remark(
        gateway=NAME,
        place=place,
        says="issuer and audience of a token are not checked: any token that the key verifies is accepted",
    )


def _oas(api: Node) -> Iterator[Finding]:
    server = api.get("server")
    route, auth = _listen(server.get("listenPath", "value")), server.get("authentication")
    is_on = auth.get("enabled").is_true
    yield Route(gateway=NAME, pattern=route, is_checked=is_on, why="" if is_on else "authentication is not enabled")
    for name, scheme in auth.get("securitySchemes").items():
        if scheme.has("signingMethod") or scheme.get("source") or scheme.get("jwksURIs"):
            yield from _scheme(f"{api.get('info', 'name').text} {name}", scheme, route)


def _scheme(name: str, scheme: Node, route: Told) -> Iterator[Finding]:
    uris = tuple(told for one in scheme.get("jwksURIs").each() if (told := one.get("url").told()))
    issuers = scheme.get("allowedIssuers").all_told()
    for issuer in issuers or (None,):
        yield Expectation(
            gateway=NAME,
            name=name,
            place=scheme.place,
            issuer=issuer,
            audiences=scheme.get("allowedAudiences").all_told(),
            algorithms=_algorithms(scheme.get("signingMethod")),
            jwks=(*uris, _source(scheme.get("source")))[0],
            inline_keys=_inline(scheme.get("source")),
            user_claim=(*scheme.get("subjectClaims").all_told(), scheme.get("identityBaseField").told())[0],
            skew_seconds=scheme.get(_SKEWS[1]).told(),
            carriers=carriers(*((kind, scheme.get(kind, "name").all_told()) for kind in ("header", "cookie", "query"))),
            routes=(route,),
            usual=_USUAL,
        )
    if not issuers:
        yield _no_issuer(scheme.place)


def _algorithms(method: Node) -> tuple[Told, ...]:
    return tuple(Told(text=alg, place=method.place) for alg in _FAMILY.get(method.text.lower(), ()))


def _source(source: Node) -> Told | None:
    """A URL, plain or in Base64; a key in Base64 is none."""
    for text in (source.text, _decoded(source.text)):
        if text.startswith(("http://", "https://")):
            return Told(text=text, place=source.place)
    return None


def _inline(source: Node) -> tuple[Told, ...]:
    is_key = source and _source(source) is None
    return (Told(text="key in jwt_source", place=source.place),) if is_key else ()


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
