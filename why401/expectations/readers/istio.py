"""Istio: RequestAuthentication says who issues tokens, AuthorizationPolicy where one is required.

istio.io/latest/docs/reference/config/security/request_authentication, …/authorization-policy
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers import envoy
from why401.expectations.readers.common import carried_in, discovery, is_manifest, name_of, unknown_version
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "istio"
TITLE: Final = "Istio"
_VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")
_USUAL: Final = {"skew_seconds": "60", "algorithms": envoy.ALGORITHMS, "required_claims": ""}
_READ: Final = frozenset({
    "issuer", "audiences", "jwks", "jwksUri", "jwks_uri", "fromHeaders", "fromParams", "fromCookies", "forwardOriginalToken",
    "outputPayloadToHeader", "outputClaimToHeaders", "timeout", "spaceDelimitedClaims",
})  # fmt: skip
_CLAIM: Final = "request.auth.claims["


def is_mine(root: Node) -> bool:
    """One of the two kinds."""
    return is_manifest(root, "security.istio.io", "RequestAuthentication", "AuthorizationPolicy")


def read(root: Node) -> Iterator[Finding]:
    """The rules of one object."""
    yield from unknown_version(NAME, root, _VERSIONS)
    if root.get("kind").text == "AuthorizationPolicy":
        yield from _policy(root)
        return
    rules = root.get("spec").first("jwtRules", "jwt_rules").each()
    for rule in rules:
        yield from _rule(name_of(root), rule)
    if rules:
        says = "RequestAuthentication lets requests without a token pass; an AuthorizationPolicy with requestPrincipals refuses them"
        yield Remark(gateway=NAME, place=rules[0].place, says=says)


def _rule(name: str, rule: Node) -> Iterator[Finding]:
    issuer = rule.get("issuer").told()
    inline = rule.get("jwks")
    yield Expectation(
        gateway=NAME,
        name=name,
        place=rule.place,
        issuer=issuer,
        audiences=rule.get("audiences").all_told(),
        jwks=rule.get("jwks_uri").told() or (None if inline else discovery(issuer)),
        inline_keys=tuple(envoy.inline_keys(inline)),
        inline_set=envoy.inline_set(inline),
        carriers=carried_in(rule.get("fromHeaders"), rule.get("fromParams"), rule.get("fromCookies")),
        usual=_USUAL,
    )
    for field, value in rule.items():
        if field not in _READ:
            yield Remark(gateway=NAME, place=value.place, says=f"{name}: `{field}` is not read")


def _policy(root: Node) -> Iterator[Finding]:
    action = root.get("spec", "action").text or "ALLOW"
    for rule in root.get("spec", "rules").each():
        for condition in rule.get("when").each():
            yield from _condition(name_of(root), action, condition)
        for source in (one.get("source") for one in rule.get("from").each()):
            yield from _source(name_of(root), action, source, _paths(rule))


def _paths(rule: Node) -> tuple[Told, ...]:
    found = tuple(told for one in rule.get("to").each() for told in one.get("operation", "paths").all_told())
    return found or (Told(text="*", place=rule.place),)


def _source(name: str, action: str, source: Node, paths: tuple[Told, ...]) -> Iterator[Finding]:
    denied, principals = source.get("notRequestPrincipals"), source.get("requestPrincipals")
    if (action == "DENY" and denied) or (action == "ALLOW" and principals):
        for path in paths:
            yield Route(gateway=NAME, pattern=path, is_checked=True)
    if action == "ALLOW" and principals:
        wanted = ", ".join(told.text for told in principals.all_told())
        yield Remark(
            gateway=NAME,
            place=principals.place,
            says=f"{name}: only the request principals {wanted} (iss/sub) are allowed",
        )


def _condition(name: str, action: str, condition: Node) -> Iterator[Remark]:
    key = condition.get("key").text
    if not key.startswith(_CLAIM):
        return
    claim = key.removeprefix(_CLAIM).rstrip("]").replace("][", ".")
    values = condition.first("values", "notValues")
    says = f"{name}: {action} when the claim {claim!r} is {'' if condition.get('values') else 'not '}one of {', '.join(told.text for told in values.all_told())}"
    yield Remark(gateway=NAME, place=condition.place, says=says)
