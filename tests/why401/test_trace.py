"""`why401 trace`: where a request comes to in a gateway's configuration, and what would be answered there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from tests.tokens import token
from why401.cli import main
from why401.demo.bootstrap import Ports, bootstrap
from why401.demo.faults import FAULTS, GOOD
from why401.demo.mint import Mint
from why401.demo.requests import Caller
from why401.expectations.inputs import read
from why401.trace.prediction import Credential, predict
from why401.trace.walked import asked

ISSUER: Final = "https://idp.example.com/"
ENVOY: Final = f"""
static_resources:
  listeners:
  - filter_chains:
    - filters:
      - typed_config:
          route_config:
            virtual_hosts:
            - name: admin
              domains: [admin.example.com]
              routes:
              - match: {{prefix: /}}
                typed_per_filter_config:
                  envoy.filters.http.jwt_authn:
                    "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig
                    disabled: true
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: /teapot, headers: [{{name: ":method", string_match: {{exact: POST}}}}]}}
              - match: {{prefix: /}}
          http_filters:
          - name: envoy.filters.http.jwt_authn
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
              providers:
                shop: {{issuer: "{ISSUER}", audiences: [orders-api]}}
                tickets: {{issuer: "{ISSUER}", audiences: [tickets], from_headers: [{{name: x-ticket, value_prefix: "Token "}}]}}
              rules:
              - match: {{path: /healthz}}
              - match: {{prefix: /optional}}
                requires: {{requires_any: {{requirements: [{{provider_name: shop}}, {{allow_missing: {{}}}}]}}}}
              - match: {{prefix: /tickets}}
                requires: {{provider_name: tickets}}
              - match: {{prefix: /lost}}
                requires: {{provider_name: retired}}
              - match: {{prefix: /}}
                requires: {{provider_name: shop}}
