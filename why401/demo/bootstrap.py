"""The demo Envoy's bootstrap: what a real operator's configuration looks like, mistakes included.

The mistakes are meant: tokens are logged, one key set cannot be reached, one is empty, an authorizer is dead,
a route names a requirement that does not exist, and RBAC matches the scope as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from why401.demo.mint import Mint

_HTTP: Final = "type.googleapis.com/envoy.extensions.filters.http"
_JWT: Final = "envoy.filters.http.jwt_authn"
_NETWORK: Final = "demo.rbac.network"  # filter instances, so that a route can configure each on its own
_RULES: Final = "demo.rbac.rules"
_AUTHORIZER: Final = "envoy.filters.http.ext_authz"
_LIMIT: Final = "envoy.filters.http.local_ratelimit"
_EDGE: Final = "edge"
MAX_HEADERS_KIB: Final = 16
BLOCKED_NETWORK: Final = ("198.51.100.192", 26)

# The operator's JSON access log; the keys are those that Istio and Envoy Gateway write by default, plus the token.
LOG_KEYS: Final = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "route_name": "%ROUTE_NAME%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "origin": "%REQ(ORIGIN)%",
    "access_control_request_method": "%REQ(ACCESS-CONTROL-REQUEST-METHOD)%",
    "authorization": "%REQ(AUTHORIZATION)%",
    "www_authenticate": "%RESP(WWW-AUTHENTICATE)%",
}
_LOG_LINE: Final = '[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_CODE_DETAILS%'


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports. `listen` 0: Envoy takes a free one. `nothing` is a port where nobody answers."""

    services: int
    otlp: int
    nothing: int
    listen: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """One path prefix, what it requires, and the per-route filter settings."""

    prefix: str
    requires: str = ""  # name in the requirement map; "": the gateway checks nothing
    filters: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_envoy(self) -> dict[str, Any]:
        """The route as Envoy reads it."""
        settings = {_JWT: _per_jwt(self.requires), **self.filters}
        return {
            "name": self.prefix.rpartition("/")[2],
            "match": {"prefix": self.prefix},
            "route": {"cluster": "upstream", "timeout": "5s"},
            "typed_per_filter_config": settings,
        }


def bootstrap(
    mint: Mint, ports: Ports, log_path: str, *, instance: str, jwks_cache_s: int, routes_path: str = ""
) -> dict[str, Any]:
    """The whole configuration, to be written as JSON. `log_path` is the JSON access log.

    With `routes_path` the routes are those of that file (`routes_file`), which Envoy reads again whenever it is replaced.
    """
    source = {"path_config_source": {"path": routes_path}, "resource_api_version": "V3"}
    routes = (
        {"rds": {"route_config_name": _EDGE, "config_source": source}}
        if routes_path
        else {"route_config": _table(ROUTES)}
    )
    return {
        "node": {"id": instance, "cluster": "edge"},
        "admin": {"address": _address(0)},
        "static_resources": {
            "listeners": [_listener(mint, ports, log_path, instance, jwks_cache_s, routes)],
            "clusters": [
                _cluster("upstream", ports.services),
                _cluster("keys", ports.services),
                _cluster("nothing", ports.nothing),
                _cluster("why401", ports.otlp, http2=True),
            ],
        },
    }


def routes_file(routes: Sequence[Route]) -> dict[str, Any]:
    """A file of routes, to be written as JSON: a policy change is a new file in its place."""
    kind = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    return {"resources": [{"@type": kind, **_table(routes)}]}


