"""A small DuckLake with two hours of believable traffic, under the names of the public views.

Four gateways, three issuers, one key rotation 34 minutes before `now`, fourteen groups over all causes. The tables
stand where the store's views will: the dashboard cannot tell. `hostile=True` puts markup into what attackers control.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

HERE = Path(__file__).parent
LOGIN = "https://login.example.com/"
PARTNER = "https://partners.example.net/oauth2"
STAGING = "https://login.staging.example.com/"
HOSTILE = (
    "https://evil.example/<img src=x onerror=alert(1)>![p](https://evil.example/p.png)"
    "<script>alert(2)</script>[go](javascript:alert(3)):red[x] $\\frac{1}{2}$"
)
OLD_KID, NEW_KID = "2026-08-a", "2026-11-b"
CLAIMS = ("aud", "exp", "iat", "iss", "jti", "scope", "sub")
GATEWAYS = {
    "envoy": ("edge-1", "edge-2"),
    "kong": ("kong-eu-0", "kong-eu-1"),
    "apisix": ("apisix-0", "apisix-1"),
    "nginx": ("ingress-a",),
}
ROUTES = ("/orders/{id}", "/orders", "/payments", "/profile", "/reports/{id}", "/search")
CLIENTS = ("web-shop", "mobile-app", "partner-batch", "reporting")


@dataclass(frozen=True, slots=True)
class Fault:
    """One group: what its failures look like, from `start` to `end` minutes before now, `rate` a minute."""

    group_id: str
    cause: str
    code: str
    title: str
    status: str
    start: int
    rate: float
    gateways: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]
    fix: tuple[tuple[str, str], ...]
    end: int = 0
    slope: float = 1.0
    reason: str = ""
    message: str = ""
    near_miss: str = ""
    library: str = ""
    rivals: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    suspect: str | None = None
    confidence: float = 0.95
    issuer: str = LOGIN
    clients: tuple[str, ...] = CLIENTS
    routes: tuple[str, ...] = ROUTES
    kid: str = NEW_KID
    alg: str = "RS256"
    claims: tuple[str, ...] = CLAIMS
    outcome: str = "denied"
    status_code: int = 401
    responder: str = "gateway"
    kind: str = "jws"
    discriminant: str = "the issuer's key set"
    audiences: tuple[str, ...] = ("https://api.example.com",)
    iat_s: float = -240.0
    exp_s: float = 3360.0
    extra: dict[str, Any] = field(default_factory=dict)


FAULTS = (
    Fault(
        "v1-4be1c0ffee000001", "issuer", "key_not_found", "Envoy has not learned the issuer's new signing key",
        "new", 34, 14, ("envoy",),
        (
            ("token", f"kid {NEW_KID} was first seen 34 min ago; tokens with {OLD_KID} still pass"),
            ("message", "Jwks doesn't have key to match kid or alg from Jwt"),
            ("key set", "last refreshed by this gateway 3 h 20 min ago"),
        ),
        (
            ("In jwt_authn set remote_jwks.cache_duration to 300s and add async_fetch, so that new keys arrive before tokens do.",
             "https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/jwt_authn/v3/config.proto"),
            ("Ask the issuer to publish a key at least one cache lifetime before it signs with it.", "RFC 7517, section 4.5"),
        ),
        reason="jwt_authn_access_denied{Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt}",
        suspect=f"kid {NEW_KID} first seen at {LOGIN}, 2 min before",
        rivals=(("signature_invalid", "the verifier found no key at all, so no signature was checked"),),
    ),
    Fault(
        "v1-4be1c0ffee000002", "issuer", "audience_mismatch", "The audience has a trailing slash that the gateways do not expect",
        "escalating", 118, 3, ("envoy", "kong", "apisix"),
        (("token", "aud is https://api.example.com/"), ("configuration", "the gateways expect https://api.example.com")),
        (("Add the audience with the slash to jwt_authn providers.audiences, or register the API without it at the issuer.", "RFC 7519, section 4.1.3"),),
        slope=3.2, message="Audiences in Jwt are not allowed", audiences=("https://api.example.com/",),
        near_miss="`https://api.example.com/` against `https://api.example.com`: trailing slash", clients=("mobile-app",),
        rivals=(("issuer_not_trusted", "the same issuer passes 98 % of its requests"),),
        suspect="config_loaded on kong-eu-0, 9 min before", discriminant="expected audience, trailing slash",
    ),
    Fault(
        "v1-4be1c0ffee000003", "issuer", "issuer_not_trusted", "Tokens of the staging issuer reach production",
        "ongoing", 120, 1.2, ("kong", "nginx"),
        (("token", f"iss is {STAGING}"), ("traffic", "no request of this issuer has ever passed here")),
        (("Point the client at the production issuer.", "why401 knowledge base"),),
        issuer=STAGING, message="No credentials found for given 'iss'", clients=("reporting",), discriminant="issuer of another environment",
    ),
    Fault(
        "v1-4be1c0ffee000004", "issuer", "clock_skew", "The clock of apisix-1 runs 95 s behind the issuer",
        "regressed", 52, 2.5, ("apisix",),
        (("time", "iat lies 95 s in the verifier's future; its leeway is 60 s"), ("traffic", "apisix-0 accepts the same tokens")),
        (("Start NTP on apisix-1.", "RFC 7519, section 4.1.6"),),
        message="'iat' claim not valid until", iat_s=95.0, exp_s=3695.0, extra={"gateway_instance": "apisix-1"},
        library="lua-resty-jwt", suspect=None, discriminant="one verifier's clock", confidence=0.88,
    ),
    Fault(
        "v1-4be1c0ffee000005", "format", "user_claim_missing", "Tokens carry no sub, and the user is read from sub",
        "new", 21, 4, ("kong", "nginx"),
        (("token", "sub is absent; azp and client_id are there"), ("configuration", "user_claim is sub")),
        (("Let mobile-app use the authorization code grant; client credentials tokens carry no user.", "RFC 9068, section 2.2"),),
        claims=("aud", "azp", "client_id", "exp", "iat", "iss", "jti", "scope"), clients=("mobile-app",),
        message="no mandatory 'sub' in claims", suspect="client mobile-app: first token without sub, same minute",
        rivals=(("claim_renamed", "no other claim holds a user"),), discriminant="mobile-app, claim sub",
    ),
    Fault(
        "v1-4be1c0ffee000006", "format", "scheme_invalid", "The word Bearer stands twice before the token",
        "ongoing", 120, 0.8, ("envoy", "nginx"), (("token", "the Authorization header starts with Bearer Bearer"),),
        (("Remove the prefix in the client: its HTTP library adds one.\nheaders:\n  authorization: ${token}", "RFC 6750, section 2.1"),),
        reason="jwt_authn_access_denied{Jwt_is_not_in_the_form_of_Header.Payload.Signature_with_two_dots_and_3_sections}",
        clients=("partner-batch",), issuer=PARTNER, discriminant="partner-batch, doubled scheme", audiences=(),
    ),
    Fault(
        "v1-4be1c0ffee000007", "format", "token_truncated", "The token was cut at 4,096 characters",
        "quiet", 110, 0.9, ("nginx",), (("token", "the signature is 112 bytes short for RS256"),),
        (("Raise large_client_header_buffers to 4 16k.", "https://nginx.org/en/docs/http/ngx_http_core_module.html"),),
        end=66, clients=("web-shop",), discriminant="web-shop, cut signature", confidence=0.9,
    ),
    Fault(
        "v1-4be1c0ffee000008", "library", "alg_not_allowed", "The NGINX module cannot verify EdDSA",
        "ongoing", 120, 0.7, ("nginx",), (("token", "alg is EdDSA"), ("message", "unsupported algorithm")),
        (("Sign with ES256, or upgrade the module.", "RFC 8037"),),
        alg="EdDSA", issuer=PARTNER, library="ngx_http_auth_jwt", message="JWT: unsupported algorithm",
        clients=("partner-batch",), discriminant="ngx_http_auth_jwt, EdDSA",
    ),
    Fault(
        "v1-4be1c0ffee000009", "library", "claim_representation", "aud is a list, and the library reads only text",
        "ongoing", 95, 0.6, ("apisix",), (("token", "aud is an array of two"), ("message", "claim aud is not a string")),
        (("Upgrade lua-resty-jwt to 0.2.3 or ask for one audience.", "RFC 7519, section 4.1.3"),),
        library="lua-resty-jwt", audiences=("orders", "payments"), clients=("reporting",), discriminant="lua-resty-jwt, claim aud",
        confidence=0.82,
    ),
    Fault(
        "v1-4be1c0ffee00000a", "gateway", "jwks_unreachable", "Kong cannot fetch the partner's keys: DNS lookup fails",
        "escalating", 75, 1.5, ("kong",), (("message", "failed to fetch JWKS: name resolution failed"), ("traffic", "the other gateways reach the same key set")),
        (("Allow egress from kong to partners.example.net:443 and set resolver in nginx_http_resolver.", "https://docs.konghq.com/gateway/latest/reference/configuration/"),),
        slope=2.8, outcome="error", status_code=500, issuer=PARTNER, message="failed to fetch JWKS", clients=("partner-batch",),
        discriminant="kong, resolver", missing=("the gateway's error log at level debug names the resolver that failed",), confidence=0.91,
    ),
    Fault(
        "v1-4be1c0ffee00000b", "gateway", "preflight_blocked", "CORS preflights are asked for a token they never carry",
        "ongoing", 120, 1.6, ("envoy",), (("request", "method is OPTIONS with Access-Control-Request-Method"),),
        (("Put the cors filter before jwt_authn, or exempt OPTIONS in its rules.", "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter"),),
        reason="jwt_authn_access_denied{Jwt_is_missing}", kind="absent", issuer="", clients=("",), kid="", alg="", claims=(),
        audiences=(), discriminant="envoy, cors filter", extra={"method": "OPTIONS", "user_hash": None},
    ),
    Fault(
        "v1-4be1c0ffee00000c", "policy", "token_expired", "Clients keep using tokens after they expired",
        "ongoing", 120, 6, ("envoy", "kong", "apisix", "nginx"), (("time", "exp was 12 min before the request; the gateway allows 60 s"),),
        (("Renew the token when a quarter of its lifetime is left.", "RFC 6749, section 6"),),
        reason="jwt_authn_access_denied{Jwt_is_expired}", iat_s=-4320.0, exp_s=-720.0, discriminant="lifetime", confidence=0.99,
        rivals=(("clock_skew", "12 min is far beyond any clock"),),
    ),
    Fault(
        "v1-4be1c0ffee00000d", "policy", "scope_insufficient", "Reports need reports:read, and the token lacks it",
        "ongoing", 120, 0.9, ("apisix",), (("token", "scope holds orders:read"), ("message", "scope reports:read required")),
        (("Grant reports:read to client reporting at the issuer.", "RFC 6750, section 3.1"),),
        routes=("/reports/{id}",), clients=("reporting",), status_code=403, responder="authorizer", discriminant="scope reports:read",
    ),
    Fault(
        "v1-4be1c0ffee00000e", "unknown", "unclassified", "The gateway gave no reason that is known",
        "ongoing", 120, 0.4, ("kong",), (("status", "401 without message"),), (),
        message="access phase aborted: <*>", responder="upstream", confidence=0.2, kind="unknown", issuer="", clients=("",), claims=(),
        missing=("log the plugin's error at level info",), discriminant="message template",
    ),
)  # fmt: skip


def build(data_dir: Path, now: datetime | None = None, *, hostile: bool = False, seed: int = 401) -> Path:
    """Create the lake in `data_dir`, with traffic up to `now`, and return the catalog's path."""
    now = now or datetime.now(UTC)
    rng = random.Random(seed)
    (data_dir / "data").mkdir(parents=True, exist_ok=True)
    with connect(data_dir) as con:
        con.execute((HERE / "lake_schema.sql").read_text())
        _insert(con, "failures", list(_failures(rng, now, hostile)))
        _insert(con, "traffic", list(_allowed(rng, now)))
        con.execute(
            "CREATE TABLE group_facts (group_id VARCHAR, status VARCHAR, suspect_change VARCHAR, discriminant VARCHAR)"
        )
        con.executemany(
            "INSERT INTO group_facts VALUES (?, ?, ?, ?)",
            [(f.group_id, f.status, f.suspect, f.discriminant) for f in FAULTS],
        )
        _derive(con, now)
        _insert_history(con, now)
    return data_dir / "catalog.sqlite"


