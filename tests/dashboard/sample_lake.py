"""A lake with two hours of believable traffic, written by the writer itself: the pages see what a user would see.

Four gateways, three issuers, one key rotation 34 minutes before `now`, fourteen groups over all causes and all states.
`hostile=True` puts markup into what attackers control.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from analyzer.store import Store, open_store
from analyzer.store.changes import Change, ChangeKind
from analyzer.store.group_state import Decision, State
from analyzer.verdicts import Diagnosis, Evidence, Fix, Group, Rival, Verdict
from collector.events import (
    Event,
    Gateway,
    Origin,
    Outcome,
    Request,
    Responder,
    TokenFacts,
    TokenKind,
    TokenTimes,
    Words,
)
from collector.records import Position
from collector.settings import Settings, StoreSettings
from collector.telemetry import Telemetry

LOGIN = "https://login.example.com/"
PARTNER = "https://partners.example.net/oauth2"
STAGING = "https://login.staging.example.com/"
HOSTILE = (
    "https://evil.example/<img src=x onerror=alert(1)>![p](https://evil.example/p.png)"
    "<script>alert(2)</script>[go](javascript:alert(3)):red[x] $\\frac{1}{2}$"
)
OLD_KID, NEW_KID = "2026-08-a", "2026-11-b"
CLAIMS = ("aud", "exp", "iat", "iss", "jti", "scope", "sub")
PARTNER_CLAIMS = ("aud", "exp", "iat", "iss", "sub")
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
    surge: float = 1.0  # times the rate in the last hour
    reason: str = ""
    message: str = ""
    near_miss: str = ""
    expected: str = ""
    received: str = ""
    missing_scope: str = ""
    library: str = ""
    rivals: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    suspect: str | None = None
    confidence: float = 0.95
    issuer: str = LOGIN
    clients: tuple[str, ...] = CLIENTS
    routes: tuple[str, ...] = ROUTES
    kid: str = OLD_KID
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
    instance: str = ""
    method: str = ""
    has_user: bool = True


FAULTS = (
    Fault(
        "v1-4be1c0ffee000001", "issuer", "key_not_found", "Envoy has not learned the issuer's new signing key",
        "new", 34, 9, ("envoy",),
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
        suspect=f"kid first seen: {NEW_KID} {LOGIN}", kid=NEW_KID,
        rivals=(("signature_invalid", "the verifier found no key at all, so no signature was checked"),),
    ),
    Fault(
        "v1-4be1c0ffee000002", "issuer", "audience_mismatch", "The audience has a trailing slash that the gateways do not expect",
        "escalating", 118, 0.7, ("envoy", "kong", "apisix"),
        (("token", "aud is https://api.example.com/"), ("configuration", "the gateways expect https://api.example.com")),
        (("Add the audience with the slash to jwt_authn providers.audiences, or register the API without it at the issuer.", "RFC 7519, section 4.1.3"),),
        surge=7, message="Audiences in Jwt are not allowed", audiences=("https://api.example.com/",),
        near_miss="`https://api.example.com/` against `https://api.example.com`: trailing slash", clients=("mobile-app",),
        expected="https://api.example.com", received="https://api.example.com/",
        rivals=(("issuer_not_trusted", "the same issuer passes 98 % of its requests"),),
        discriminant="expected audience, trailing slash",
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
        "regressed", 115, 1.2, ("apisix",),
        (("time", "iat lies 95 s in the verifier's future; its leeway is 60 s"), ("traffic", "apisix-0 accepts the same tokens")),
        (("Start NTP on apisix-1.", "RFC 7519, section 4.1.6"),),
        message="'iat' claim not valid until", iat_s=95.0, exp_s=3695.0, instance="apisix-1",
        library="lua-resty-jwt", discriminant="one verifier's clock", confidence=0.88,
    ),
    Fault(
        "v1-4be1c0ffee000005", "format", "user_claim_missing", "Tokens carry no sub, and the user is read from sub",
        "new", 21, 4, ("kong", "nginx"),
        (("token", "sub is absent; azp and client_id are there"), ("configuration", "user_claim is sub")),
        (("Let mobile-app use the authorization code grant; client credentials tokens carry no user.", "RFC 9068, section 2.2"),),
        claims=("aud", "azp", "client_id", "exp", "iat", "iss", "jti", "scope"), clients=("mobile-app",),
        message="no mandatory 'sub' in claims",
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
        alg="EdDSA", kid="ed-1", issuer=PARTNER, library="ngx_http_auth_jwt", message="JWT: unsupported algorithm",
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
        "escalating", 75, 0.4, ("kong",), (("message", "failed to fetch JWKS: name resolution failed"), ("traffic", "the other gateways reach the same key set")),
        (("Allow egress from kong to partners.example.net:443 and set resolver in nginx_http_resolver.", "https://docs.konghq.com/gateway/latest/reference/configuration/"),),
        surge=5, outcome="error", status_code=500, issuer=PARTNER, message="failed to fetch JWKS", clients=("partner-batch",),
        discriminant="kong, resolver", missing=("the gateway's error log at level debug names the resolver that failed",), confidence=0.91,
    ),
    Fault(
        "v1-4be1c0ffee00000b", "gateway", "preflight_blocked", "CORS preflights are asked for a token they never carry",
        "ongoing", 120, 1.6, ("envoy",), (("request", "method is OPTIONS with Access-Control-Request-Method"),),
        (("Put the cors filter before jwt_authn, or exempt OPTIONS in its rules.", "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter"),),
        reason="jwt_authn_access_denied{Jwt_is_missing}", kind="absent", issuer="", clients=("",), kid="", alg="", claims=(),
        audiences=(), discriminant="envoy, cors filter", method="OPTIONS", has_user=False,
    ),
    Fault(
        "v1-4be1c0ffee00000c", "policy", "token_expired", "Clients keep using tokens after they expired",
        "ongoing", 120, 3, ("envoy", "kong", "apisix", "nginx"), (("time", "exp was 12 min before the request; the gateway allows 60 s"),),
        (("Renew the token when a quarter of its lifetime is left.", "RFC 6749, section 6"),),
        reason="jwt_authn_access_denied{Jwt_is_expired}", iat_s=-4320.0, exp_s=-720.0, discriminant="lifetime", confidence=0.99,
        rivals=(("clock_skew", "12 min is far beyond any clock"),),
    ),
    Fault(
        "v1-4be1c0ffee00000d", "policy", "scope_insufficient", "Reports need reports:read, and the token lacks it",
        "ongoing", 120, 0.9, ("apisix",), (("token", "scope holds orders:read"), ("message", "scope reports:read required")),
        (("Grant reports:read to client reporting at the issuer.", "RFC 6750, section 3.1"),),
        routes=("/reports/{id}",), clients=("reporting",), status_code=403, responder="authorizer", discriminant="scope reports:read",
        expected="reports:read", received="orders:read orders:write", missing_scope="reports:read",
    ),
    Fault(
        "v1-4be1c0ffee00000e", "unknown", "unclassified", "The gateway gave no reason that is known",
        "ongoing", 120, 0.4, ("kong",), (("status", "401 without message"),), (),
        message="access phase aborted: code 7", responder="upstream", confidence=0.2, kind="unknown", issuer="", clients=("",), claims=(),
        missing=("log the plugin's error at level info",), discriminant="message template",
    ),
)  # fmt: skip


def build(data_dir: Path, now: datetime | None = None, *, hostile: bool = False, seed: int = 401) -> None:
    """Create the lake in `data_dir`, with traffic up to `now`."""
    now = now or datetime.now(UTC)
    rng = random.Random(seed)
    verdicts = sorted(_verdicts(rng, now, hostile), key=lambda verdict: verdict.event.time_ns)
    ends = [Position(f"{gateway}.access", 0, 0, len(verdicts)) for gateway in GATEWAYS]
    with opened(data_dir) as store:
        store.append(verdicts, ends, {("received", ""): len(verdicts)})
        store.record(
            Change(
                at=now - timedelta(minutes=29),
                kind=ChangeKind.JWKS_REFRESHED,
                subject=LOGIN,
                gateway="kong",
                detail="2 keys",
            )
        )
        store.record(
            Change(
                at=now - timedelta(minutes=84),
                kind=ChangeKind.CONFIG_LOADED,
                subject="kong-eu-0",
                gateway="kong",
                detail="routes reloaded",
            )
        )
        resolved = now - timedelta(minutes=55)
        for fault in (fault for fault in FAULTS if fault.status == "regressed"):
            store.decide(Decision(group_id=fault.group_id, author="ana", state=State.RESOLVED, at=resolved))
        # The page freezes five minutes after the last commit; a slow machine shall not see that.
        store.rows("UPDATE store.offsets SET moved_at = now() + INTERVAL 1 DAY")


@contextmanager
def opened(data_dir: Path) -> Iterator[Store]:
    """The writer's store of a data directory, created when needed."""
    store = open_store(settings(data_dir), Telemetry())
    try:
        yield store
    finally:
        store.close()


