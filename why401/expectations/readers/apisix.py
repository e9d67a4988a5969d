"""Apache APISIX: apisix.yaml, and JSON of its Admin API: jwt-auth and openid-connect on routes, services and consumers.

apisix.apache.org/docs/apisix/plugins/jwt-auth, …/openid-connect
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import ASYMMETRIC, carriers, discovery, issuer_of_metadata, route
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "apisix"
TITLE: Final = "Apache APISIX"
CHECKING: Final = frozenset({
    "jwt-auth", "openid-connect", "key-auth", "basic-auth", "hmac-auth", "ldap-auth", "multi-auth", "forward-auth", "wolf-rbac",
    "authz-keycloak", "authz-casdoor", "cas-auth", "jwe-decrypt", "opa", "saml-auth",
})  # fmt: skip
_LISTS: Final = ("routes", "services", "consumers", "plugin_configs", "global_rules", "consumer_groups")
_USUAL: Final = {"skew_seconds": "0"}  # jwt-auth: lifetime_grace_period
_OIDC_USUAL: Final = {"skew_seconds": "120", "algorithms": ASYMMETRIC}  # lua-resty-openidc: iat_slack


def is_mine(root: Node) -> bool:
    """apisix.yaml's lists, an answer of the Admin API, or one object of it."""
    lists = [one for name in _LISTS for one in root.get(name).each()]
    return any(one.get("plugins").is_mapping or one.has("upstream") for one in (*lists, *_answers(root)))


def _answers(root: Node) -> Iterator[Node]:
    """`{"list": [{"key": …, "value": …}]}`, `{"value": …}` or the value alone."""
    for one in root.get("list").each():
        yield one.get("value")
    if root.get("value").is_mapping:
        yield root.get("value")
    elif root.get("plugins").is_mapping and (root.has("uri") or root.has("uris") or root.has("username")):
        yield root


def _objects(root: Node) -> Iterator[Node]:
    for name in _LISTS:
        yield from root.get(name).each()
    yield from _answers(root)


def read(root: Node) -> Iterator[Finding]:
    """Every plugin that checks a token."""
    objects = list(_objects(root))
    for one in objects:
        yield from _plugins(one, objects)
    if any(_checks(one) for one in objects):
        yield from _routes(root, objects)


def _checks(one: Node) -> bool:
    return bool(CHECKING & set(one.get("plugins").names()))


def _routes(root: Node, objects: list[Node]) -> Iterator[Route]:
    """A route has its own plugins, those of its service and plugin_config, and global rules."""
    everywhere = any(_checks(one) for one in root.get("global_rules").each())
    shared = {
        one.get("id").text: _checks(one) for name in ("services", "plugin_configs") for one in root.get(name).each()
    }
    for one in objects:
        by_name = any(shared.get(one.get(field).text) for field in ("service_id", "plugin_config_id"))
        why = "" if everywhere or by_name or _checks(one) else "no authentication plugin"
        yield from (route(NAME, path, why) for path in _paths(one))


def _paths(one: Node) -> tuple[Told, ...]:
    return (*one.get("uri").all_told(), *one.get("uris").all_told())


def _plugins(one: Node, objects: list[Node]) -> Iterator[Finding]:
    plugins = one.get("plugins")
    name = one.get("name").text or one.get("username").text or one.get("id").text
    openid, jwt = plugins.get("openid-connect"), plugins.get("jwt-auth")
    if openid.is_mapping:
        yield from _openid(name, openid, _paths(one))
    if jwt.is_mapping and jwt.get("key"):
        yield from _consumer(name, jwt, objects)


def _openid(name: str, config: Node, paths: tuple[Told, ...]) -> Iterator[Finding]:
    valid = config.get("claim_validator", "issuer", "valid_issuers").all_told()
    discovered = issuer_of_metadata(config.get("discovery").told())
    for issuer in valid or (discovered,):
        audience = config.get("claim_validator", "audience")
        takes_client = audience.get("match_with_client_id").is_true
        yield Expectation(
            gateway=NAME,
            name=f"openid-connect {name}".strip(),
            place=config.place,
            issuer=issuer,
            audiences=config.get("client_id").all_told() if takes_client else (),
            algorithms=config.get("token_signing_alg_values_expected").words(),
            jwks=discovery(discovered) if config.get("use_jwks").is_true else None,
            inline_keys=(Told(text="public key", place=config.get("public_key").place),)
            if config.get("public_key")
            else (),
            required_scopes=config.get("required_scopes").words(),
            cache_seconds=config.get("jwk_expires_in").told(),
            routes=paths,
            usual=_OIDC_USUAL,
        )
    if config.get("introspection_endpoint"):
        yield Remark(
            gateway=NAME,
            place=config.get("introspection_endpoint").place,
            says=f"{name}: tokens are checked by introspection at the issuer",
        )
    if not config.get("bearer_only").is_true:
        yield Remark(
            gateway=NAME,
            place=config.place,
            says=f"{name}: bearer_only is not set: a request without a token is sent to the login",
        )


def _inline(config: Node, alg: Told) -> Told:
    kind = "public key" if config.get("public_key") else "shared secret"
    return Told(text=f"{kind}, {alg.text}", place=config.place)


def _carriers(plugin: Node) -> tuple[Told, ...]:
    return carriers(*((kind, plugin.get(kind).all_told()) for kind in ("header", "query", "cookie")))


def _users(objects: list[Node]) -> list[Node]:
    """Routes with the plugin; a consumer's has a key."""
    return [one for one in objects if one.get("plugins", "jwt-auth").is_mapping and not _key(one)]


def _key(one: Node) -> Node:
    return one.get("plugins", "jwt-auth", "key")


def _consumer(name: str, config: Node, objects: list[Node]) -> Iterator[Finding]:
    """The consumer's key is the value of a claim that the route's plugin names: `key` unless told otherwise."""
    users = _users(objects)
    plugin = (*users, Node(None, config.file))[0].get("plugins", "jwt-auth")
    named = plugin.get("key_claim_name") or config.get("key_claim_name")
    claim, place = named.text or "key", (named or config).place
    is_issuer = claim == "iss"
    alg = config.get("algorithm").told() or Told(text="HS256", place=config.place)
    yield Expectation(
        gateway=NAME,
        name=f"jwt-auth consumer {name}",
        place=config.place,
        issuer=config.get("key").told() if is_issuer else None,
        algorithms=(alg,),
        inline_keys=(_inline(config, alg),),
        required_claims=() if is_issuer else (Told(text=claim, place=place),),
        skew_seconds=config.get("lifetime_grace_period").told(),
        carriers=_carriers(plugin),
        routes=tuple(path for one in users for path in _paths(one)),
        usual=_USUAL | {"required_claims": ""},
    )
    if not is_issuer:
        says = f"jwt-auth: the consumer is found by the claim {claim!r}; the issuer is not checked"
        yield Remark(gateway=NAME, place=place, says=says)
