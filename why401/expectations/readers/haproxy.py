"""HAProxy: http-request rules over jwt_payload_query and jwt_verify (docs.haproxy.org, http-request, jwt_verify).

A rule is read when it compares a claim, directly or by a variable, with fixed values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import re2

from why401.expectations.formats import Line
from why401.expectations.nodes import Node
from why401.expectations.readers.common import at, lines_of, must_be, tell_all
from why401.expectations.told import Expectation, Finding, Place, Remark, Told

NAME: Final = "haproxy"
TITLE: Final = "HAProxy"
_SECTIONS: Final = (
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "userlist",
    "peers",
    "resolvers",
    "cache",
    "program",
)
_CLAIM: Final = re2.compile(r"jwt_(payload|header)_query\(\s*['\"]?\$\.([\w.\-]+)")
_SET: Final = re2.compile(r"set-var\(([\w.]+)\)")
_VAR: Final = re2.compile(r"var\(([\w.]+)\)")
_VERIFY: Final = re2.compile(r"jwt_verify\(([^)]*)\)")
_MATCHES: Final = frozenset(
    [
        "-m",
        "-i",
        "-f",
        "--",
        "str",
        "sub",
        "beg",
        "end",
        "reg",
        "int",
        "found",
        "bool",
        "len",
        "lt",
        "gt",
        "le",
        "ge",
        "eq",
        "0",
        "1",
    ]
)


@dataclass(slots=True)
class _Section:
    """A frontend or backend and what its rules say."""

    line: Line
    name: str
    lines: list[Line] = field(default_factory=list)


def is_mine(root: Node) -> bool:
    """It has a frontend, backend or listen section."""
    return any(line.words[0] in ("frontend", "backend", "listen") for line in lines_of(root))


def read(root: Node) -> Iterator[Finding]:
    """Every section with rules about a token."""
    for section in _sections(root):
        text = " ".join(" ".join(line.words) for line in section.lines)
        if "jwt_" in text or "http_auth_bearer" in text:
            yield from _rules(root, section)
        yield from _lua(root, section)


def _sections(root: Node) -> Iterator[_Section]:
    current = None
    for line in lines_of(root):
        if line.words[0] in _SECTIONS:
            if current:
                yield current
            current = _Section(line, " ".join(line.words[:2]))
        elif current:
            current.lines.append(line)
    if current:
        yield current


def _lua(root: Node, section: _Section) -> Iterator[Remark]:
    for line in section.lines:
        says = "a Lua script decides" if any(word.startswith("lua.") for word in line.words) else ""
        says = says or ("basic authentication" if line.words[:2] == ("http-request", "auth") else "")
        if says:
            yield Remark(gateway=NAME, place=at(root, line), says=f"{section.name}: {says}; no setting in [[issuers]]")


def _rules(root: Node, section: _Section) -> Iterator[Finding]:
    told = _compared(root, section)
    place = at(root, section.line)
    verify = next((line for line in section.lines if _VERIFY.search(" ".join(line.words))), None)
    for issuer in told.get("payload iss") or (None,):
        yield Expectation(
            gateway=NAME,
            name=section.name,
            place=place,
            issuer=issuer,
            audiences=told.get("payload aud", ()),
            algorithms=told.get("header alg", ()),
            jwks=_key_file(root, verify),
            inline_keys=tuple(_keys(root, verify)),
            required_claims=tell_all(["exp"] if "payload exp" in _needed(section) else [], place),
            usual={"skew_seconds": "0", "required_claims": ""},
        )
    if verify is None:
        yield Remark(gateway=NAME, place=place, says=f"{section.name}: no jwt_verify: signatures are not checked")
    claims = {claim.partition(" ")[2]: values for claim, values in told.items() if claim.startswith("payload ")}
    yield from must_be(NAME, claims, ("iss", "aud", "exp"))


def _needed(section: _Section) -> set[str]:
    """Claims without which a rule refuses: `deny if` a comparison does nothing when the claim is not there."""
    claims = dict(_variables(section))
    rules = [line for line in section.lines if "unless" in line.words]
    return {_claim_of(" ".join(test.words), claims) for rule in rules for test in _conditions(rule)}


def _compared(root: Node, section: _Section) -> dict[str, tuple[Told, ...]]:
    """`payload iss` → the values that it is compared with."""
    claims = dict(_variables(section))
    told: dict[str, tuple[Told, ...]] = {}
    for line in _tests(section):
        claim = _claim_of(" ".join(line.words), claims)
        if claim:
            told[claim] = (*told.get(claim, ()), *tell_all(_values(line.words), at(root, line)))
    return told


def _variables(section: _Section) -> Iterator[tuple[str, str]]:
    """Variable → the claim that it holds."""
    for line in section.lines:
        text = " ".join(line.words)
        name, claim = _SET.search(text), _CLAIM.search(text)
        if name and claim:
            yield name[1], f"{claim[1]} {claim[2]}"


def _tests(section: _Section) -> Iterator[Line]:
    """ACLs without their names, and conditions in braces."""
    for line in section.lines:
        if line.words[0] == "acl":
            yield Line(line.number, line.words[2:])
        else:
            yield from _conditions(line)


def _conditions(line: Line) -> Iterator[Line]:
    """What stands in braces."""
    words = list(line.words)
    while "{" in words and "}" in words[words.index("{") :]:
        start = words.index("{")
        end = words.index("}", start)
        yield Line(line.number, tuple(words[start + 1 : end]))
        words = words[end + 1 :]


def _claim_of(text: str, claims: Mapping[str, str]) -> str:
    direct, by_variable = _CLAIM.search(text), _VAR.search(text)
    if direct:
        return f"{direct[1]} {direct[2]}"
    return claims.get(by_variable[1], "") if by_variable else ""


def _values(words: tuple[str, ...]) -> list[str]:
    """What stands behind the fetch and the match method."""
    return [word for word in words[1:] if word not in _MATCHES and not {"(", ")"} & set(word)]


def _key_file(root: Node, verify: Line | None) -> Told | None:
    """The PEM file of jwt_verify: its public key, or a certificate."""
    key = _key(verify)
    return Told(text=key, place=at(root, verify)) if verify and key.startswith("/") else None


def _keys(root: Node, verify: Line | None) -> Iterator[Told]:
    key = _key(verify)
    if verify and key and not key.startswith("/"):
        is_file = key.endswith((".pem", ".crt", ".pub"))
        place: Place = at(root, verify)
        yield Told(text=f"public key {key}" if is_file else "key of jwt_verify", place=place)


def _key(verify: Line | None) -> str:
    match = _VERIFY.search(" ".join(verify.words)) if verify else None
    return match[1].rpartition(",")[2].strip().strip("\"'") if match else ""
