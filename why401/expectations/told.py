"""What a configuration tells: expectations, routes and remarks, each value with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value stands.

    >>> str(Place(file="envoy.yaml", line=12, path="providers.shop.issuer"))
    'envoy.yaml:12 providers.shop.issuer'
    """

    file: str
    line: int = 0  # 0: the format's parser does not tell
    path: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where} {self.path}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One value and where it stands."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What one gateway expects of one issuer's tokens. What is not set is empty; `usual` has the product's own defaults."""

    gateway: str  # the collector's gateway kind
    name: str  # as the configuration calls it: a provider, a plugin, a middleware
    place: Place
    issuer: Told | None = None
    audiences: tuple[Told, ...] = ()
    algorithms: tuple[Told, ...] = ()
    jwks: Told | None = None  # a URL, a file, or "discovery"
    inline_keys: tuple[Told, ...] = ()  # kid, type and alg only
    inline_set: Told | None = None  # their public members, as a JWKS document; no symmetric key
    user_claim: Told | None = None
    required_claims: tuple[Told, ...] = ()
    required_scopes: tuple[Told, ...] = ()
    skew_seconds: Told | None = None
    cache_seconds: Told | None = None  # how long the gateway keeps the key set
    carriers: tuple[Told, ...] = ()  # "header x-jwt", "cookie session", "query access_token"
    routes: tuple[Told, ...] = ()  # patterns as in [[issuers]] routes; empty: not limited, or not known
    usual: Mapping[str, str] = field(
        default_factory=dict
    )  # skew_seconds, algorithms …: what the product does when nothing is set


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route and whether a token is checked on it."""

    gateway: str
    pattern: Told
    is_checked: bool
    why: str = ""  # when it is not: "jwt_authn is disabled", "a request without a token passes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that was seen and is not in the settings: an unknown field, a check that has no setting, a doubtful value."""

    gateway: str
    place: Place
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The issuer's side: what an issuer's own configuration says it puts into tokens."""

    name: str  # a realm
    place: Place
    issuer: Told | None = None  # known where the configuration has the public URL
    audiences: tuple[Told, ...] = ()
    algorithms: tuple[Told, ...] = ()


Finding: TypeAlias = Expectation | Route | Remark | Issued


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of one file, and what its reader found."""

    gateway: str
    title: str
    file: str
    expectations: tuple[Expectation, ...] = ()
    routes: tuple[Route, ...] = ()
    remarks: tuple[Remark, ...] = ()
    issued: tuple[Issued, ...] = ()


def document(gateway: str, title: str, file: str, findings: Iterable[Finding]) -> Document:
    """Sort what a reader yielded."""
    found = list(findings)
    return Document(
        gateway=gateway,
        title=title,
        file=file,
        expectations=tuple(one for one in found if isinstance(one, Expectation)),
        routes=tuple(one for one in found if isinstance(one, Route)),
        remarks=tuple(one for one in found if isinstance(one, Remark)),
        issued=tuple(one for one in found if isinstance(one, Issued)),
    )
