"""Kong: declarative configuration (decK, DB-less) and KongPlugin manifests: the plugins jwt and openid-connect, and their routes.

developer.konghq.com/plugins/jwt/reference, …/openid-connect/reference
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import ASYMMETRIC, carriers, discovery, issuer_of_metadata, name_of, route, tell
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "kong"
TITLE: Final = "Kong"
CHECKING: Final = frozenset({
    "jwt", "openid-connect", "key-auth", "key-auth-enc", "basic-auth", "oauth2", "oauth2-introspection", "hmac-auth", "ldap-auth",
    "ldap-auth-advanced", "mtls-auth", "jwt-signer", "session", "saml", "upstream-oauth", "header-cert-auth",
})  # fmt: skip
# kong/plugins/jwt/handler.lua: exp and nbf only when claims_to_verify names them, without leeway.
_JWT_USUAL: Final = {"skew_seconds": "0", "required_claims": ""}
_OIDC_USUAL: Final = {"skew_seconds": "0", "algorithms": ASYMMETRIC}


def is_mine(root: Node) -> bool:
    """A declarative configuration, or a plugin of the ingress controller."""
    if root.get("kind").text in ("KongPlugin", "KongClusterPlugin"):
        return root.get("apiVersion").text.startswith("configuration.konghq.com/")
    has_credentials = any(one.get("jwt_secrets") for one in root.get("consumers").each())
    return bool(root.get("_format_version")) or has_credentials


def read(root: Node) -> Iterator[Finding]:
    """Consumers' credentials are the issuers of the jwt plugin; openid-connect names its own."""
    if root.get("kind"):
        yield from _manifest(root)
        return
    routes = list(_routes(root))
    plugins = [plugin for plugin, _, _ in _plugins(root)]
    jwt = next((plugin for plugin in plugins if plugin.get("name").text == "jwt"), Node(None, root.file))
    yield from _credentials(root, jwt, _patterns(root, "jwt"))
    for plugin, patterns, where in _plugins(root):
        if plugin.get("name").text == "openid-connect":
            yield _openid(plugin, patterns, where)
        if plugin.get("config", "anonymous").text:
            says = f"{plugin.get('name').text}: a request without a valid credential passes as an anonymous consumer"
            yield Remark(gateway=NAME, place=plugin.get("config", "anonymous").place, says=says)
    if any(plugin.get("name").text in CHECKING for plugin in plugins):
        yield from routes


def _manifest(root: Node) -> Iterator[Finding]:
    kind, config = root.get("plugin").text, root.get("config")
    if kind == "openid-connect":
        yield _openid(root, (), name_of(root))
    else:
        says = f"{name_of(root)}: plugin {kind}; the credentials of its consumers are Secrets, which are not read"
        yield Remark(gateway=NAME, place=config.place, says=says)


def _is_on(plugin: Node) -> bool:
    return plugin.get("enabled").text != "false"


def _plugins(root: Node) -> Iterator[tuple[Node, tuple[Told, ...], str]]:
    """Every enabled plugin, with the routes it applies to; none: all."""
    return (found for found in _all_plugins(root) if _is_on(found[0]))


def _all_plugins(root: Node) -> Iterator[tuple[Node, tuple[Told, ...], str]]:
    for plugin in root.get("plugins").each():
        yield plugin, _named_routes(root, plugin), "global"
    for service in root.get("services").each():
        paths = tuple(path for one in _routes_of(root, service) for path in _paths(one))
        for plugin in service.get("plugins").each():
            yield plugin, paths, f"service {service.get('name').text}"
    for one in _all_routes(root):
        for plugin in one.get("plugins").each():
            yield plugin, _paths(one), f"route {one.get('name').text}"


def _named_routes(root: Node, plugin: Node) -> tuple[Told, ...]:
    name = plugin.get("route").text or plugin.get("route", "name").text
    return tuple(path for one in _all_routes(root) if name and one.get("name").text == name for path in _paths(one))


def _routes_of(root: Node, service: Node) -> tuple[Node, ...]:
    name = service.get("name").text
    beside = [
        one
        for one in root.get("routes").each()
        if name and name in (one.get("service").text, one.get("service", "name").text)
    ]
    return (*service.get("routes").each(), *beside)


def _all_routes(root: Node) -> Iterator[Node]:
    for service in root.get("services").each():
        yield from service.get("routes").each()
    yield from root.get("routes").each()


