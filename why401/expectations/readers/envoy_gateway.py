"""Envoy Gateway: SecurityPolicy (gateway.envoyproxy.io/docs/api/extension_types, JWT, Authorization, OIDC)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers import envoy
from why401.expectations.readers.common import (
    carried_in,
    discovery,
    duration,
    is_manifest,
    listed,
    name_of,
    unknown_version,
    unread,
)
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "envoy-gateway"
TITLE: Final = "Envoy Gateway"
_USUAL: Final = {"skew_seconds": "60", "algorithms": envoy.ALGORITHMS, "required_claims": ""}
_READ: Final = frozenset(
    {"name", "issuer", "audiences", "remoteJWKS", "localJWKS", "claimToHeaders", "recomputeRoute", "extractFrom"}
)
_OTHERS: Final = {
    "oidc": "a login in the browser",
    "extAuth": "an authorization service",
    "apiKeyAuth": "API keys",
    "basicAuth": "basic authentication",
}


def is_mine(root: Node) -> bool:
    """A SecurityPolicy."""
    return is_manifest(root, "gateway.envoyproxy.io", "SecurityPolicy")


def read(root: Node) -> Iterator[Finding]:
    """Its providers, with the scopes that its authorization requires."""
    yield from unknown_version(NAME, root, ("v1alpha1",))
    spec, name = root.get("spec"), name_of(root)
    for provider in spec.get("jwt", "providers").each():
        yield from _provider(name, provider, spec)
    if spec.get("jwt", "optional").is_true:
        told = Told(text="*", place=spec.get("jwt", "optional").place)
        yield Route(
            gateway=NAME,
            pattern=told,
            is_checked=False,
            why=f"{name}: a request without a token passes (optional: true)",
        )
    for field, what in _OTHERS.items():
        if spec.get(field):
            yield Remark(
                gateway=NAME,
                place=spec.get(field).place,
                says=f"{name}: {field} ({what}) has no setting in [[issuers]]",
            )


def _provider(policy: str, provider: Node, spec: Node) -> Iterator[Finding]:
    name = provider.get("name").text
    rules = [rule for rule in _allowed(spec) if rule.get("provider").text == name]
    # Several rules are alternatives: only what the one rule requires is required of every token.
    scopes = rules[0].get("scopes").all_told() if len(rules) == 1 else ()
    yield replace(_expectation(f"{policy} {name}", provider), required_scopes=scopes)
    for claim in (claim for rule in rules for claim in rule.get("claims").each()):
        says = f"{name}: the claim {claim.get('name').text!r} must be {listed(claim.get('values').all_told())}"
        yield Remark(gateway=NAME, place=claim.place, says=says)
    yield from unread(NAME, name, provider, _READ)


def _allowed(spec: Node) -> Iterator[Node]:
    """What the rules that allow say of a token."""
    for rule in spec.get("authorization", "rules").each():
        if rule.get("action").text == "Allow":
            yield rule.get("principal", "jwt")


def _expectation(name: str, provider: Node) -> Expectation:
    issuer, source = provider.get("issuer").told(), provider.get("extractFrom")
    remote, local = provider.get("remoteJWKS"), provider.get("localJWKS")
    return Expectation(
        gateway=NAME,
        name=name,
        place=provider.place,
        issuer=issuer,
        audiences=provider.get("audiences").all_told(),
        jwks=remote.get("uri").told() or (None if local else discovery(issuer)),
        inline_keys=tuple(envoy.inline_keys(local.get("inline"))),
        inline_set=envoy.inline_set(local.get("inline")),
        cache_seconds=duration(remote.get("cacheDuration").told()),
        carriers=carried_in(source.get("headers"), source.get("params"), source.get("cookies")),
        usual=_USUAL,
    )
