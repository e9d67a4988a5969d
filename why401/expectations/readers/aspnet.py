"""ASP.NET Core: appsettings.json: `Authentication:Schemes:Bearer`, `AzureAd`, and the usual `Jwt` section of tutorials.

learn.microsoft.com/aspnet/core/security/authentication/configure-jwt-bearer-authentication; Microsoft.Identity.Web
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import ASYMMETRIC, discovery, issuer_of_metadata
from why401.expectations.told import Expectation, Finding, Remark, Told

NAME: Final = "application"
TITLE: Final = "ASP.NET Core"
_USUAL: Final = {"skew_seconds": "300", "algorithms": ASYMMETRIC}  # TokenValidationParameters.DefaultClockSkew
_SECTIONS: Final = ("AzureAd", "AzureAdB2C", "EntraId")
_CUSTOM: Final = ("Jwt", "JwtSettings", "JwtOptions", "JwtBearer", "JWT", "TokenSettings")


def is_mine(root: Node) -> bool:
    """One of the sections."""
    return bool(
        root.get("Authentication", "Schemes")
        or any(root.get(name, "ClientId") for name in _SECTIONS)
        or any(_is_custom(root.get(name)) for name in _CUSTOM)
    )


def _is_custom(section: Node) -> bool:
    return any(section.get(name) for name in ("Issuer", "ValidIssuer", "Authority"))


def read(root: Node) -> Iterator[Finding]:
    """Every scheme and section."""
    for name, scheme in root.get("Authentication", "Schemes").items():
        yield from _scheme(f"scheme {name}", scheme)
    for name in _SECTIONS:
        if root.get(name, "ClientId"):
            yield from _azure(name, root.get(name))
    for name in _CUSTOM:
        if _is_custom(root.get(name)):
            yield from _scheme(f"section {name}", root.get(name))
            says = f"{name}: a section of the program's own; whether it checks all of it is code, which is not read"
            yield Remark(gateway=NAME, place=root.get(name).place, says=says)


def _scheme(name: str, scheme: Node) -> Iterator[Finding]:
    parameters = scheme.get("TokenValidationParameters")
    authority, metadata = scheme.get("Authority").told(), scheme.get("MetadataAddress").told()
    valid = _values(scheme, "ValidIssuer", "ValidIssuers", "Issuer")
    for issuer in valid or (issuer_of_metadata(metadata) or authority,):
        yield Expectation(
            gateway=NAME,
            name=name,
            place=scheme.place,
            issuer=issuer,
            audiences=_values(scheme, "ValidAudience", "ValidAudiences", "Audience"),
            algorithms=parameters.get("ValidAlgorithms").all_told(),
            jwks=discovery(issuer) if authority or metadata else None,
            inline_keys=tuple(_keys(scheme)),
            user_claim=parameters.get("NameClaimType").told(),
            skew_seconds=_span(parameters.get("ClockSkew")),
            usual=_USUAL,
        )


def _values(scheme: Node, *fields: str) -> tuple[Told, ...]:
    """Of the scheme and of its TokenValidationParameters, each once."""
    places = (scheme, scheme.get("TokenValidationParameters"))
    found = (one for where in places for field in fields for one in where.get(field).all_told())
    return tuple({one.text: one for one in found}.values())


def _keys(scheme: Node) -> Iterator[Told]:
    for key in scheme.get("SigningKeys").each():
        yield Told(text=f"shared secret of {key.get('Issuer').text or 'dotnet user-jwts'}, HS256", place=key.place)
    for field in ("Key", "Secret", "SecretKey", "SigningKey", "IssuerSigningKey"):
        if scheme.get(field):
            yield Told(text="shared secret", place=scheme.get(field).place)


def _span(node: Node) -> Told | None:
    """A TimeSpan, `[d.]hh:mm:ss`."""
    told = node.told()
    parts = told.text.partition(".")[0].split(":") if told else []
    if not told or len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    hours, minutes, seconds = (int(part) for part in parts)
    return Told(text=str(hours * 3600 + minutes * 60 + seconds), place=told.place)


def _azure(name: str, section: Node) -> Iterator[Finding]:
    """Microsoft.Identity.Web: the client id and `api://` + it are the audiences unless one is named; v2.0 tokens."""
    instance, tenant = section.get("Instance").text.rstrip("/"), section.get("TenantId")
    client = section.get("ClientId").told()
    audiences = section.get("Audience").all_told() or section.get("Audiences").all_told()
    if client and not audiences:
        audiences = (client, Told(text=f"api://{client.text}", place=client.place))
    is_one = tenant.text not in ("", "common", "organizations", "consumers")
    issuer = (
        Told(text=f"{instance or 'https://login.microsoftonline.com'}/{tenant.text}/v2.0", place=tenant.place)
        if is_one
        else None
    )
    yield Expectation(
        gateway=NAME,
        name=f"section {name}",
        place=section.place,
        issuer=issuer,
        audiences=audiences,
        jwks=discovery(issuer),
        algorithms=(),
        usual=_USUAL,
    )
    says = f"{name}: tokens of the v1.0 endpoint have the issuer https://sts.windows.net/TENANT/, which is another one"
    yield Remark(gateway=NAME, place=section.place, says=says)
    if scopes := section.get("Scopes").words():
        yield Remark(
            gateway=NAME,
            place=section.get("Scopes").place,
            says=f"{name}: controllers may require the scopes {', '.join(one.text for one in scopes)}",
        )
