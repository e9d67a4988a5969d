"""nginx: the server by its name, the location by nginx's own order, then the checks of the access phase.

nginx.org/en/docs/http/server_names.html, ngx_http_core_module.html#location, development_guide.html#http_phases
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import re2

from why401.expectations.readers import nginx
from why401.expectations.readers.nginx import Directive
from why401.expectations.told import Place
from why401.trace.walked import Asked, Part, Step, Walked, provided

_BASIC: Final = "basic authentication decides"
_ELSEWHERE: Final = (
    "auth_request",
    "access_by_lua_block",
    "access_by_lua_file",
    "auth_basic",
    "auth_oidc",
    "js_access",
)


def walk(parts: Sequence[Part], asked: Asked) -> Walked:
    """One file after the other: what a file includes is a file of its own."""
    for part in parts:
        server = _server(part.root.raw["directives"], asked.host)
        if server is not None:
            return _in_server(part, server, asked)
    return Walked(elsewhere="no server is in this file: name the file that has it, or give the output of `nginx -T`")


def _in_server(part: Part, server: Directive, asked: Asked) -> Walked:
    location = _location(server.get("block", []), asked.path)
    chosen = location or server
    says = f"location {' '.join(location['args'])}" if location else "no location matches: the server's own settings"
    route = Step(name="route", says=says, place=Place(file=part.root.file, line=chosen["line"]))
    early = next((one for one in chosen.get("block", []) if one["directive"] == "return"), None)
    if early is not None:
        return Walked(steps=(route,), open=f"`return` answers before the checks ({part.root.file}:{early['line']})")
    block = next((one for one in nginx.blocks_of(part.root) if one.line == chosen["line"]), None)
    return _in_block(part, block, route) if block else Walked(steps=(route,), open="no check is configured")


def _in_block(part: Part, block: nginx.Block, route: Step) -> Walked:
    """What is checked in the access phase; auth_jwt is the one whose expectations are read."""
    checks = [name for name in ("auth_jwt", *_ELSEWHERE) if nginx.is_on(block.inherited.get(name))]
    if not checks:
        return Walked(steps=(route,), open=nginx.why_open(block))
    steps = (route, *(_checked(part, block.inherited[name]) for name in checks))
    mine = tuple(one for one in part.document.expectations if one.place.line == block.line)
    others = [name for name in checks if name != "auth_jwt"]
    if not mine:
        return Walked(steps=steps, elsewhere=_who(part, others), unknown=_satisfied(block))
    unknown = _satisfied(block) + _as_well(others)
    return Walked(steps=(*steps, *map(provided, mine)), expectations=mine, unknown=unknown)


def _checked(part: Part, one: Directive) -> Step:
    args = " ".join(one["args"]) if not one["directive"].endswith("_block") else "{ … }"
    return Step(name="check", says=f"{one['directive']} {args}", place=Place(file=part.root.file, line=one["line"]))


def _who(part: Part, checks: Sequence[str]) -> str:
    told = [one.says for one in part.document.remarks if one.says.startswith("tokens are checked by")]
    if "auth_request" in checks and told:
        return told[0]
    return _BASIC if checks == ["auth_basic"] else f"{', '.join(checks)} decides, which is not read"


def _as_well(checks: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{name} decides as well" for name in checks)


def _satisfied(block: nginx.Block) -> tuple[str, ...]:
    is_any = block.inherited.get("satisfy", {}).get("args") == ["any"]
    return ("`satisfy any`: an allowed address or another check is enough",) if is_any else ()


# --- server and location -----------------------------------------------------------------------------------


def _server(directives: Sequence[Directive], host: str) -> Directive | None:
    """The server of that name, else the default one, which is the first."""
    servers = [one for one in nginx.every(list(directives)) if one["directive"] == "server" and "block" in one]
    named = [one for one in servers if host and host in _words(one, "server_name")]
    default = [one for one in servers if "default_server" in _words(one, "listen")]
    return next(iter(named + default + servers), None)


def _words(block: Directive, name: str) -> list[str]:
    return [word for one in block["block"] if one["directive"] == name for word in one["args"]]


def _location(block: Sequence[Directive], path: str) -> Directive | None:
    """`=` first; of prefixes the longest; a regular expression goes before it, unless it is `^~`. Then the locations inside."""
    inside = [one for one in block if one["directive"] == "location" and not one["args"][-1].startswith("@")]
    exact = next((one for one in inside if one["args"] == ["=", path]), None)
    chosen = exact or _prefix_or_regex(inside, path)
    return (_location(chosen.get("block", []), path) or chosen) if chosen else None


def _prefix_or_regex(inside: Sequence[Directive], path: str) -> Directive | None:
    longest = max((one for one in inside if _is_prefix(one, path)), key=lambda one: len(one["args"][-1]), default=None)
    if longest and longest["args"][0] == "^~":
        return longest
    return next((one for one in inside if _is_regex(one, path)), longest)


def _is_prefix(one: Directive, path: str) -> bool:
    return one["args"][0] not in ("=", "~", "~*") and path.startswith(one["args"][-1])


def _is_regex(one: Directive, path: str) -> bool:
    if one["args"][0] not in ("~", "~*"):
        return False
    try:
        return re2.search(("(?i)" if one["args"][0] == "~*" else "") + one["args"][-1], path) is not None
    except re2.error:
        return False
