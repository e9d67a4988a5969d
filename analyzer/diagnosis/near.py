"""How do two values differ that should be equal? The near miss: the one difference that a person would overlook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

ENVIRONMENTS: Final = (
    "prod", "production", "prd", "live", "stage", "staging", "stg", "dev", "develop", "development", "test", "tst", "qa",
    "uat", "int", "sandbox", "local", "localhost", "preprod", "demo",
)  # fmt: skip
_INTERNAL: Final = (
    "local",
    "internal",
    "svc",
    "cluster",
    "lan",
)  # last labels of host names that nobody outside resolves
_REALMS: Final = ("realms", "tenants")  # path segments before the name of a realm
_ENTRA_HOSTS: Final = frozenset(("sts.windows.net", "login.microsoftonline.com"))


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A value that almost equals the expected one.

    FROZEN: `key` is part of group ids (analyzer/grouping) and near_misses/*.toml match its beginning; `says` is what
    people read and may be reworded.
    """

    expected: str
    key: str
    says: str


_Difference = tuple[str, str]  # key and says of a NearMiss
_Path = Sequence[str]  # the segments of a URL's path

# FROZEN: the first text of each pair goes into group ids.
# fmt: off
_SLASH_MISSING: Final = ("trailing slash missing", "the trailing slash is missing")
_SLASH_EXTRA: Final = ("trailing slash too many", "extra trailing slash")
_WHITE_SPACE: Final = ("white space around it", "leading or trailing white space")
_LETTER_CASE: Final = ("letter case", "different letter case")
_LOOK_ALIKES: Final = ("look-alike letters", "look-alike Unicode characters")
_PORT: Final = ("port", "different port")
_ENDPOINT_VERSION: Final = ("version of the endpoint (v1 against v2.0)", "different endpoint version (v1 and v2.0)")
_AUTH_PREFIX: Final = ("path prefix /auth (Keycloak dropped it in 17)", "`/auth` path prefix on one side only (removed in Keycloak 17)")
_PATH_SEGMENT: Final = ("one part of the path", "one path segment differs")
_PATH: Final = ("path", "different path")
_INTERNAL_HOST: Final = ("internal against external host name", "internal host name on one side, external on the other")
_HOST: Final = ("host name", "different host name")
_ENTRA_VERSION: Final = (
    "Entra ID token version (v1 sts.windows.net against v2.0 login.microsoftonline.com)",
    "different Entra ID token version (v1 uses sts.windows.net, v2.0 login.microsoftonline.com)",
)
_API_PREFIX: Final = ("api:// prefix", "`api://` prefix on one side only")
_SPN_PREFIX: Final = ("spn: prefix", "`spn:` prefix on one side only")
_BARE_NAME: Final = ("URI against bare name", "URI on one side, bare name on the other")
_CLIENT_ID: Final = ("client id where the API's identifier belongs", "the client ID is used instead of the API's identifier")
# fmt: on


def nearest(received: str, expected: Iterable[str]) -> NearMiss | None:
    """The expected value that `received` almost equals, and how they differ; None when none is near."""
    return next((near for value in expected if (near := difference(received, value))), None)


def nearest_of(received: Iterable[str], expected: Sequence[str]) -> NearMiss | None:
    """The near miss of the first received value that has one."""
    return next((near for value in received if (near := nearest(value, expected))), None)


def client_id(expected: Sequence[str]) -> NearMiss:
    """The audience is the client itself, as in ID tokens."""
    return NearMiss(expected[0], *_CLIENT_ID)


def difference(received: str, expected: str) -> NearMiss | None:
    """How two values differ, when they differ in one thing only; None when they are equal or far apart.

    >>> difference("https://idp.example.com", "https://idp.example.com/").says
    'the trailing slash is missing'
    """
    if received == expected or not received or not expected:
        return None
    found = _by_text(received, expected) or _by_url(received, expected) or _api_against_client(received, expected)
    return NearMiss(expected, *found) if found else None


def _by_text(received: str, expected: str) -> _Difference | None:
    return next((found for is_so, found in _TEXTS if is_so(received, expected)), None)


def _lacks_slash(received: str, expected: str) -> bool:
    return received == expected.rstrip("/") or received + "/" == expected


def _has_extra_slash(received: str, expected: str) -> bool:
    return _lacks_slash(expected, received)


def _looks_alike(received: str, expected: str) -> bool:
    return received.isascii() != expected.isascii() and len(received) == len(expected)


_TEXTS: Final[tuple[tuple[Callable[[str, str], bool], _Difference], ...]] = (
    (_lacks_slash, _SLASH_MISSING),
    (_has_extra_slash, _SLASH_EXTRA),
    (lambda received, expected: received.strip() == expected.strip(), _WHITE_SPACE),
    (lambda received, expected: received.lower() == expected.lower(), _LETTER_CASE),
    (_looks_alike, _LOOK_ALIKES),
)


