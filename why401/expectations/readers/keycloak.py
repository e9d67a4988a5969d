"""Keycloak: a realm export, the issuer's side: which audiences its mappers put into tokens, and how it signs.

keycloak.org/docs-api: RealmRepresentation
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import tell
from why401.expectations.told import Finding, Issued, Remark, Told

NAME: Final = "keycloak"
TITLE: Final = "Keycloak realm"
_MAPPER: Final = "oidc-audience-mapper"


def is_mine(root: Node) -> bool:
    """A realm with clients."""
    return bool(root.get("realm")) and (
        root.has("clients") or root.has("accessTokenLifespan") or root.has("clientScopes")
    )


def read(root: Node) -> Iterator[Finding]:
    """The realm's issuer when its public URL stands in it, and what its tokens are for."""
    realm, front = root.get("realm"), root.get("attributes", "frontendUrl")
    algorithm = root.get("defaultSignatureAlgorithm").told()
    yield Issued(
        name=realm.text,
        place=realm.place,
        issuer=tell(f"{front.text.rstrip('/')}/realms/{realm.text}" if front.text else "", front.place),
        audiences=tuple({one.text: one for one in _audiences(root)}.values()),
        algorithms=(algorithm or Told(text="RS256", place=realm.place),),
    )
    if not front:
        says = f"realm {realm.text}: no frontendUrl, so the issuer is the address that clients use, with /realms/{realm.text}"
        yield Remark(gateway=NAME, place=realm.place, says=says)
    for client in root.get("clients").each():
        if client.get("enabled").text == "false":
            yield Remark(
                gateway=NAME, place=client.place, says=f"the client {client.get('clientId').text!r} is disabled"
            )


def _audiences(root: Node) -> Iterator[Told]:
    for holder in (*root.get("clients").each(), *root.get("clientScopes").each()):
        for mapper in holder.get("protocolMappers").each():
            config = mapper.get("config")
            if mapper.get("protocolMapper").text == _MAPPER:
                for field in ("included.client.audience", "included.custom.audience"):
                    yield from config.get(field).all_told()
