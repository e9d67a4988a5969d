"""oauth2-proxy: flags, the TOML file, and the alpha configuration (oauth2-proxy.github.io/oauth2-proxy/configuration/overview)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import container_flags, discovery
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "oauth2-proxy"
TITLE: Final = "oauth2-proxy"
_USUAL: Final = {"skew_seconds": "0"}  # go-oidc: exp without leeway
_MARKS: Final = (
    "oidc_issuer_url",
    "skip_jwt_bearer_tokens",
    "email_domains",
    "email_domain",
    "cookie_secret",
    "redeem_url",
    "extra_jwt_issuers",
)


def _get(root: Node, name: str) -> Node:
    """A setting in the file's spelling (`oidc_issuer_url`), the flag's, and the plural of either."""
    dashed = name.replace("_", "-")
    return root.first(name, dashed, f"{name}s", f"{dashed}s")


def is_mine(root: Node) -> bool:
    """Two of its own settings, or a provider of the alpha configuration."""
    flags = container_flags(root) or root
    return sum(bool(_get(flags, mark)) for mark in _MARKS) >= 2 or any(
        _is_alpha(one) for one in root.get("providers").each()
    )


def _is_alpha(provider: Node) -> bool:
    return provider.get("oidcConfig").is_mapping and bool(provider.get("clientID"))


def read(root: Node) -> Iterator[Finding]:
    """The provider, extra issuers, and paths that need no login."""
    root = container_flags(root) or root
    alpha = [one for one in root.get("providers").each() if _is_alpha(one)]
    for provider in alpha:
        yield _alpha(provider)
    if not alpha:
        yield from _plain(root)
    for path in (*_get(root, "skip_auth_route").all_told(), *_get(root, "skip_auth_regex").all_told()):
        yield Route(
            gateway=NAME,
            pattern=Told(text=f"regex {path.text}", place=path.place),
            is_checked=False,
            why="skip_auth_routes",
        )


def _plain(root: Node) -> Iterator[Finding]:
    issuer, jwks = _get(root, "oidc_issuer_url").told(), _get(root, "oidc_jwks_url").told()
    if not _get(root, "skip_jwt_bearer_tokens").is_true:
        says = "skip_jwt_bearer_tokens is not set: tokens in the Authorization header are not looked at, only sessions"
        yield Remark(gateway=NAME, place=root.place, says=says)
    yield Expectation(
        gateway=NAME,
        name=f"provider {_get(root, 'provider').text or 'google'}",
        place=issuer.place if issuer else root.place,
        issuer=issuer,
        audiences=(*_get(root, "client_id").all_told(), *_get(root, "oidc_extra_audience").all_told()),
        jwks=jwks or discovery(issuer),
        user_claim=_get(root, "oidc_email_claim").told(),
        usual=_USUAL,
    )
    for extra in _get(root, "extra_jwt_issuers").words():
        name, _, audience = extra.text.partition("=")
        told = Told(text=name, place=extra.place)
        yield Expectation(
            gateway=NAME,
            name="extra_jwt_issuers",
            place=extra.place,
            issuer=told,
            audiences=(Told(text=audience, place=extra.place),) if audience else (),
            jwks=discovery(told),
            usual=_USUAL,
        )


def _alpha(provider: Node) -> Expectation:
    oidc = provider.get("oidcConfig")
    issuer = oidc.get("issuerURL").told()
    return Expectation(
        gateway=NAME,
        name=f"provider {provider.get('id').text or provider.get('provider').text}",
        place=provider.place,
        issuer=issuer,
        audiences=(*provider.get("clientID").all_told(), *oidc.get("extraAudiences").all_told()),
        jwks=oidc.get("jwksURL").told() or discovery(issuer),
        user_claim=oidc.get("emailClaim").told(),
        usual=_USUAL,
    )