def _paths(one: Node) -> tuple[Told, ...]:
    """A path is a prefix, behind `~` a regular expression; a route without paths takes every path."""
    paths = one.get("paths").all_told()
    if not paths:
        return (Told(text="*", place=one.place),)
    return tuple(
        Told(text=f"regex {path.text[1:]}" if path.text.startswith("~") else f"{path.text}*", place=path.place)
        for path in paths
    )


def _patterns(root: Node, kind: str) -> tuple[Told, ...]:
    found = [patterns for plugin, patterns, _ in _plugins(root) if plugin.get("name").text == kind]
    return tuple(one for patterns in found for one in patterns) if all(found) else ()


def _routes(root: Node) -> Iterator[Route]:
    checking = list(_checking(root))
    everywhere = any(where == "global" and _is_global(plugin) for plugin, _, where in checking)
    guarded = {path.text for _, paths, _ in checking for path in paths}
    for one in _all_routes(root):
        for path in _paths(one):
            yield route(NAME, path, "" if everywhere or path.text in guarded else "no authentication plugin")


def _checking(root: Node) -> Iterator[tuple[Node, tuple[Told, ...], str]]:
    return (found for found in _plugins(root) if found[0].get("name").text in CHECKING)


def _is_global(plugin: Node) -> bool:
    return not any(plugin.get(field) for field in ("service", "route", "consumer", "consumer_group"))


def _credentials(root: Node, jwt: Node, patterns: tuple[Told, ...]) -> Iterator[Finding]:
    """`key` is the value of the claim `key_claim_name`, by default iss."""
    config = jwt.get("config")
    claim = config.get("key_claim_name").text or "iss"
    for consumer, secret in _secrets(root):
        key, alg = secret.get("key").told(), secret.get("algorithm").told()
        yield Expectation(
            gateway=NAME,
            name=f"consumer {consumer}",
            place=secret.place,
            issuer=key if claim == "iss" else None,
            algorithms=(alg or Told(text="HS256", place=secret.place),),
            inline_keys=tuple(_key(secret)),
            required_claims=config.get("claims_to_verify").all_told(),
            carriers=carriers(
                ("header", config.get("header_names").all_told()),
                ("query", config.get("uri_param_names").all_told()),
                ("cookie", config.get("cookie_names").all_told()),
            ),
            routes=patterns,
            usual=_JWT_USUAL,
        )
    if claim != "iss":
        says = f"jwt: the credential is found by the claim {claim!r}; the issuer is not checked"
        yield Remark(gateway=NAME, place=config.get("key_claim_name").place, says=says)
    if longest := config.get("maximum_expiration").text:
        yield Remark(
            gateway=NAME,
            place=config.get("maximum_expiration").place,
            says=f"jwt: exp may be at most {longest} s ahead; no setting tells why401",
        )


def _secrets(root: Node) -> Iterator[tuple[str, Node]]:
    for consumer in root.get("consumers").each():
        name = consumer.get("username").text or consumer.get("custom_id").text
        for secret in consumer.get("jwt_secrets").each():
            yield name, secret
    for secret in root.get("jwt_secrets").each():
        yield secret.get("consumer").text or secret.get("consumer", "username").text, secret


def _key(secret: Node) -> Iterator[Told]:
    kind = "public key" if secret.get("rsa_public_key") else "shared secret"
    alg = secret.get("algorithm").text or "HS256"
    yield Told(text=f"{kind}, {alg}", place=secret.place)


def _openid(plugin: Node, patterns: tuple[Told, ...], where: str) -> Expectation:
    config = plugin.get("config")
    named = config.get("issuers_allowed").all_told()
    issuer = named[0] if named else issuer_of_metadata(config.get("issuer").told())
    return Expectation(
        gateway=NAME,
        name=f"openid-connect, {where}",
        place=plugin.place,
        issuer=issuer,
        audiences=config.get("audience_required").all_told(),
        algorithms=(),
        jwks=(config.get("extra_jwks_uris").all_told() or (discovery(issuer),))[0],
        user_claim=tell(
            ".".join(told.text for told in config.get("consumer_claim").all_told()), config.get("consumer_claim").place
        ),
        required_scopes=config.get("scopes_required").words(),
        skew_seconds=config.get("leeway").told(),
        cache_seconds=config.get("cache_ttl").told(),
        carriers=carriers(("", config.get("bearer_token_param_type").all_told())),
        routes=patterns,
        usual=_OIDC_USUAL,
    )
