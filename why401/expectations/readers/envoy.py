"""Envoy: bootstrap, LDS and RDS files, `config_dump`: the providers of jwt_authn, and the routes that require them.

envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/jwt_authn/v3/config.proto
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import orjson

from why401.expectations.nodes import Node, camel
from why401.expectations.readers.common import ASYMMETRIC, unread
from why401.expectations.told import Expectation, Finding, Remark, Route, Told

NAME: Final = "envoy"
TITLE: Final = "Envoy"
_JWT: Final = "jwt_authn.v3.JwtAuthentication"
_PER_ROUTE: Final = "jwt_authn.v3.PerRouteConfig"
# source/common/jwt/jwt.cc, verify.cc: what is implemented. HS* only with a key of type oct.
ALGORITHMS: Final = ASYMMETRIC
_USUAL: Final = {"skew_seconds": "60", "algorithms": ALGORITHMS, "required_claims": ""}
_READ: Final = frozenset({
    "issuer", "audiences", "remote_jwks", "local_jwks", "forward", "from_headers", "from_params", "from_cookies",
    "clock_skew_seconds", "require_expiration", "max_lifetime", "subjects", "payload_in_metadata", "header_in_metadata",
    "forward_payload_header", "pad_forward_payload_header", "failed_status_in_metadata", "claim_to_headers", "jwt_cache_config",
    "normalize_payload_in_metadata", "clear_route_cache",
})  # fmt: skip
# What narrows acceptance, and has no setting.
_NO_SETTING: Final = {"max_lifetime": "a longest lifetime", "subjects": "the form of `sub`"}
_PUBLIC: Final = (
    "kid",
    "kty",
    "alg",
    "use",
    "crv",
    "n",
    "e",
    "x",
    "y",
)  # RFC 7517 section 4; RFC 7518 sections 6.2.1 and 6.3.1
_ASYMMETRIC: Final = ("RSA", "EC", "OKP")
MAX_KEYS: Final = 200
# Kubernetes objects that patch the configuration which Istio or Envoy Gateway makes.
_PATCHES: Final = ("EnvoyFilter", "EnvoyPatchPolicy")

_Needed = tuple[tuple[str, ...], Finding]  # the providers that a route requires, and the route


def is_mine(root: Node) -> bool:
    """A bootstrap, patches of one, or anything that holds a message of Envoy's API, such as the dumps of tools."""
    if root.get("kind").text in _PATCHES and root.get("apiVersion"):
        return True
    if root.is_mapping and (root.get("static_resources") or root.get("dynamic_resources")):
        return True
    return any(node.get("@type").text.startswith("type.googleapis.com/envoy.") for node in root.walk())


def read(root: Node) -> Iterator[Finding]:
    """Every provider once, with the routes that require it."""
    clusters = _clusters(root)
    filters = [node for node in root.walk() if is_of(node, _JWT)]
    requirements = {name: value for one in filters for name, value in one.get("requirement_map").items()}
    needed = [*_of_rules(filters, requirements), *_of_routes(root, requirements)]
    providers = dict(pair for one in filters for pair in one.get("providers").items())
    for name, provider in providers.items():
        yield from _provider(name, provider, clusters, _routes_of(name, needed))
    yield from (found for _, found in needed)
    yield from _unresolved(filters, needed)


def _routes_of(name: str, needed: Sequence[_Needed]) -> tuple[Told, ...]:
    return tuple(found.pattern for providers, found in needed if name in providers and isinstance(found, Route))


def is_of(node: Node, kind: str) -> bool:
    """A message of Envoy's API of that kind, given by the end of its type."""
    return node.get("@type").text.endswith(kind)


def _clusters(root: Node) -> Mapping[str, str]:
    """Clusters without TLS that have one fixed address: where a key set by plain http really is fetched from."""
    found = {}
    for node in root.walk():
        points = node.get("load_assignment", "endpoints").each()
        if not points or node.get("transport_socket"):
            continue
        address = points[0].get("lb_endpoints").each()
        at = address[0].get("endpoint", "address", "socket_address") if address else Node(None, "")
        if at.get("port_value"):
            found[node.get("name").text] = f"{at.get('address').text}:{at.get('port_value').text}"
    return found


def _provider(name: str, provider: Node, clusters: Mapping[str, str], routes: tuple[Told, ...]) -> Iterator[Finding]:
    inline = provider.get("local_jwks").first("inline_string", "inline_bytes")
    yield Expectation(
        gateway=NAME,
        name=name,
        place=provider.place,
        issuer=provider.get("issuer").told(),
        audiences=provider.get("audiences").all_told(),
        jwks=_jwks(provider.get("remote_jwks"), clusters),
        inline_keys=tuple(inline_keys(inline)),
        inline_set=inline_set(inline),
        required_claims=_required(provider),
        skew_seconds=provider.get("clock_skew_seconds").told(),
        cache_seconds=seconds(provider.get("remote_jwks", "cache_duration")),
        carriers=tuple(_carriers(provider)),
        routes=routes,
        usual=_USUAL,
    )
    for field, says in _NO_SETTING.items():
        if provider.get(field):
            yield Remark(
                gateway=NAME,
                place=provider.get(field).place,
                says=f"{name}: {field} requires {says}; no setting tells why401",
            )
    yield from unread(NAME, name, provider, _READ | {camel(field) for field in _READ})
    if file := provider.get("local_jwks", "filename").told():
        yield Remark(
            gateway=NAME, place=file.place, says=f"{name}: the key set is the file {file.text} on Envoy's machine"
        )


def _required(provider: Node) -> tuple[Told, ...]:
    told = provider.get("require_expiration")
    return (Told(text="exp", place=told.place),) if told.is_true else ()


