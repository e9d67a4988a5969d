"""Envoy: virtual host, the first route that matches, the HTTP filters in their order, and what jwt_authn requires there.

envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_routing, configuration/http/http_filters/jwt_authn_filter
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import re2

from why401.expectations.nodes import Node
from why401.expectations.readers import envoy
from why401.expectations.told import Expectation
from why401.trace.walked import Asked, Part, Step, Walked, provided

_JWT: Final = "jwt_authn.v3.JwtAuthentication"
_PER_ROUTE: Final = "jwt_authn.v3.PerRouteConfig"
# Filters that may refuse, and are not evaluated: type URL's end -> what it is.
_DECIDES: Final = {
    "rbac.v3.RBAC": "RBAC",
    "ext_authz.v3.ExtAuthz": "an external authorizer",
    "lua.v3.Lua": "a Lua script",
    "wasm.v3.Wasm": "a Wasm module",
    "oauth2.v3.OAuth2": "the login of the OAuth2 filter",
    "basic_auth.v3.BasicAuth": "basic authentication",
    "api_key_auth.v3.ApiKeyAuth": "an API key",
    "local_ratelimit.v3.LocalRateLimit": "a rate limit",
}


def walk(parts: Sequence[Part], asked: Asked) -> Walked:
    """Through all documents at once: listeners and routes may be in files of their own."""
    nodes = [node for part in parts for node in part.root.walk()]
    host, route = _route(nodes, asked)
    if route is None and any(node.has("virtual_hosts") for node in nodes):
        return Walked(open=f"no route serves {asked.method} {asked.path}: Envoy answers 404")
    return _in_route(parts, nodes, [scope for scope in (route, host) if scope], asked)


def _in_route(parts: Sequence[Part], nodes: Sequence[Node], scopes: Sequence[Node], asked: Asked) -> Walked:
    """`scopes`: the route and its virtual host, whose settings go before those of the filters. Without routes: the rules alone."""
    steps = tuple(Step(name="route", says=_named(one), place=one.get("match").place) for one in scopes[:1])
    unknown = tuple(_others(nodes, scopes))
    filters = [node for node in nodes if envoy.is_of(node, _JWT)]
    if not filters:
        return Walked(steps=steps, open="no jwt_authn filter is configured", unknown=unknown)
    check, requires, missing = _required(filters, scopes, asked)
    if missing:
        says = f"the requirement {missing!r} is in no requirement_map"
        return Walked(steps=(*steps, check, Step(name="provider", says=says)), refusal="auth_not_configured")
    return _at_providers(parts, (*steps, check), requires, unknown)


def _at_providers(
    parts: Sequence[Part], steps: tuple[Step, ...], requires: Node | None, unknown: tuple[str, ...]
) -> Walked:
    if requires is None:
        return Walked(steps=steps, open=steps[-1].says, unknown=unknown)
    names, expectations = set(envoy.providers_of(requires)), tuple(_of(parts, requires))
    if not names:
        return Walked(steps=steps, open="no provider is required", unknown=unknown)
    if not expectations:
        says = f"{', '.join(sorted(names))}: no such provider is configured"
        return Walked(steps=(*steps, Step(name="provider", says=says)), refusal="auth_not_configured")
    return Walked(
        steps=(*steps, *map(provided, expectations)),
        expectations=expectations,
        forgives=_forgiven(requires),
        unknown=unknown,
    )


def _of(parts: Sequence[Part], requires: Node) -> Iterator[Expectation]:
    names = set(envoy.providers_of(requires))
    yield from (one for part in parts for one in part.document.expectations if one.name in names)


def _forgiven(requires: Node) -> tuple[str, ...]:
    for node in requires.walk():
        if node.has("allow_missing_or_failed"):
            return ("*",)
        if node.has("allow_missing"):
            return ("token_missing",)
    return ()


# --- the route ---------------------------------------------------------------------------------------------


def _route(nodes: Sequence[Node], asked: Asked) -> tuple[Node | None, Node | None]:
    """The virtual host that has the longest fitting domain, and its first route that matches."""
    hosts = [host for node in nodes for host in node.get("virtual_hosts").each()]
    for host in sorted(hosts, key=lambda one: -_domain(one, asked.host)):
        if _domain(host, asked.host) >= 0:
            for route in host.get("routes").each():
                if _fits(route.get("match"), asked):
                    return host, route
            return host, None
    return None, None


def _domain(host: Node, name: str) -> int:
    """How much of the name the best domain fixes; -1 when none fits. Without a name, the host for all names goes first."""
    domains = [told.text.partition(":")[0] for told in host.get("domains").all_told()]
    if not name:
        return int("*" in domains)
    return max((len(one.strip("*")) for one in domains if _is_domain(one, name)), default=-1)


def _is_domain(domain: str, name: str) -> bool:
    if domain.startswith("*"):
        return name.endswith(domain[1:])
    return name.startswith(domain[:-1]) if domain.endswith("*") else domain.lower() == name.lower()


def _fits(match: Node, asked: Asked) -> bool:
    return _fits_path(match, asked.path) and all(_fits_method(one, asked) for one in match.get("headers").each())


def _fits_path(match: Node, path: str) -> bool:
    if exact := match.get("path").text:
        return exact == path
    if separated := match.get("path_separated_prefix").text:
        return path == separated or path.startswith(f"{separated}/")
    if regex := match.get("safe_regex", "regex").text:
        return _is_like(regex, path)
    return path.startswith(match.get("prefix").text)


def _is_like(regex: str, path: str) -> bool:
    try:
        return re2.fullmatch(regex, path) is not None
    except re2.error:
        return False


def _fits_method(header: Node, asked: Asked) -> bool:
    """Other headers are taken as they would have to be."""
    exact = header.get("string_match", "exact").text or header.get("exact_match").text
    return header.get("name").text != ":method" or not exact or exact == asked.method


def _named(route: Node) -> str:
    match = route.get("match")
    what = envoy.pattern_of(match).text
    return f"{what} ({name})" if (name := route.get("name").text) else what


# --- the check ---------------------------------------------------------------------------------------------


def _required(filters: Sequence[Node], scopes: Sequence[Node], asked: Asked) -> tuple[Step, Node | None, str]:
    """The check as a step, what it requires (None: nothing), and the name of a requirement that does not exist."""
    requirements = {name: value for one in filters for name, value in one.get("requirement_map").items()}
    for scope in scopes:
        settings = _settings(scope, _PER_ROUTE)
        if settings is None:
            continue
        name = settings.get("requirement_name").text
        if settings.get("disabled").is_true or not name:
            return Step(name="check", says="jwt_authn is disabled here", place=settings.place), None, ""
        step = Step(name="check", says=f"jwt_authn requires {name!r}", place=settings.place)
        return step, requirements.get(name), "" if name in requirements else name
    return _of_rules(filters, requirements, asked)


def _of_rules(filters: Sequence[Node], requirements: Mapping[str, Node], asked: Asked) -> tuple[Step, Node | None, str]:
    for rule in (rule for one in filters for rule in one.get("rules").each()):
        if not _fits(rule.get("match"), asked):
            continue
        name, what = rule.get("requirement_name").text, envoy.pattern_of(rule.get("match")).text
        requires = rule.get("requires") or requirements.get(name)
        if not requires and not name:
            return Step(name="check", says=f"the rule {what} of jwt_authn requires nothing", place=rule.place), None, ""
        step = Step(name="check", says=f"the rule {what} of jwt_authn", place=rule.place)
        return step, requires, "" if requires else name
    return Step(name="check", says="no rule of jwt_authn matches", place=filters[0].place), None, ""


def _settings(scope: Node, kind: str) -> Node | None:
    """The settings of one filter on a route or a virtual host."""
    found = (value for _, value in scope.get("typed_per_filter_config").items())
    return next((one for one in found if envoy.is_of(one, kind)), None)


def _others(nodes: Sequence[Node], scopes: Sequence[Node]) -> Iterator[str]:
    """Filters in their order that may refuse as well, by rules that are not evaluated."""
    own = {name for scope in scopes for name in scope.get("typed_per_filter_config").names()}
    for one in (one for node in nodes for one in node.get("http_filters").each()):
        name = one.get("name").text
        if (says := _decides(one)) and (name in own or _is_at_work(one)):
            yield f"{says} decides as well (filter {name}, {one.place})"


def _decides(one: Node) -> str:
    kind = one.get("typed_config", "@type").text
    return next((says for end, says in _DECIDES.items() if kind.endswith(end)), "")


def _is_at_work(one: Node) -> bool:
    return not one.get("disabled").is_true and _is_set(one.get("typed_config"))


def _is_set(config: Node) -> bool:
    """More than its type and its statistics' name: an empty filter waits for a route's settings."""
    return any(name not in ("@type", "stat_prefix", "statPrefix") for name in config.names())
