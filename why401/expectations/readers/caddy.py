"""Caddy: the Caddyfile and its JSON: caddy-jwt (`jwtauth`), forward_auth, basic_auth (ggicci/caddy-jwt README.md; caddyserver.com/docs)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import ASYMMETRIC, all_lines, at, carriers, lines_of, tell_all
from why401.expectations.told import Expectation, Finding, Remark, Told

NAME: Final = "caddy"
TITLE: Final = "Caddy"
_DIRECTIVES: Final = frozenset({
    "jwtauth", "forward_auth", "basic_auth", "basicauth", "reverse_proxy", "respond", "file_server", "handle", "handle_path", "route",
    "encode", "root", "tls", "log", "import", "header", "redir", "authorize", "authenticate", "php_fastcgi",
})  # fmt: skip
_USUAL: Final = {
    "skew_seconds": "0",
    "required_claims": "",
    "algorithms": ASYMMETRIC,
}  # lestrrat-go/jwx: no acceptable skew, exp only when it is there
_READ: Final = frozenset({
    "sign_key", "sign_alg", "jwk_url", "from_query", "from_header", "from_cookies", "issuer_whitelist", "audience_whitelist",
    "user_claims", "meta_claims", "skip_verification", "provider",
})  # fmt: skip


def is_mine(root: Node) -> bool:
    """The JSON form: an http app."""
    return root.get("apps", "http", "servers").is_mapping


def is_caddyfile(root: Node) -> bool:
    """A directive of Caddy's in any block."""
    return any(line.words[0] in _DIRECTIVES for block in lines_of(root) for line in all_lines(block.inside))


def read_caddyfile(root: Node) -> Iterator[Finding]:
    """Every site block."""
    for site in lines_of(root):
        for line in all_lines(site.inside):
            if line.words[0] == "jwtauth":
                options = {one.words[0]: tell_all(one.words[1:], at(root, one)) for one in line.inside}
                yield from _jwt(Told(text=" ".join(site.words) or "site", place=at(root, line)), options)
            elif line.words[0] == "forward_auth":
                address = next((word for word in line.words[1:] if not word.startswith(("/", "@", "*"))), "")
                yield _elsewhere(Told(text=address, place=at(root, line)))
            elif line.words[0] in ("basic_auth", "basicauth", "authorize"):
                yield Remark(gateway=NAME, place=at(root, line), says=f"{line.words[0]} has no setting in [[issuers]]")


def read(root: Node) -> Iterator[Finding]:
    """Every handler `authentication` with the provider jwt."""
    for node in root.walk():
        if node.get("handler").text != "authentication":
            continue
        for name, provider in node.get("providers").items():
            if name == "jwt":
                options = {field: value.all_told() for field, value in provider.items()}
                yield from _jwt(Told(text="jwt", place=provider.place), options)
            else:
                yield Remark(gateway=NAME, place=provider.place, says=f"{name} has no setting in [[issuers]]")


def _elsewhere(address: Told) -> Remark:
    return Remark(
        gateway=NAME,
        place=address.place,
        says=f"tokens are checked by the service at {address.text}; what it expects is in its configuration",
    )


def _jwt(site: Told, options: Mapping[str, tuple[Told, ...]]) -> Iterator[Finding]:
    issuers, users = options.get("issuer_whitelist", ()), options.get("user_claims", ())
    key = options.get("sign_key", ())
    for issuer in issuers or (None,):
        yield Expectation(
            gateway=NAME,
            name=f"jwtauth, {site.text}" if site.text != "jwt" else "jwt",
            place=site.place,
            issuer=issuer,
            audiences=options.get("audience_whitelist", ()),
            algorithms=options.get("sign_alg", ()),
            jwks=(*options.get("jwk_url", ()), None)[0],
            inline_keys=tuple(Told(text="key in sign_key", place=one.place) for one in key[:1]),
            user_claim=(*users, None)[0],
            carriers=carriers(
                ("query", options.get("from_query", ())),
                ("header", options.get("from_header", ())),
                ("cookie", options.get("from_cookies", ())),
            ),
            usual=_USUAL,
        )
    if len(users) > 1:
        yield Remark(
            gateway=NAME,
            place=users[0].place,
            says=f"user_claims: the first of {', '.join(one.text for one in users)} that a token has is its user",
        )
    for field, values in options.items():
        if field not in _READ and values:
            yield Remark(gateway=NAME, place=values[0].place, says=f"`{field}` is not read")