def connect(data_dir: Path) -> duckdb.DuckDBPyConnection:
    """A writer's connection to the lake of `data_dir`."""
    con = duckdb.connect(config={"autoinstall_known_extensions": False})
    for name in ("ducklake", "sqlite_scanner"):
        root = Path(str(import_module(f"duckdb_extension_{name}").__file__)).parent
        con.execute(f"LOAD '{root}/extensions/v{duckdb.__version__}/{name}.duckdb_extension'")
    con.execute(
        f"ATTACH 'ducklake:sqlite:{data_dir}/catalog.sqlite' AS lake (DATA_PATH '{data_dir}/data', META_JOURNAL_MODE 'WAL')"
    )
    con.execute("USE lake")
    return con


def _derive(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    for statement in duckdb.extract_statements((HERE / "lake_derived.sql").read_text()):
        con.execute(statement, {"now": now} if statement.named_parameters else None)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    schema = con.execute(f"SELECT * FROM {table} LIMIT 0").to_arrow_table().schema
    con.register("incoming", pa.Table.from_pylist(rows, schema=schema))
    con.execute(f"INSERT INTO {table} SELECT * FROM incoming")
    con.unregister("incoming")


def _failures(rng: random.Random, now: datetime, hostile: bool) -> Iterator[dict[str, Any]]:
    for fault in FAULTS:
        for minute in range(fault.start, fault.end, -1):
            grown = 1 + (fault.slope - 1) * (1 - minute / fault.start)
            for _ in range(_poisson(rng, fault.rate * grown)):
                yield _failure(rng, fault, now - timedelta(minutes=minute - rng.random()), hostile)


def _failure(rng: random.Random, fault: Fault, at: datetime, hostile: bool) -> dict[str, Any]:
    gateway = rng.choice(fault.gateways)
    bad = hostile and fault.code == "issuer_not_trusted"
    row = {
        "event_time": at, "observed_time": at + timedelta(seconds=0.4), "gateway": gateway,
        "gateway_instance": rng.choice(GATEWAYS[gateway]), "gateway_version": "1.39.0", "method": rng.choice(("GET", "GET", "POST")),
        "route": rng.choice(fault.routes), "host": "api.example.com", "status": fault.status_code, "outcome": fault.outcome,
        "responder": fault.responder, "code": fault.code, "cause": fault.cause, "confidence": fault.confidence,
        "group_id": fault.group_id, "title": HOSTILE if bad else fault.title, "near_miss": fault.near_miss, "library": fault.library,
        "also": [], "evidence": [{"source": s, "says": HOSTILE if bad else t} for s, t in fault.evidence],
        "rivals": [{"code": c, "why_not": w} for c, w in fault.rivals], "missing": list(fault.missing),
        "fix": [{"says": HOSTILE if bad else s, "source": u} for s, u in fault.fix], "client_address": f"203.0.113.{rng.randrange(4) * 64}/24",
        "user_agent": "curl", "trace_id": f"{rng.getrandbits(128):032x}", "request_id": f"{rng.getrandbits(64):016x}",
        "reason": fault.reason, "message": HOSTILE if bad else fault.message, "challenge": "", "flags": "UAEX" if gateway == "envoy" else "",
        "body_bytes": 22, "upstream_status": 401 if fault.responder == "upstream" else 0, "token_kind": fault.kind, "scheme": "bearer",
        "location": "authorization", "credentials": 1, "token_size": 812, "parts": [36, 430, 342], "signature_bytes": 256,
        "alg": fault.alg, "typ": "at+jwt", "kid": fault.kid, "issuer": HOSTILE if bad else fault.issuer, "audiences": list(fault.audiences),
        "client_id": rng.choice(fault.clients), "scopes": ["orders:read"], "claims": [(name, "string") for name in fault.claims],
        "anomalies": [], "verification": "not_checked", "user_hash": f"u{int(rng.paretovariate(1.1) * 7) % 900:04d}", "key_epoch": 1,
        "iat_offset_s": fault.iat_s + rng.gauss(0, 3), "nbf_offset_s": None, "exp_offset_s": fault.exp_s + rng.gauss(0, 3),
        "origin_kind": "kafka", "origin_source": f"{gateway}.access", "origin_partition": 0, "origin_offset": rng.getrandbits(32),
    }  # fmt: skip
    return row | fault.extra


def _allowed(rng: random.Random, now: datetime) -> Iterator[dict[str, Any]]:
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=120)
    for minute in range(121):
        for gateway, instances in GATEWAYS.items():
            for client in CLIENTS:
                yield {
                    "minute": start + timedelta(minutes=minute), "gateway": gateway, "gateway_instance": rng.choice(instances),
                    "route": rng.choice(ROUTES), "issuer": PARTNER if client == "partner-batch" else LOGIN, "client_id": client,
                    "outcome": "allowed", "responder": "upstream", "requests": _poisson(rng, 90 if gateway == "envoy" else 40),
                }  # fmt: skip


