"""Apinto and APIPark: applications with the `jwt` driver, as the admin API takes and returns them.

eolinker/apinto application/auth/jwt/config.go
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.told import Expectation, Finding, Remark, Told

NAME: Final = "apinto"
TITLE: Final = "Apinto, APIPark"
_OTHERS: Final = ("apikey", "basic", "aksk", "oauth2", "openid-connect-jwt", "para-hmac")
_USUAL: Final = {"skew_seconds": "0", "required_claims": ""}


def is_mine(root: Node) -> bool:
    """An application, or something that holds some."""
    return any(_auths(node) for node in root.walk())


def _auths(app: Node) -> tuple[Node, ...]:
    kinds = ("jwt", *_OTHERS)
    return tuple(
        one for one in app.get("auth").each() if one.get("type").text in kinds and one.get("config").is_mapping
    )


def read(root: Node) -> Iterator[Finding]:
    """Each credential of type jwt is an issuer."""
    for app in root.walk():
        for auth in _auths(app):
            if auth.get("type").text == "jwt":
                yield _jwt(app.get("name").text or app.get("id").text, auth)
            else:
                says = f"{app.get('name').text}: {auth.get('type').text} has no setting in [[issuers]]"
                yield Remark(gateway=NAME, place=auth.place, says=says)


def _jwt(name: str, auth: Node) -> Expectation:
    config = auth.get("config")
    position, token = auth.get("position").text or "header", auth.get("token_name")
    alg = config.get("algorithm").text
    kind = "shared secret" if alg.startswith("HS") else "public key"
    return Expectation(
        gateway=NAME,
        name=f"application {name}",
        place=auth.place,
        issuer=config.get("iss").told(),
        algorithms=config.get("algorithm").all_told(),
        inline_keys=(Told(text=f"{kind}, {alg}", place=config.place),),
        user_claim=config.get("path").told(),
        required_claims=config.get("claims_to_verify").all_told(),
        carriers=(Told(text=f"{position} {token.text}", place=token.place),) if token else (),
        usual=_USUAL,
    )