def _by_url(received: str, expected: str) -> _Difference | None:
    r, e = _split(received), _split(expected)
    if r is None or e is None:
        return None
    if r.hostname == e.hostname:
        return _on_one_host(r, e)
    return _host_difference(r, e) if _has_same_path(r, e) else _entra_difference(r, e)


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value if "://" in value else "//" + value)
        return parts if (parts.hostname and "." in parts.hostname) or parts.hostname == "localhost" else None
    except ValueError:
        return None


def _has_same_path(r: SplitResult, e: SplitResult) -> bool:
    return r.path.rstrip("/") == e.path.rstrip("/")


def _on_one_host(r: SplitResult, e: SplitResult) -> _Difference | None:
    if not _has_same_path(r, e):
        return _path_difference(_segments(r.path), _segments(e.path))
    return _scheme_difference(r, e) if r.netloc == e.netloc and r.scheme != e.scheme else _PORT


def _scheme_difference(r: SplitResult, e: SplitResult) -> _Difference:
    key = f"{r.scheme or 'no scheme'} instead of {e.scheme or 'no scheme'}"
    return key, f"{_or_none(r.scheme, 'no scheme')} instead of {_or_none(e.scheme, 'no scheme')}"


def _segments(path: str) -> _Path:
    return [segment for segment in path.split("/") if segment]


def _path_difference(r: _Path, e: _Path) -> _Difference | None:
    if _is_other_realm(r, e):
        return f"realm {r[-1]} instead of {e[-1]}", f"realm `{r[-1]}` instead of `{e[-1]}`"
    return next((found for is_so, found in _PATHS if is_so(r, e)), None)


def _is_other_realm(r: _Path, e: _Path) -> bool:
    return len(r) == len(e) > 1 and r[:-1] == e[:-1] and r[-2] in _REALMS


def _is_other_version(r: _Path, e: _Path) -> bool:
    return list(r) == _without("v2.0", e) or list(e) == _without("v2.0", r)


def _has_auth_prefix(r: _Path, e: _Path) -> bool:
    return ("auth" in r) != ("auth" in e) and _without("auth", r) == _without("auth", e)


def _differs_in_one_segment(r: _Path, e: _Path) -> bool:
    return len(r) == len(e) and sum(a != b for a, b in zip(r, e, strict=True)) == 1


def _begins_alike(r: _Path, e: _Path) -> bool:
    return r[:1] == e[:1] != []


def _without(segment: str, path: _Path) -> list[str]:
    return [one for one in path if one != segment]


_PATHS: Final[tuple[tuple[Callable[[_Path, _Path], bool], _Difference], ...]] = (
    (_is_other_version, _ENDPOINT_VERSION),
    (_has_auth_prefix, _AUTH_PREFIX),
    (_differs_in_one_segment, _PATH_SEGMENT),
    (_begins_alike, _PATH),
)


def _host_difference(r: SplitResult, e: SplitResult) -> _Difference | None:
    left, right = str(r.hostname).split("."), str(e.hostname).split(".")
    mine, theirs = _environment(left), _environment(right)
    if mine != theirs and _without_environment(left) == _without_environment(right):
        key = f"another environment ({mine or 'none'} instead of {theirs or 'none'})"
        return key, f"different environment ({_or_none(mine)} instead of {_or_none(theirs)})"
    if left[-1] in _INTERNAL or right[-1] in _INTERNAL:
        return _INTERNAL_HOST
    return _HOST if left[-2:] == right[-2:] else None


def _or_none(value: str, none: str = "none") -> str:
    return f"`{value}`" if value else none


def _environment(labels: list[str]) -> str:
    words = [word for label in labels for word in label.split("-")]
    return next((word for word in words if word in ENVIRONMENTS), "")


def _without_environment(labels: list[str]) -> list[str]:
    kept = ("-".join(word for word in label.split("-") if word not in ENVIRONMENTS) for label in labels)
    return [label for label in kept if label]


def _entra_difference(r: SplitResult, e: SplitResult) -> _Difference | None:
    """Entra ID writes sts.windows.net/TENANT/ in v1 tokens, login.microsoftonline.com/TENANT/v2.0 in v2 tokens."""
    return _ENTRA_VERSION if {str(r.hostname), str(e.hostname)} == _ENTRA_HOSTS else None


def _api_against_client(received: str, expected: str) -> _Difference | None:
    r, e = received.removeprefix("api://"), expected.removeprefix("api://")
    if r == e:
        return _API_PREFIX
    if r.removeprefix("spn:") == e.removeprefix("spn:"):
        return _SPN_PREFIX
    if r.rstrip("/").endswith("/" + e) or e.rstrip("/").endswith("/" + r):
        return _BARE_NAME
    return None