def _table(routes: Sequence[Route]) -> dict[str, Any]:
    hosts = [{"name": "api", "domains": ["*"], "routes": [route.to_envoy() for route in routes]}]
    return {"name": _EDGE, "virtual_hosts": hosts}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name: str, port: int, *, http2: bool = False) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    cluster: dict[str, Any] = {
        "name": name,
        "connect_timeout": "1s",
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if http2:
        protocol = {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
        cluster["typed_extension_protocol_options"] = {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol
        }
    return cluster


def _listener(
    mint: Mint, ports: Ports, log_path: str, instance: str, jwks_cache_s: int, routes: dict[str, Any]
) -> dict[str, Any]:
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "use_remote_address": True,
        "xff_num_trusted_hops": 1,  # the load balancer in front wrote the client's address
        "preserve_external_request_id": True,  # the request id carries the demo's label
        "max_request_headers_kb": MAX_HEADERS_KIB,
        "access_log": [_file_log(log_path), _otlp_log(instance)],
        **routes,
        "http_filters": _filters(mint, jwks_cache_s),
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": "edge", "address": _address(ports.listen), "filter_chains": [chain]}


def _file_log(path: str) -> dict[str, Any]:
    config = {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": path,
        "log_format": {"json_format": LOG_KEYS},
    }
    return {"name": "envoy.access_loggers.file", "typed_config": config}


def _otlp_log(instance: str) -> dict[str, Any]:
    config = {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
        "log_name": "edge",
        "grpc_service": {"envoy_grpc": {"cluster_name": "why401"}, "timeout": "10s"},
        "buffer_flush_interval": "0.2s",
        "resource_attributes": _pairs({"service.name": "edge-envoy", "service.instance.id": instance}),
        "body": {"string_value": _LOG_LINE},
        "attributes": _pairs(LOG_KEYS),
    }
    return {"name": "envoy.access_loggers.open_telemetry", "typed_config": config}


def _pairs(values: dict[str, str]) -> dict[str, Any]:
    return {"values": [{"key": key, "value": {"string_value": value}} for key, value in values.items()]}


def _filters(mint: Mint, jwks_cache_s: int) -> list[dict[str, Any]]:
    address, length = BLOCKED_NETWORK
    blocked = {"remote_ip": {"address_prefix": address, "prefix_len": length}}
    network = {"action": "DENY", "policies": {"blocked-networks": _policy([blocked])}}
    return [
        _filter(_NETWORK, "rbac.v3.RBAC", {"rules": network}),
        _filter(_JWT, "jwt_authn.v3.JwtAuthentication", _jwt_authn(mint, jwks_cache_s)),
        _filter(_RULES, "rbac.v3.RBAC", {}),
        _filter(_LIMIT, "local_ratelimit.v3.LocalRateLimit", {"stat_prefix": "none"}),
        {**_filter(_AUTHORIZER, "ext_authz.v3.ExtAuthz", _dead_authorizer()), "disabled": True},
        _filter("envoy.filters.http.router", "router.v3.Router", {}),
    ]


def _filter(name: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_HTTP}.{kind}", **config}}


def _dead_authorizer() -> dict[str, Any]:
    service = {"server_uri": {"uri": "http://authorizer.internal", "cluster": "nothing", "timeout": "1s"}}
    return {"http_service": service}


def _jwt_authn(mint: Mint, jwks_cache_s: int) -> dict[str, Any]:
    needs = {name: {"provider_name": name} for name in mint.issuers}
    either = {"requires_any": {"requirements": [{"provider_name": "shop"}, {"provider_name": "partner"}]}}
    optional = {"requires_any": {"requirements": [{"provider_name": "shop"}, {"allow_missing": {}}]}}
    return {
        "providers": {name: _provider(mint, name, jwks_cache_s) for name in mint.issuers},
        "requirement_map": {**needs, "either": either, "optional": optional},
    }


def _provider(mint: Mint, name: str, jwks_cache_s: int) -> dict[str, Any]:
    issuer = mint.issuers[name]
    return {
        "issuer": issuer.url,
        "audiences": [issuer.audience],
        "forward": True,  # and so the access log holds tokens that were accepted, too
        "payload_in_metadata": "jwt",
        "clock_skew_seconds": 60,
        "require_expiration": True,
        **_PROVIDER_EXTRAS.get(name, {}),
        **_keys(mint, name, jwks_cache_s),
    }


_PROVIDER_EXTRAS: Final[dict[str, dict[str, Any]]] = {
    "partner": {"max_lifetime": "86400s"},
    "devices": {"subjects": {"prefix": "device-"}},
}


def _keys(mint: Mint, name: str, jwks_cache_s: int) -> dict[str, Any]:
    clusters = {"shop": "keys", "acquired": "keys", "merged": "keys", "staff": "nothing"}
    if name not in clusters:
        return {"local_jwks": {"inline_string": orjson.dumps(mint.jwks(name)).decode()}}
    uri = {"uri": f"http://keys.internal/jwks/{name}.json", "cluster": clusters[name], "timeout": "1s"}
    return {"remote_jwks": {"http_uri": uri, "cache_duration": f"{jwks_cache_s}s"}}


def _policy(principals: list[dict[str, Any]], permissions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"permissions": permissions or [{"any": True}], "principals": principals}


def _claim(name: str, value: dict[str, Any]) -> dict[str, Any]:
    matcher = {"filter": _JWT, "path": [{"key": "jwt"}, {"key": name}], "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher}}


def _scope(name: str) -> dict[str, Any]:
    return _claim("scope", {"string_match": {"contains": name}})


def _listed(word: str) -> dict[str, Any]:
    return {"list_match": {"one_of": {"string_match": {"exact": word}}}}


def _rules(action: str, **policies: dict[str, Any]) -> dict[str, dict[str, Any]]:
    named = {name.replace("_", "-"): policy for name, policy in policies.items()}
    rbac = {"rbac": {"rules": {"action": action, "policies": named}}}
    return {_RULES: {"@type": f"{_HTTP}.rbac.v3.RBACPerRoute", **rbac}}


def _method(name: str) -> dict[str, Any]:
    return {"header": {"name": ":method", "string_match": {"exact": name}}}


def _per_jwt(requires: str) -> dict[str, Any]:
    choice: dict[str, Any] = {"requirement_name": requires} if requires else {"disabled": True}
    return {"@type": f"{_HTTP}.jwt_authn.v3.PerRouteConfig", **choice}


# One request is allowed and the bucket never refills within a demo: DemoEnvoy takes that one at start.
_QUOTA: Final = {
    "@type": f"{_HTTP}.local_ratelimit.v3.LocalRateLimit",
    "stat_prefix": "exports",
    "token_bucket": {"max_tokens": 1, "tokens_per_fill": 1, "fill_interval": "86400s"},
    "filter_enabled": {"default_value": {"numerator": 100, "denominator": "HUNDRED"}},
    "filter_enforced": {"default_value": {"numerator": 100, "denominator": "HUNDRED"}},
}
_ANYONE: Final = _claim("sub", {"present_match": True})


def for_users(prefix: str, requires: str) -> Route:
    """A route on which RBAC lets tokens with a user pass."""
    return Route(prefix, requires, _rules("ALLOW", signed_in=_policy([_ANYONE])))


def for_scope(prefix: str, requires: str, scope: str) -> Route:
    """A route on which RBAC denies tokens without that scope, by a policy that says so."""
    name = "requires_scope_" + scope.replace(":", "_")
    return Route(prefix, requires, _rules("DENY", **{name: _policy([{"not_id": _scope(scope)}])}))


ROUTES: Final = (
    Route(
        "/v1/orders",
        "shop",
        _rules(
            "ALLOW",
            orders_write_scope=_policy([_scope("orders:write")], [_method("POST")]),
            orders_read=_policy([{"any": True}], [{"not_rule": _method("POST")}]),
        ),
    ),
    Route("/v1/catalog", "either"),
    Route("/v1/partner", "partner"),
    Route("/v1/devices", "devices"),
    Route("/v1/reports", "legacy"),
    Route("/v1/staff", "staff"),
    Route("/v1/acquired", "acquired"),
    Route("/v1/merged", "merged"),
    Route("/v1/warehouse", "mixed"),
    for_scope("/v1/refunds", "shop", "refunds:write"),
    Route("/v1/admin", "shop", _rules("ALLOW", admin_role=_policy([_claim("roles", _listed("admin"))]))),
    Route("/v1/console", "shop", _rules("DENY", admins_only=_policy([{"not_id": _claim("roles", _listed("admin"))}]))),
    Route(
        "/v1/tenants",
        "shop",
        _rules("DENY", suspended_tenants=_policy([_claim("tenant", {"string_match": {"exact": "initech"}})])),
    ),
    for_users("/v1/basket", "optional"),
    Route(
        "/v1/payments", "shop", {_AUTHORIZER: {"@type": f"{_HTTP}.ext_authz.v3.ExtAuthzPerRoute", "check_settings": {}}}
    ),
    Route("/v1/exports", "shop", {_LIMIT: _QUOTA}),
    Route("/v1/search", "search-users"),  # no such requirement: the operator renamed it
    Route("/v1/profile", "shop"),
    Route("/v1/inventory", "shop"),
    Route("/v1/invoices"),  # the upstream verifies by itself
)