def settings(data_dir: Path) -> Settings:
    """Settings of a lake in `data_dir`; one passing request in twenty is kept whole."""
    return replace(Settings(), data_dir=str(data_dir), store=StoreSettings(sample_allowed=20))


def unread(reason: str, message: str, at: datetime, gateway: str) -> Verdict:
    """A record that no parser read."""
    event = Event(
        time_ns=_ns(at), observed_ns=_ns(at), origin=Origin("file", "access.log"), gateway=Gateway(gateway),
        outcome=Outcome.UNREAD, words=Words(reason=reason, message=message),
    )  # fmt: skip
    return Verdict(event)


def _verdicts(rng: random.Random, now: datetime, hostile: bool) -> Iterator[Verdict]:
    offsets = count()
    for fault in FAULTS:
        shown = _hostile(fault) if hostile and fault.code == "issuer_not_trusted" else fault
        yield from _failures(rng, shown, now, offsets)
    yield from _allowed(rng, now, offsets)
    for minute in range(3, 110, 9):
        at = now - timedelta(minutes=minute)
        yield unread(
            "no_parser", f"upstream prematurely closed connection while reading {minute * 7} bytes", at, "nginx"
        )
        yield unread("bad_json", f"[lua] handler.lua:{minute} plugin rate-limiting failed", at, "kong")


