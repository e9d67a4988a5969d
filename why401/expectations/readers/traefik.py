"""Traefik: dynamic configuration (YAML, TOML) and CRDs. It checks no token by itself: forwardAuth asks a service; Hub's and plugins' `jwt` do.

doc.traefik.io/traefik/middlewares/http/forwardauth, doc.traefik.io/traefik-hub/api-gateway/reference/routing/http/middlewares/ref-jwt
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import ASYMMETRIC, carriers, is_manifest, name_of, unknown_version
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "traefik"
TITLE: Final = "Traefik"
_GROUPS: Final = ("traefik.io", "traefik.containo.us", "hub.traefik.io")
_CHECKING: Final = (
    "forwardAuth",
    "basicAuth",
    "digestAuth",
    "jwt",
    "oidc",
    "oAuthIntrospection",
    "apiKey",
    "ldap",
    "hmac",
)
_STATIC: Final = ("entryPoints", "entrypoints")


def is_mine(root: Node) -> bool:
    """Dynamic or static configuration, or a manifest."""
    if any(is_manifest(root, group, "Middleware", "IngressRoute") for group in _GROUPS):
        return True
    http = root.get("http")
    has_http = http.is_mapping and any(http.get(name).is_mapping for name in ("routers", "middlewares"))
    return has_http or any(root.get(name).is_mapping for name in _STATIC)


def read(root: Node) -> Iterator[Finding]:
    """Middlewares that check, and which router has one."""
    if root.get("kind"):
        yield from _manifest(root)
        return
    http = root.get("http")
    checking = {name for name, value in http.get("middlewares").items() if checks(value)}
    chains = {
        name for name, value in http.get("middlewares").items() if _plain(value.get("chain", "middlewares")) & checking
    }
    for name, value in http.get("middlewares").items():
        yield from _middleware(name, value)
    for name, router in http.get("routers").items():
        used = _plain(router.get("middlewares"))
        is_checked = bool(used & (checking | chains))
        yield from _route(name, router.get("rule"), is_checked=is_checked, is_known=bool(checking))
    if any(root.get(name) for name in _STATIC):
        yield Remark(
            gateway=NAME,
            place=root.place,
            says="static configuration; routers and middlewares are in the dynamic configuration",
        )


def _plain(names: Node) -> set[str]:
    """`jwt@file` is `jwt`."""
    return {told.text.partition("@")[0] for told in names.all_told()}


def checks(middleware: Node) -> bool:
    """Whether a middleware checks who asks."""
    return any(middleware.get(kind).is_mapping for kind in _CHECKING) or any(
        "jwt" in name.lower() for name in middleware.get("plugin").names()
    )


def _manifest(root: Node) -> Iterator[Finding]:
    yield from unknown_version(NAME, root, ("v1alpha1",))
    if root.get("kind").text == "Middleware":
        yield from _middleware(name_of(root), root.get("spec"))
        return
    for route in root.get("spec", "routes").each():
        names = ", ".join(one.get("name").text for one in route.get("middlewares").each())
        says = (
            f"{name_of(root)}: {route.get('match').text} has {f'the middlewares {names}' if names else 'no middleware'}"
        )
        yield Remark(gateway=NAME, place=route.place, says=says)


def _middleware(name: str, value: Node) -> Iterator[Finding]:
    if address := value.get("forwardAuth", "address").told():
        yield Remark(
            gateway=NAME,
            place=address.place,
            says=f"{name}: tokens are checked by the service at {address.text}; what it expects is in its configuration",
        )
    for kind in ("basicAuth", "digestAuth", "oidc", "oAuthIntrospection", "apiKey", "ldap", "hmac"):
        if value.get(kind).is_mapping:
            yield Remark(
                gateway=NAME, place=value.get(kind).place, says=f"{name}: {kind} has no setting in [[issuers]]"
            )
    for kind, config in (("jwt", value.get("jwt")), *value.get("plugin").items()):
        if "jwt" in kind.lower() and config.is_mapping:
            yield from _jwt(f"{name} {kind}".removesuffix(" jwt"), config)


def _jwt(name: str, config: Node) -> Iterator[Finding]:
    """Hub's `jwt`: one key source, or a list of trusted issuers with a key set each."""
    trusted = config.get("trustedIssuers").each()
    for one in trusted or (config,):
        yield Expectation(
            gateway=NAME,
            name=name,
            place=one.place,
            issuer=one.first("issuer", "Issuer", "iss").told(),
            audiences=config.first("audience", "audiences", "Aud").all_told(),
            algorithms=config.first("alg", "Alg", "algorithms").all_told(),
            jwks=one.first("jwksUrl", "JwksUrl", "jwksURL").told(),
            inline_keys=tuple(_keys(config)),
            carriers=carriers(("query", config.first("tokenQueryKey", "jwtQueryKey").all_told())),
            usual={"skew_seconds": "0", "algorithms": ASYMMETRIC},
        )
    if claims := config.get("claims").told():
        yield Remark(gateway=NAME, place=claims.place, says=f"{name}: requires {claims.text}")


def _keys(config: Node) -> Iterator[Told]:
    for field, kind in (("signingSecret", "shared secret"), ("publicKey", "public key"), ("Keys", "keys")):
        if config.get(field):
            yield Told(text=kind, place=config.get(field).place)


def _route(name: str, rule: Node, *, is_checked: bool, is_known: bool) -> Iterator[Route]:
    if is_known:
        pattern = Told(text=f"{name}: {rule.text}", place=rule.place)
        yield Route(
            gateway=NAME, pattern=pattern, is_checked=is_checked, why="" if is_checked else "no middleware that checks"
        )
