"""nginx: auth_jwt (Plus, and modules of that name), auth_request, and lua-resty-openidc in access_by_lua.

nginx.org/en/docs/http/ngx_http_auth_jwt_module.html; zmartzone/lua-resty-openidc README.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import re2

from why401.expectations.nodes import Node
from why401.expectations.readers.common import (
    ASYMMETRIC,
    discovery,
    duration,
    issuer_of_metadata,
    must_be,
    route,
    tell,
    tell_all,
)
from why401.expectations.told import Expectation, Finding, Place, Remark, Told

NAME: Final = "nginx"
TITLE: Final = "nginx"
_USUAL: Final = {"skew_seconds": "0", "required_claims": "", "algorithms": ASYMMETRIC}
_CLAIM: Final = "$jwt_claim_"
_LUA: Final = re2.compile(
    r"""["']?\b(issuer|jwks_uri|discovery|iss|client_id|iat_slack)["']?\]?\s*=\s*(?:validators\.equals\(\s*)?(?:"([^"]*)"|'([^']*)'|(\d+))"""
)
_LUA_ALG: Final = re2.compile(r"token_signing_alg_values_expected\s*=\s*(\{[^}]*\}|\"[^\"]*\")")
_LUA_AUDIENCE: Final = re2.compile(r"\b(?:aud|audience)\w*\s*=\s*(\{[^}]*\}|\"[^\"]*\"|validators\.\w+\([^)]*\))")
_LUA_EXP: Final = re2.compile(r"\bexp\s*=\s*validators\.is_")
_LUA_LEEWAY: Final = re2.compile(r"set_system_leeway\(\s*(\d+)")
_QUOTED: Final = re2.compile(r"[\"']([^\"']+)[\"']")
_CHECKS: Final = ("auth_jwt", "auth_request", "auth_basic", "access_by_lua_block", "access_by_lua_file", "auth_oidc")


Directive = dict[str, Any]  # crossplane's: directive, line, args, block
Directives = list[Directive]
Map = tuple[str, str, tuple[Told, ...]]  # claim, variable, accepted values


@dataclass(frozen=True, slots=True)
class Block:
    """A server or location with what it inherits."""

    name: str
    line: int
    own: Directives
    inherited: Mapping[str, Directive]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What blocks refer to, and what was told already: settings of a server apply to each of its locations."""

    maps: tuple[Map, ...]
    locations: Mapping[str, Directives]
    seen: set[int] = field(default_factory=set)

    def is_new(self, one: Directive) -> bool:
        """Asked for the first time."""
        is_new = one["line"] not in self.seen
        self.seen.add(one["line"])
        return is_new

    def passed_to(self, location: str) -> str:
        """Where a location passes requests on to."""
        inside = self.locations.get(location, [])
        return next((one["args"][0] for one in inside if one["directive"] == "proxy_pass"), "")


def is_mine(root: Node) -> bool:
    """Crossplane could read it."""
    return bool(root.raw["directives"])


def read(root: Node) -> Iterator[Finding]:
    """Every server and location, with the settings of the blocks around it."""
    directives = root.raw["directives"]
    file = _File(
        maps=tuple(_maps(root, directives)),
        locations={
            one["args"][-1]: one.get("block", []) for one in every(directives) if one["directive"] == "location"
        },
    )
    blocks = blocks_of(root)
    for block in blocks:
        yield from _expectation(root, block, file)
    if not all(why_open(block) for block in blocks):
        for block in blocks:
            if not _is_internal(block):
                yield route(NAME, Told(text=block.name, place=Place(file=root.file, line=block.line)), why_open(block))
    for one in every(directives):
        if one["directive"] == "include":
            says = f"include {' '.join(one['args'])} is not opened: name the file, or give the output of `nginx -T`"
            yield Remark(gateway=NAME, place=_place(root, one), says=says)


def every(directives: Directives) -> Iterator[Directive]:
    """All directives, those inside of blocks too."""
    for one in directives:
        yield one
        yield from every(one.get("block", []))


def blocks_of(root: Node) -> list[Block]:
    """Locations, and servers without one, each with what it inherits."""
    return list(_blocks(root.raw["directives"], {}, ""))


def _blocks(directives: Directives, inherited: Mapping[str, Directive], name: str) -> Iterator[Block]:
    """Locations, and servers without one."""
    here = dict(inherited) | _plain(directives)
    for one in directives:
        kind, inside = one["directive"], one.get("block", [])
        if kind not in ("http", "server", "location"):
            continue
        label = _pattern(one["args"]) if kind == "location" else name
        yield from _blocks(inside, here, label)
        if kind == "location" or (kind == "server" and "location" not in [x["directive"] for x in inside]):
            yield Block(label or "*", one["line"], inside, here | _plain(inside))


def _plain(directives: Directives) -> dict[str, Directive]:
    return {one["directive"]: one for one in directives if "block" not in one}


def _pattern(args: list[str]) -> str:
    """`= /x` is exact, `~` a regular expression, a plain one a prefix."""
    if args[:1] == ["="]:
        return args[-1]
    if args[:1] in (["~"], ["~*"]):
        return f"regex {args[-1]}"
    return args[-1] if args[-1].startswith("@") else f"{args[-1]}*"


def _is_internal(block: Block) -> bool:
    return block.name.startswith("@") or any(one["directive"] == "internal" for one in block.own)


def why_open(block: Block) -> str:
    """Why a request is not checked here; "" when it is."""
    if any(is_on(block.inherited.get(name)) for name in _CHECKS):
        return ""
    is_off = any(name in block.inherited for name in _CHECKS)
    return "the check is off" if is_off else "no auth_jwt and no auth_request"


def _maps(root: Node, directives: Directives) -> Iterator[Map]:
    """`map $jwt_claim_iss $valid { "https://…" 1; }`: claim, variable, values that give something else than 0 and ""."""
    for one in every(directives):
        if one["directive"] == "map" and one["args"][0].startswith(_CLAIM):
            claim = one["args"][0].removeprefix(_CLAIM)
            values = tuple(
                Told(text=inner["directive"].lstrip("~"), place=Place(file=root.file, line=inner["line"]))
                for inner in one.get("block", [])
                if inner["directive"] not in ("default", "hostnames", "include")
                and inner["args"][:1] not in (["0"], [""])
            )
            yield claim, one["args"][1], values


def _expectation(root: Node, block: Block, file: _File) -> Iterator[Finding]:
    jwt, lua, request = (block.inherited.get(name) for name in ("auth_jwt", "access_by_lua_block", "auth_request"))
    if is_on(jwt) and not _is_internal(block):
        yield from _jwt(root, block, file)
    if lua and file.is_new(lua) and "openidc" in "".join(lua["args"]):
        yield _of_lua(root, block, lua)
    if request and file.is_new(request):
        yield from _elsewhere(root, request, file)


def _elsewhere(root: Node, request: Directive, file: _File) -> Iterator[Remark]:
    if is_on(request):
        service = file.passed_to(request["args"][-1]) or request["args"][-1]
        says = f"tokens are checked by {service}; what it expects is in its configuration"
        yield Remark(gateway=NAME, place=_place(root, request), says=says)


def is_on(one: Directive | None) -> bool:
    """Whether a check is there and not switched off."""
    return one is not None and one["args"][:1] != ["off"]


def _place(root: Node, one: Directive) -> Place:
    return Place(file=root.file, line=one["line"])


def _required(block: Block) -> set[str]:
    """The variables of auth_jwt_require, of the block or around it."""
    own = {word for one in block.own if one["directive"] == "auth_jwt_require" for word in one["args"]}
    return own or set(block.inherited.get("auth_jwt_require", {}).get("args", []))


def _jwt(root: Node, block: Block, file: _File) -> Iterator[Finding]:
    required = _required(block)
    claims = {claim: values for claim, variable, values in file.maps if variable in required}
    place = Place(file=root.file, line=block.line)
    words = block.inherited["auth_jwt"]["args"]
    for issuer in claims.get("iss", ()) or (None,):
        yield Expectation(
            gateway=NAME,
            name=f"location {block.name}",
            place=place,
            issuer=issuer,
            audiences=claims.get("aud", ()),
            jwks=_keys(root, block, file),
            skew_seconds=_setting(root, block, "auth_jwt_leeway"),
            cache_seconds=_setting(root, block, "auth_jwt_key_cache"),
            carriers=tell_all((word.removeprefix("token=") for word in words if word.startswith("token=")), place),
            routes=tell_all([block.name], place),
            usual=_USUAL,
        )
    yield from must_be(NAME, claims, ("iss", "aud"))


def _keys(root: Node, block: Block, file: _File) -> Told | None:
    """The file, or the URL that the internal location of auth_jwt_key_request passes on to."""
    request, stored = block.inherited.get("auth_jwt_key_request"), block.inherited.get("auth_jwt_key_file")
    if request:
        return tell(file.passed_to(request["args"][0]).replace("$is_args$args", ""), _place(root, request))
    return tell(stored["args"][0], _place(root, stored)) if stored else None


def _setting(root: Node, block: Block, name: str) -> Told | None:
    one = block.inherited.get(name)
    return duration(tell(one["args"][0], _place(root, one))) if one else None


def _of_lua(root: Node, block: Block, lua: Directive) -> Expectation:
    """What literal values of a Lua block tell; what it computes is not known."""
    code, place = "\n".join(lua["args"]), _place(root, lua)
    values: dict[str, str] = {}
    for match in _LUA.finditer(code):
        values.setdefault(match[1], match[2] or match[3] or match[4])
    metadata = tell(values.get("discovery", ""), place)
    issuer = tell(values.get("iss") or values.get("issuer", ""), place) or issuer_of_metadata(metadata)
    return Expectation(
        gateway="openresty",
        name=f"lua-resty-openidc, location {block.name}",
        place=place,
        issuer=issuer,
        audiences=tell_all(_quoted(_LUA_AUDIENCE, code), place),
        algorithms=tell_all(_quoted(_LUA_ALG, code), place),
        jwks=tell(values.get("jwks_uri", ""), place) or discovery(metadata),
        skew_seconds=tell("".join(_LUA_LEEWAY.findall(code)[:1]), place),
        required_claims=tell_all(["exp"] if _LUA_EXP.search(code) else (), place),
        routes=tell_all([block.name], place),
        usual={"skew_seconds": "120", "algorithms": ASYMMETRIC},  # lua-resty-openidc 1.8: iat_slack
    )


def _quoted(pattern: re.Pattern[str], code: str) -> list[str]:
    found = pattern.search(code)
    return _QUOTED.findall(found[1]) if found else []