def _hostile(fault: Fault) -> Fault:
    return replace(
        fault,
        title=HOSTILE,
        issuer=HOSTILE,
        expected=HOSTILE,
        received=HOSTILE,
        message=HOSTILE,
        evidence=tuple((source, HOSTILE) for source, _ in fault.evidence),
        fix=tuple((HOSTILE, source) for _, source in fault.fix),
    )


def _failures(rng: random.Random, fault: Fault, now: datetime, offsets: Iterator[int]) -> Iterator[Verdict]:
    diagnosis, group = (
        _diagnosis(fault),
        Group(fault.group_id, "v1", (("code", fault.code), ("discriminant", fault.discriminant))),
    )
    for minute in range(fault.start, fault.end, -1):
        for _ in range(_poisson(rng, fault.rate * (fault.surge if minute <= 60 else 1))):
            at = now - timedelta(minutes=minute - rng.random())
            yield Verdict(_failure(rng, fault, at, next(offsets)), diagnosis, group)


def _diagnosis(fault: Fault) -> Diagnosis:
    return Diagnosis(
        code=fault.code,
        cause=fault.cause,
        confidence=fault.confidence,
        title=fault.title,
        evidence=tuple(Evidence(source, says) for source, says in fault.evidence),
        rivals=tuple(Rival(code, why) for code, why in fault.rivals),
        missing=fault.missing,
        fix=tuple(Fix(says, source) for says, source in fault.fix),
        near_miss=fault.near_miss,
        expected=fault.expected,
        received=fault.received,
        missing_scope=fault.missing_scope,
        library=fault.library,
        discriminant=fault.discriminant,
    )


