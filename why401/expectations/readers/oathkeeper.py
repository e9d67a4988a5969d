"""Ory Oathkeeper: access rules, and the authenticator's defaults in its configuration (ory.sh/docs/oathkeeper/pipeline/authn, jwt)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import duration
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "oathkeeper"
TITLE: Final = "Ory Oathkeeper"
_USUAL: Final = {"skew_seconds": "0", "algorithms": "RS256"}  # allowed_algorithms: RS256 by default
_OPEN: Final = ("noop", "anonymous", "unauthorized")


def is_mine(root: Node) -> bool:
    """A rule, or the configuration with its authenticators."""
    handlers = [one.get("handler").text for one in root.get("authenticators").each()]
    return bool(root.get("match", "url") and any(handlers)) or root.get("authenticators", "jwt").is_mapping


def read(root: Node) -> Iterator[Finding]:
    """The jwt authenticator of one rule, or the default of all."""
    if root.get("match"):
        yield from _rule(root)
        return
    jwt = root.get("authenticators", "jwt")
    yield from _jwt("default of all rules", jwt.get("config"), ())


def _rule(rule: Node) -> Iterator[Finding]:
    url = rule.get("match", "url")
    pattern = Told(text=f"rule {url.text}", place=url.place)
    handlers = [one.get("handler").text for one in rule.get("authenticators").each()]
    is_open = any(handler in _OPEN for handler in handlers)
    yield Route(
        gateway=NAME, pattern=pattern, is_checked=not is_open, why=f"authenticator {handlers[-1]}" if is_open else ""
    )
    for one in rule.get("authenticators").each():
        if one.get("handler").text == "jwt" and one.get("config").is_mapping:
            yield from _jwt(f"rule {rule.get('id').text}", one.get("config"), (pattern,))


def _jwt(name: str, config: Node, routes: tuple[Told, ...]) -> Iterator[Finding]:
    keys, token = config.get("jwks_urls").all_told(), config.get("token_from")
    for issuer in config.get("trusted_issuers").all_told() or (None,):
        yield Expectation(
            gateway=NAME,
            name=name,
            place=config.place,
            issuer=issuer,
            audiences=config.get("target_audience").all_told(),
            algorithms=config.get("allowed_algorithms").all_told(),
            jwks=(*keys, None)[0],
            required_scopes=config.get("required_scope").all_told(),
            cache_seconds=duration(config.get("jwks_ttl").told()),
            carriers=tuple(Told(text=f"{kind} {value.text}", place=value.place) for kind, value in token.items()),
            routes=routes,
            usual=_USUAL,
        )
    if len(keys) > 1:
        yield Remark(
            gateway=NAME,
            place=config.get("jwks_urls").place,
            says=f"{name}: {len(keys)} key sets are searched; [[issuers]] has the first",
        )
    if (strategy := config.get("scope_strategy").text) and strategy != "exact":
        yield Remark(
            gateway=NAME, place=config.get("scope_strategy").place, says=f"{name}: scopes are compared by {strategy}"
        )