"""
NGINX: Final = f"""
http {{
  map $jwt_claim_iss $iss {{ "{ISSUER}" 1; default 0; }}
  map $jwt_claim_aud $aud {{ orders-api 1; default 0; }}
  server {{
    server_name api.example.com;
    auth_jwt shop;
    auth_jwt_key_file /keys.json;
    auth_jwt_require $iss $aud;
    location / {{ proxy_pass http://shop; }}
    location ^~ /static/ {{ auth_jwt off; }}
    location = /ready {{ return 200; }}
    location ~ \\.png$ {{ auth_jwt off; }}
    location /sso/ {{ auth_jwt off; auth_request /_check; }}
    location = /_check {{ internal; proxy_pass http://judge; }}
  }}
  server {{ server_name open.example.com; location / {{ proxy_pass http://open; }} }}
}}
"""
TRAEFIK: Final = f"""
http:
  routers:
    all: {{rule: "PathPrefix(`/`)", middlewares: [guard@file], service: a}}
    ready: {{rule: "Path(`/ready`) || (Host(`health.example.com`) && !Method(`POST`))", service: a}}
    sso: {{rule: "PathPrefix(`/sso`)", priority: 900, middlewares: [ask], service: a}}
  middlewares:
    guard: {{chain: {{middlewares: [headers, tokens]}}}}
    headers: {{headers: {{frameDeny: true}}}}
    tokens: {{jwt: {{trustedIssuers: [{{issuer: "{ISSUER}", jwksUrl: "https://idp.example.com/keys"}}], audience: orders-api}}}}
    ask: {{forwardAuth: {{address: "http://judge:4180/"}}}}
"""
KRAKEND: Final = json.dumps({
    "version": 3,
    "endpoints": [
        {"endpoint": "/orders/{id}", "extra_config": {"auth/validator": {"issuer": ISSUER, "audience": ["orders-api"], "alg": "RS256"}}},
        {"endpoint": "/orders/ready", "backend": []},
    ],
})  # fmt: skip
CONFIGS: Final = {"envoy": ENVOY, "nginx": NGINX, "traefik": TRAEFIK, "krakend": KRAKEND}
NONE: Final = ""
# Gateway, request, token's audience (or none, or a header), code ("": it does not decide), and words of the answer or a step.
CASES: Final = (
    ("envoy", "GET /orders/1", "orders-api", "ok", "the rule /*"),
    ("envoy", "GET /orders/1", "billing-api", "audience_mismatch", "refused"),
    ("envoy", "GET /orders/1", NONE, "token_missing", "refused"),
    ("envoy", "GET https://admin.example.com/orders/1", NONE, "ok", "jwt_authn is disabled here"),
    ("envoy", "GET /healthz", NONE, "ok", "requires nothing"),
    ("envoy", "GET /optional", NONE, "ok", "/optional*"),
    ("envoy", "GET /optional", "billing-api", "audience_mismatch", "/optional*"),
    ("envoy", "GET /lost", "orders-api", "auth_not_configured", "retired"),
    ("envoy", "GET /tickets/1", "tickets", "token_missing", "'tickets'"),
    ("envoy", "GET /tickets/1", "x-ticket: Token tickets", "ok", "'tickets'"),
    ("nginx", "GET /orders/1", "billing-api", "audience_mismatch", "location /"),
    ("nginx", "GET /orders/1", "orders-api", "ok", "location /"),
    ("nginx", "GET /static/a.png", NONE, "ok", "location ^~ /static/"),
    ("nginx", "GET /orders/a.png", NONE, "ok", "the check is off"),
    ("nginx", "GET /ready", NONE, "ok", "`return` answers before the checks"),
    ("nginx", "GET /sso/x", "orders-api", "", "http://judge"),
    ("nginx", "GET https://open.example.com/orders/1", NONE, "ok", "no auth_jwt"),
    ("traefik", "GET /orders/1", "billing-api", "audience_mismatch", "'tokens'"),
    ("traefik", "GET /ready", NONE, "ok", "no middleware that checks"),
    ("traefik", "GET https://health.example.com/x", NONE, "ok", "router ready"),
    ("traefik", "POST https://health.example.com/x", NONE, "token_missing", "router all"),
    ("traefik", "GET /sso/x", "orders-api", "", "http://judge:4180/"),
    ("krakend", "GET /orders/1", "billing-api", "audience_mismatch", "endpoint /orders/{id}"),
    ("krakend", "GET /orders/ready", NONE, "ok", "no auth/validator"),
    ("krakend", "POST /orders/1", NONE, "ok", "404"),
)  # fmt: skip


def trace(folder: Path, gateway: str, request: str, token_: str | None, *options: str) -> Result:
    config = folder / "configuration"
    config.write_text(CONFIGS.get(gateway, gateway))
    given = ["--token", "none" if token_ == NONE else "-"] if token_ is not None else []
    return CliRunner().invoke(main, ["trace", request, *given, "--from", str(config), *options], input=_sent(token_))


def _sent(audience: str | None) -> str:
    """A token for an audience, behind whatever stands in front of it."""
    before, _, name = (audience or "").rpartition(" ")
    return f"{before} {token(aud=name)}".strip() if audience else ""


@pytest.mark.parametrize(("gateway", "request_", "sent", "code", "words"), CASES)
def test_a_request_comes_to_where_the_gateway_would_take_it(
    tmp_path: Path, gateway: str, request_: str, sent: str, code: str, words: str
) -> None:
    """Which route serves it, which check is enabled there, and what that check makes of the token."""
    result = trace(tmp_path, gateway, request_, sent, "--json")
    told: dict[str, Any] = json.loads(result.stdout)

    assert (code or None, int(code not in ("", "ok"))) == (told["code"], result.exit_code)
    assert words in " ".join([told["answer"], *(step["says"] for step in told["steps"])])


def test_the_steps_are_printed_in_order_with_their_places_and_what_is_not_told(tmp_path: Path) -> None:
    """A person sees the way, the answer with its fix, and what the files cannot tell; nothing of the token."""
    said = trace(tmp_path, "nginx", "GET /orders/1", "billing-api").stdout

    assert [line.split()[1] for line in said.splitlines() if line[:4].strip().isdigit()] == [
        "route", "check", "provider", "answer",
    ]  # fmt: skip
    assert "configuration:7" in said
    assert "✗ audience_mismatch" in said
    assert "fix " in said
    assert "not told    the signature" in said
    assert "eyJ" not in said


@pytest.mark.parametrize("request_", ["", "GET", "GET /a /b", "G3T /a", "GET http://["])
def test_what_is_no_request_is_an_error_that_says_what_is_expected(tmp_path: Path, request_: str) -> None:
    """Exit status 2 and an example."""
    result = trace(tmp_path, "nginx", request_, NONE)

    assert result.exit_code == 2
    assert "expected METHOD and path" in result.stderr


def test_without_a_token_only_the_way_is_told(tmp_path: Path) -> None:
    """Nothing is assumed about a credential that was not given."""
    assert "give --token to have it judged" in trace(tmp_path, "envoy", "GET /orders/1", None).stdout


# Codes of the demo's faults that jwt_authn decides by its own configuration and the token.
DECIDED: Final = frozenset({
    "audience_mismatch", "audience_missing", "issuer_not_trusted", "issuer_missing", "token_expired", "token_missing",
    "token_malformed", "token_truncated", "scheme_invalid", "alg_not_allowed", "alg_none", "auth_not_configured", "ok",
})  # fmt: skip
UNTOLD: Final = {
    "token-absent-rbac": "RBAC refuses what jwt_authn lets pass without a token",
    "scheme-lower-case": "most gateways take `bearer`; that Envoy does not is told by its message only",
    "alg-ps256": "the key set says which algorithm each key serves, and it is not fetched here",
}


def test_envoys_answer_is_predicted_by_its_bootstrap(tmp_path: Path) -> None:
    """Of the demo's faults, whose codes the real Envoy confirms, those that jwt_authn decides."""
    mint, config = Mint(), tmp_path / "bootstrap.json"
    ports = Ports(services=1, otlp=2, nothing=3)
    config.write_text(json.dumps(bootstrap(mint, ports, "/log", instance="edge", jwks_cache_s=300)))
    found = read([str(config)])
    wrong = {}
    cases = [one for one in (*GOOD, *FAULTS) if getattr(one, "code", "ok") in DECIDED]
    for one in cases:
        sent = one.build(Caller(mint))
        value = ", ".join(value for name, value in sent.headers if name == "authorization")
        wanted = asked(f"{sent.method} {sent.path.partition(' ')[0]}")
        (told,) = predict(found, wanted, Credential(value=value), fetch=False)
        if told.code != getattr(one, "code", "ok"):
            wrong[one.name] = told.code

    assert len(cases) >= 40
    assert set(wrong) == set(UNTOLD), wrong
