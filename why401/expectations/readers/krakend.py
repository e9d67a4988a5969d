"""KrakenD: `auth/validator` of each endpoint (krakend.io/docs/authorization/jwt-validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import carriers, listed, unread, without_parameters
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "krakend"
TITLE: Final = "KrakenD"
VALIDATORS: Final = ("auth/validator", "github.com/devopsfaith/krakend-jose/validator")
_OTHERS: Final = ("auth/api-keys", "auth/basic", "auth/mtls")
# krakend-jose takes go-auth0's default leeway, a minute; go-jose accepts a token without exp.
_USUAL: Final = {"skew_seconds": "60", "algorithms": "RS256", "required_claims": ""}
_READ: Final = frozenset({
    "alg", "jwk_url", "jwk_local_path", "issuer", "audience", "roles", "roles_key", "roles_key_is_nested", "scopes", "scopes_key",
    "scopes_matcher", "cache", "cache_duration", "cookie_key", "auth_header_name", "propagate_claims", "operation_debug",
    "disable_jwk_security", "jwk_fingerprints", "jwk_local_ca", "cipher_suites", "key_identify_strategy", "secret_url", "cypher_key",
    "leeway", "failed_jwk_key_cooldown",
})  # fmt: skip


def is_mine(root: Node) -> bool:
    """`version` and `endpoints`, with an endpoint in each."""
    return bool(root.get("version")) and any(one.get("endpoint") for one in root.get("endpoints").each())


def read(root: Node) -> Iterator[Finding]:
    """Endpoints with equal validators are one expectation."""
    routes = list(_endpoints(root))
    for endpoint, validator in routes:
        if validator:
            yield from _validator(endpoint, validator)
    if any(validator for _, validator in routes):
        for endpoint, validator in routes:
            other = next((name for name in _OTHERS if endpoint.get("extra_config", name)), "")
            why = "" if validator or other else "no auth/validator"
            yield Route(gateway=NAME, pattern=_pattern(endpoint), is_checked=not why, why=why)


def _endpoints(root: Node) -> Iterator[tuple[Node, Node]]:
    shared = root.get("extra_config").first(*VALIDATORS)  # Enterprise: for all endpoints
    for endpoint in root.get("endpoints").each():
        yield endpoint, endpoint.get("extra_config").first(*VALIDATORS) or shared


def _pattern(endpoint: Node) -> Told:
    told = endpoint.get("endpoint")
    return Told(text=without_parameters(told.text), place=told.place)


def _validator(endpoint: Node, validator: Node) -> Iterator[Finding]:
    scopes = validator.get("scopes").all_told()
    are_all = validator.get("scopes_matcher").text == "all" or len(scopes) == 1
    name = f"endpoint {endpoint.get('endpoint').text}"
    yield Expectation(
        gateway=NAME,
        name=name,
        place=validator.place,
        issuer=validator.get("issuer").told(),
        audiences=validator.get("audience").all_told(),
        algorithms=validator.get("alg").all_told(),
        jwks=validator.first("jwk_url", "jwk_local_path").told(),
        required_scopes=scopes if are_all and validator.get("scopes_key") else (),
        cache_seconds=validator.get("cache_duration").told(),
        carriers=carriers(
            ("cookie", validator.get("cookie_key").all_told()), ("header", validator.get("auth_header_name").all_told())
        ),
        routes=(_pattern(endpoint),),
        usual=_USUAL,
    )
    if scopes and not are_all:
        says = f"one of the scopes {listed(scopes)} is enough; [[issuers]] requires all, so none is written"
        yield _remark(name, validator.get("scopes"), says)
    yield from _narrower(name, validator)
    yield from unread(NAME, name, validator, _READ)


def _narrower(name: str, validator: Node) -> Iterator[Remark]:
    roles, audiences = validator.get("roles"), validator.get("audience")
    if roles:
        says = f"the claim {validator.get('roles_key').text or 'roles'!r} must hold one of {listed(roles.all_told())}"
        yield _remark(name, roles, says)
    if len(audiences.each()) > 1:
        yield _remark(name, audiences, "a token must have all of the audiences")


def _remark(name: str, where: Node, says: str) -> Remark:
    return Remark(gateway=NAME, place=where.place, says=f"{name}: {says}")