def _failure(rng: random.Random, fault: Fault, at: datetime, offset: int) -> Event:
    gateway = rng.choice(fault.gateways)
    user = f"u{int(rng.paretovariate(1.1) * 7) % 900:04d}" if fault.has_user else ""
    token = _token(gateway, fault.issuer, rng.choice(fault.clients), fault.kid)
    return Event(
        time_ns=_ns(at),
        observed_ns=_ns(at + timedelta(seconds=0.4)),
        origin=Origin("kafka", f"{gateway}.access", 0, offset),
        gateway=Gateway(gateway, fault.instance or rng.choice(GATEWAYS[gateway]), "1.39.0"),
        outcome=Outcome(fault.outcome),
        responder=Responder(fault.responder),
        request=Request(
            method=fault.method or rng.choice(("GET", "GET", "POST")), route=rng.choice(fault.routes), host="api.example.com",
            status=fault.status_code, client=f"203.0.113.{rng.randrange(4) * 64}/24", user_agent="curl",
            trace_id=f"{rng.getrandbits(128):032x}", request_id=f"{rng.getrandbits(64):016x}",
        ),
        words=Words(reason=fault.reason, message=fault.message, flags="UAEX" if gateway == "envoy" else "", body_bytes=22),
        token=replace(
            token, kind=TokenKind(fault.kind), alg=fault.alg, aud=fault.audiences, user=user,
            claims=tuple((name, "string") for name in fault.claims),
        ),
        times=TokenTimes(iat_s=fault.iat_s + rng.gauss(0, 3), exp_s=fault.exp_s + rng.gauss(0, 3)),
    )  # fmt: skip


def _token(gateway: str, issuer: str, client: str, kid: str) -> TokenFacts:
    """Envoy logs whole tokens here, the others cut the signature off."""
    return TokenFacts(
        kind=TokenKind.JWS, scheme="bearer", location="authorization", credentials=1, size=812, parts=(36, 430, 342),
        signature_bytes=256 if gateway == "envoy" else 0, alg="RS256", typ="at+jwt", kid=kid, iss=issuer,
        aud=("https://api.example.com",), client=client, scopes=("orders:read",), key_epoch=1,
    )  # fmt: skip


def _allowed(rng: random.Random, now: datetime, offsets: Iterator[int]) -> Iterator[Verdict]:
    for kind, instances in GATEWAYS.items():
        gateways = [Gateway(kind, instance, "1.39.0") for instance in instances]
        for client in CLIENTS:
            tokens = _good_tokens(kind, client)
            for minute in range(120, -1, -1):
                at = now - timedelta(minutes=minute) if minute else now - timedelta(seconds=rng.random() * 20)
                for _ in range(_poisson(rng, 24 if kind == "envoy" else 11)):
                    token = tokens[-1] if minute <= 36 and rng.random() < 0.3 else tokens[0]
                    yield Verdict(_passing(rng, at, gateways, token, next(offsets)))


def _good_tokens(gateway: str, client: str) -> list[TokenFacts]:
    """A client's token before the rotation and after it; the partner does not rotate."""
    is_partner = client == "partner-batch"
    issuer, claims, kids = (
        (PARTNER, PARTNER_CLAIMS, ["partner-1"]) if is_partner else (LOGIN, CLAIMS, [OLD_KID, NEW_KID])
    )
    typed = tuple((name, "string") for name in claims)
    return [replace(_token(gateway, issuer, client, kid), claims=typed) for kid in kids]


def _passing(rng: random.Random, at: datetime, gateways: list[Gateway], token: TokenFacts, offset: int) -> Event:
    gateway = rng.choice(gateways)
    return Event(
        time_ns=_ns(at),
        observed_ns=_ns(at),
        origin=Origin("kafka", f"{gateway.kind}.access", 0, offset),
        gateway=gateway,
        outcome=Outcome.ALLOWED,
        responder=Responder.UPSTREAM,
        request=Request(method="GET", route=rng.choice(ROUTES), host="api.example.com", status=200),
        token=token,
    )


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1e6) * 1_000


def _poisson(rng: random.Random, mean: float) -> int:
    """Exact inversion; for small means."""
    found, product, floor = 0, rng.random(), 2.718281828459045**-mean
    while product > floor:
        found, product = found + 1, product * rng.random()
    return found
