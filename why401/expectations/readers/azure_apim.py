"""Azure API Management: `validate-jwt` and `validate-azure-ad-token` policies (learn.microsoft.com/azure/api-management/validate-jwt-policy)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import discovery, issuer_of_metadata, tell_all
from why401.expectations.told import Expectation, Finding, Place, Remark, Told

NAME: Final = "azure-apim"
TITLE: Final = "Azure API Management"
_POLICIES: Final = ("validate-jwt", "validate-azure-ad-token")
_USUAL: Final = {"skew_seconds": "0", "algorithms": "RS256", "required_claims": "exp"}


def is_mine(root: Node) -> bool:
    """A policy document."""
    return root.raw.tag in ("policies", "fragment", "inbound", *_POLICIES)


def read(root: Node) -> Iterator[Finding]:
    """Every policy that validates a token."""
    for number, policy in enumerate(root.raw.iter("validate-jwt"), 1):
        yield from _jwt(policy, Place(file=root.file, path=f"validate-jwt[{number}]"))
    for number, policy in enumerate(root.raw.iter("validate-azure-ad-token"), 1):
        yield from _entra(policy, Place(file=root.file, path=f"validate-azure-ad-token[{number}]"))


def _texts(policy: Any, path: str, place: Place) -> tuple[Told, ...]:
    where = Place(file=place.file, path=f"{place.path}/{path}")
    return tuple(
        Told(text=(one.text or "").strip(), place=where) for one in policy.findall(path) if (one.text or "").strip()
    )


def _attribute(policy: Any, name: str, place: Place) -> Told | None:
    value = policy.get(name, "")
    return Told(text=value, place=Place(file=place.file, path=f"{place.path}/@{name}")) if value else None


def _metadata(policy: Any, place: Place) -> Told | None:
    url = next((one.get("url", "") for one in policy.findall("openid-config")), "")
    return Told(text=url, place=Place(file=place.file, path=f"{place.path}/openid-config")) if url else None


def _jwt(policy: Any, place: Place) -> Iterator[Finding]:
    metadata = _metadata(policy, place)
    issuers = _texts(policy, "issuers/issuer", place)
    for issuer in issuers or (issuer_of_metadata(metadata),):
        yield Expectation(
            gateway=NAME,
            name="validate-jwt",
            place=place,
            issuer=issuer,
            audiences=_texts(policy, "audiences/audience", place),
            jwks=discovery(metadata),
            inline_keys=tuple(_keys(policy, place)),
            required_claims=tell_all([] if policy.get("require-expiration-time") == "false" else ["exp"], place),
            required_scopes=tuple(_scopes(policy, place)),
            skew_seconds=_attribute(policy, "clock-skew", place),
            carriers=tuple(_carriers(policy, place)),
            usual=_USUAL | {"required_claims": ""},
        )
    yield from _claims(policy, place)


def _claims(policy: Any, place: Place) -> Iterator[Remark]:
    """Claims that are no scopes, or of which one value is enough."""
    for claim in policy.findall("required-claims/claim"):
        values = [(one.text or "").strip() for one in claim.findall("value")]
        if claim.get("name") not in ("scp", "scope") or claim.get("match") == "any":
            how = "one" if claim.get("match") == "any" else "all"
            says = f"the claim {claim.get('name')!r} must hold {how} of {', '.join(values) or 'any value'}"
            yield Remark(gateway=NAME, place=place, says=says)


def _scopes(policy: Any, place: Place) -> Iterator[Told]:
    for claim in policy.findall("required-claims/claim"):
        if claim.get("name") in ("scp", "scope") and claim.get("match", "all") == "all":
            for value in claim.findall("value"):
                for word in (value.text or "").split():
                    yield Told(text=word, place=Place(file=place.file, path=f"{place.path}/required-claims"))


def _keys(policy: Any, place: Place) -> Iterator[Told]:
    for key in policy.findall("issuer-signing-keys/key"):
        kind = "RSA key" if key.get("n") or key.get("certificate-id") else "shared secret"
        yield Told(
            text=f"{key.get('id', '')} {kind}".strip(),
            place=Place(file=place.file, path=f"{place.path}/issuer-signing-keys"),
        )


def _carriers(policy: Any, place: Place) -> Iterator[Told]:
    for attribute, kind in (
        ("header-name", "header"),
        ("query-parameter-name", "query"),
        ("token-value", "expression"),
    ):
        if told := _attribute(policy, attribute, place):
            yield Told(text=f"{kind} {told.text}", place=told.place)


def _entra(policy: Any, place: Place) -> Iterator[Finding]:
    tenant = _attribute(policy, "tenant-id", place)
    issuer = Told(text=f"https://login.microsoftonline.com/{tenant.text}/v2.0", place=tenant.place) if tenant else None
    audiences = _texts(policy, "audiences/audience", place)
    yield Expectation(
        gateway=NAME,
        name="validate-azure-ad-token",
        place=place,
        issuer=issuer,
        audiences=audiences,
        jwks=discovery(issuer),
        usual=_USUAL,
    )
    if clients := _texts(policy, "client-application-ids/application-id", place):
        yield Remark(
            gateway=NAME,
            place=clients[0].place,
            says=f"only the clients {', '.join(one.text for one in clients)} are accepted",
        )
    yield Remark(
        gateway=NAME,
        place=place,
        says="tokens of the v1.0 endpoint have the issuer https://sts.windows.net/TENANT/, which is accepted too",
    )