def _jwks(remote: Node, clusters: Mapping[str, str]) -> Told | None:
    told = remote.get("http_uri", "uri").told()
    if told is None:
        return None
    parts, address = urlsplit(told.text), clusters.get(remote.get("http_uri", "cluster").text)
    if (
        parts.scheme == "http" and address
    ):  # the URI's host is a header; the cluster's address is where it is fetched from
        return Told(text=f"http://{address}{parts.path}", place=told.place)
    return told


def seconds(node: Node) -> Told | None:
    """A duration as protobuf's JSON writes it, in whole seconds.

    >>> seconds(Node("300s", "x")).text, seconds(Node({"seconds": 600}, "x")).text
    ('300', '600')
    """
    told = node.get("seconds").told() if node.is_mapping else node.told()
    text = told.text.removesuffix("s").partition(".")[0] if told else ""
    return Told(text=text, place=told.place) if told and text.isdigit() else None


def inline_keys(node: Node) -> Iterator[Told]:
    """kid, type and alg of a key set that stands in the configuration; never the key.

    >>> [key.text for key in inline_keys(Node('{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a", "alg": "HS256"}]}', "x"))]
    ['a oct HS256']
    """
    keys = node.get("keys").each() or _parsed(node).get("keys").each()
    for key in keys:
        facts = [key.get(name).text for name in ("kid", "kty", "alg")]
        yield Told(text=" ".join(filter(None, facts)), place=node.place)


def inline_set(node: Node) -> Told | None:
    """The same key set with the public members of its asymmetric keys alone; None when it has none.

    >>> inline_set(Node('{"keys": [{"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "d": "c2VjcmV0"}, {"kty": "oct", "k": "eA"}]}', "x")).text
    '{"keys":[{"kty":"EC","crv":"P-256","x":"a","y":"b"}]}'
    """
    keys = node.get("keys").each() or _parsed(node).get("keys").each()
    public = [{name: text for name in _PUBLIC if (text := key.get(name).text)} for key in keys[:MAX_KEYS]]
    public = [key for key in public if key.get("kty") in _ASYMMETRIC]
    return Told(text=orjson.dumps({"keys": public}).decode(), place=node.place) if public else None


def _parsed(node: Node) -> Node:
    try:
        return Node(orjson.loads(node.text), node.file)
    except orjson.JSONDecodeError:
        return Node(None, node.file)


def _carriers(provider: Node) -> Iterator[Told]:
    for header in provider.get("from_headers").each():
        prefix = header.get("value_prefix").text.strip()
        says = f"header {header.get('name').text}" + (f", behind {prefix!r}" if prefix else "")
        yield Told(text=says, place=header.place)
    for kind, field in (("query", "from_params"), ("cookie", "from_cookies")):
        for told in provider.get(field).all_told():
            yield Told(text=f"{kind} {told.text}", place=told.place)


def _of_rules(filters: list[Node], requirements: Mapping[str, Node]) -> Iterator[_Needed]:
    for one in filters:
        for rule in one.get("rules").each():
            pattern = pattern_of(rule.get("match"))
            requires = rule.get("requires") or requirements.get(
                rule.get("requirement_name").text, Node(None, rule.file)
            )
            yield from _needed(pattern, requires)


def _of_routes(root: Node, requirements: Mapping[str, Node]) -> Iterator[_Needed]:
    for route in root.walk():
        for settings in (value for _, value in route.get("typed_per_filter_config").items()):
            if not is_of(settings, _PER_ROUTE) or not route.get("match"):
                continue
            pattern, name = pattern_of(route.get("match")), settings.get("requirement_name").text
            if settings.get("disabled").is_true:
                yield (), Route(gateway=NAME, pattern=pattern, is_checked=False, why="jwt_authn is disabled")
            elif name in requirements:
                yield from _needed(pattern, requirements[name])
            else:
                says = f"route {pattern.text}: the requirement {name!r} is in no requirement_map"
                yield (), Remark(gateway=NAME, place=settings.place, says=says)


def _needed(pattern: Told, requires: Node) -> Iterator[_Needed]:
    """Who may serve a route, and whether a request without a token passes."""
    providers = tuple(dict.fromkeys(providers_of(requires)))
    why = _lets_pass(requires)
    if not providers and not why:
        why = "no provider is required"
    yield providers, Route(gateway=NAME, pattern=pattern, is_checked=not why, why=why)


def providers_of(requires: Node) -> Iterator[str]:
    """The names of all providers that a requirement mentions."""
    for node in requires.walk():
        name = node.get("provider_name").text
        if name:
            yield name


def _lets_pass(requires: Node) -> str:
    for node in requires.walk():
        if node.has("allow_missing_or_failed"):
            return "a missing or invalid token passes (allow_missing_or_failed)"
        if node.has("allow_missing"):
            return "a request without a token passes (allow_missing)"
    return ""


def pattern_of(match: Node) -> Told:
    """How a route matches a path, as a pattern."""
    prefix, separated = match.get("prefix").told(), match.get("path_separated_prefix").told()
    path = match.get("path").told()
    if path:
        return path
    if prefix or separated:
        told = prefix or separated
        assert told is not None
        return Told(text=f"{told.text}*", place=told.place)
    regex = match.get("safe_regex", "regex").told()
    return Told(text=f"regex {regex.text}" if regex else "*", place=match.place)


def _unresolved(filters: list[Node], needed: list[_Needed]) -> Iterator[Remark]:
    known = {name for one in filters for name in one.get("providers").names()}
    for providers, found in needed:
        for name in providers:
            if name not in known and isinstance(found, Route):
                yield Remark(
                    gateway=NAME,
                    place=found.pattern.place,
                    says=f"route {found.pattern.text} requires the provider {name!r}, which is not configured",
                )
