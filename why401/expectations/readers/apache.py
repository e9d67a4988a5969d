"""Apache httpd: mod_auth_openidc as a resource server, and its `Require claim` lines (OpenIDC/mod_auth_openidc auth_openidc.conf)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from why401.expectations.formats import Line
from why401.expectations.nodes import Node
from why401.expectations.readers.common import (
    ASYMMETRIC,
    all_lines,
    at,
    discovery,
    issuer_of_metadata,
    lines_of,
    must_be,
    route,
    tell_all,
)
from why401.expectations.told import Expectation, Finding, Remark, Told

NAME: Final = "apache"
TITLE: Final = "Apache httpd"
_OAUTH: Final = ("oauth20", "auth-openidc", "oauth2")
_KEYS: Final = {"oidcoauthverifysharedkeys": "shared secret", "oidcoauthverifycertfiles": "certificate file"}
_USUAL: Final = {"skew_seconds": "0", "required_claims": "", "algorithms": ASYMMETRIC}
_CONTAINERS: Final = ("location", "locationmatch", "directory", "directorymatch", "files", "virtualhost")
Settings = Mapping[str, Line]


def is_mine(root: Node) -> bool:
    """Any directive of authentication, or a section of httpd's."""
    names = {line.words[0].lower() for line in all_lines(lines_of(root))}
    return any(name.startswith(("oidc", "auth", "oauth2")) for name in names) or bool(names & set(_CONTAINERS))


def read(root: Node) -> Iterator[Finding]:
    """Every location, with what the virtual host around it sets."""
    lines = lines_of(root)
    has_check = any(line.words[0].lower() == "authtype" for line in all_lines(lines))
    yield from _scope(root, lines, {}, "", is_asked=has_check)


def _scope(root: Node, lines: tuple[Line, ...], around: Settings, name: str, *, is_asked: bool) -> Iterator[Finding]:
    here = dict(around) | {_word(line): line for line in lines if not line.inside}
    own, kind = _own(lines), _kind(here)
    requires = _requires(own)
    if name and is_asked and lines:
        yield route(NAME, Told(text=name, place=at(root, lines[0])), _why_open(kind, requires))
    if kind in _OAUTH and (requires or "authtype" in map(_word, own)):
        yield from _resource(root, here, requires, name)
    for line in filter(_is_container, lines):
        yield from _scope(root, line.inside, here, _pattern(line), is_asked=is_asked)


def _own(lines: tuple[Line, ...]) -> list[Line]:
    """A container's lines, those in <RequireAll> and the like too, without the containers in it."""
    return list(all_lines(line for line in lines if not _is_container(line)))


def _requires(own: list[Line]) -> list[Line]:
    return [line for line in own if _word(line) == "require"]


def _kind(here: Settings) -> str:
    line = here.get("authtype")
    return line.words[1].lower() if line and len(line.words) > 1 else ""


def _word(line: Line) -> str:
    """Directives are the same in any case."""
    return line.words[0].lower()


def _why_open(kind: str, requires: list[Line]) -> str:
    if kind in ("", "none"):
        return "no AuthType"
    return "Require all granted" if any(line.words[1:3] == ("all", "granted") for line in requires) else ""


def _is_container(line: Line) -> bool:
    return line.words[0].lower() in _CONTAINERS


def _pattern(line: Line) -> str:
    kind, words = line.words[0].lower(), line.words[1:]
    if kind == "virtualhost" or not words:
        return ""
    if kind.endswith("match") or words[0] == "~":
        return f"regex {words[-1]}"
    return f"{words[0]}*" if kind == "location" else words[0]


def _resource(root: Node, here: Settings, requires: list[Line], name: str) -> Iterator[Finding]:
    claims = _claims(root, requires)
    metadata = _value(root, here, "oidcoauthservermetadataurl") or _value(root, here, "oidcprovidermetadataurl")
    issuers = (_value(root, here, "oidcoauthverifyissuer"), *claims.get("iss", ()), issuer_of_metadata(metadata))
    place = at(root, here["authtype"])
    yield Expectation(
        gateway=NAME,
        name=name or "server",
        place=place,
        issuer=next(filter(None, issuers), None),
        audiences=_values(root, here, "oidcoauthverifyaudience") or claims.get("aud", ()),
        jwks=None if _is_untrusted(here) else _value(root, here, "oidcoauthverifyjwksuri") or discovery(metadata),
        inline_keys=tuple(Told(text=what, place=at(root, here[key])) for key, what in _KEYS.items() if key in here),
        user_claim=_value(root, here, "oidcoauthremoteuserclaim"),
        required_scopes=claims.get("scope", ()),
        cache_seconds=_value(root, here, "oidcjwksrefreshinterval"),
        carriers=_values(root, here, "oidcoauthaccepttokenas"),
        routes=tell_all([name], place),
        usual=_USUAL,
    )
    yield from must_be(NAME, claims, ("iss", "aud", "scope"))
    if _is_untrusted(here):
        says = "OIDCOAuthSSLValidateServer Off: the key set's certificate is not verified, so why401 does not fetch it"
        yield Remark(gateway=NAME, place=at(root, here["oidcoauthsslvalidateserver"]), says=says)
    if introspection := _value(root, here, "oidcoauthintrospectionendpoint"):
        says = "tokens are checked by introspection at the issuer"
        yield Remark(gateway=NAME, place=introspection.place, says=says)


def _is_untrusted(here: Settings) -> bool:
    line = here.get("oidcoauthsslvalidateserver")
    return line is not None and line.words[1:2] in (("Off",), ("off",))


def _values(root: Node, here: Settings, name: str) -> tuple[Told, ...]:
    line = here.get(name)
    return tell_all(line.words[1:], at(root, line)) if line else ()


def _value(root: Node, here: Settings, name: str) -> Told | None:
    return next(iter(_values(root, here, name)), None)


def _claims(root: Node, requires: list[Line]) -> dict[str, tuple[Told, ...]]:
    """`Require claim iss:https://… aud:api`."""
    found: dict[str, tuple[Told, ...]] = {}
    for line in requires:
        if len(line.words) > 2 and line.words[1].lower() in ("claim", "oauth2_claim"):
            for word in line.words[2:]:
                claim, _, value = word.partition(":")
                found[claim] = (*found.get(claim, ()), *tell_all([value], at(root, line)))
    return found