def _insert_history(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    ago = lambda minutes: now - timedelta(minutes=minutes)  # noqa: E731 - one word for many dates
    con.executemany(
        "INSERT INTO changes VALUES (?, ?, ?, ?, ?, false)",
        [
            (ago(36), "kid_first_seen", NEW_KID, "", f"{LOGIN} signs with kid {NEW_KID}"),
            (ago(29), "jwks_refreshed", LOGIN, "kong", "2 keys"),
            (ago(84), "config_loaded", "kong-eu-0", "kong", "routes reloaded"),
            (ago(119), "issuer_first_seen", STAGING, "nginx", "never seen before"),
        ],
    )
    con.executemany(
        "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (LOGIN, OLD_KID, "RS256", 41_210, 310, ago(120), ago(1), ago(120), ago(1)),
            (LOGIN, NEW_KID, "RS256", 3_820, 640, ago(36), ago(0), ago(33), ago(0)),
            (PARTNER, "partner-1", "RS256", 9_120, 71, ago(120), ago(1), ago(120), ago(1)),
            (PARTNER, "ed-1", "EdDSA", 0, 83, ago(120), ago(2), None, None),
        ],
    )
    con.executemany(
        "INSERT INTO token_shapes VALUES (?, ?, 'jws', 'RS256', 'at+jwt', ?, ?, 0, ?)",
        [(LOGIN, client, list(CLAIMS), count, now) for client, count in zip(CLIENTS, (420, 130, 90, 44), strict=True)]
        + [(PARTNER, "partner-batch", ["aud", "exp", "iat", "iss", "sub"], 77, now)],
    )
    con.executemany(
        "INSERT INTO unclassified VALUES (?, ?, ?, ?, ?, ?)",
        [
            ("upstream prematurely closed connection while reading <*>", "not_auth", "nginx", 210, ago(118), ago(3)),
            ("[lua] handler.lua:<*> plugin rate-limiting: <*>", "no_parser", "kong", 64, ago(80), ago(7)),
        ],
    )
    con.execute(
        "INSERT INTO templates SELECT 't-' || left(sha256(template), 8), template, template, [gateway], [reason], "
        "records, 1, first_seen, last_seen FROM unclassified"
    )
    con.executemany(
        "INSERT INTO pipeline VALUES (?, 'dropped', ?, ?)",
        [(ago(m), reason, n) for m in range(3, 110, 9) for reason, n in (("no_parser", 7), ("bad_json", 1))],
    )
    con.execute(
        "INSERT INTO raw_credentials VALUES ('envoy', 'authorization', 1200, ?, ?, 'Leave %REQ(AUTHORIZATION)% out', 'docs')",
        (ago(110), ago(2)),
    )
    con.executemany(
        "INSERT INTO positions VALUES (?, ?, ?, ?)",
        [
            (f"{gateway}.access", 0, 48_000 + n * 731, now - timedelta(seconds=4 + n))
            for n, gateway in enumerate(GATEWAYS)
        ],
    )


def _poisson(rng: random.Random, mean: float) -> int:
    """Gaussian approximation for large means, exact inversion for small ones."""
    if mean > 30:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    count, product, floor = 0, rng.random(), 2.718281828459045**-mean
    while product > floor:
        count, product = count + 1, product * rng.random()
    return count
