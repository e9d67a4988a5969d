"""The faults: each is made on purpose, so its true code is known before any gateway has spoken.

`code` is true by construction, by the definitions of analyzer/taxonomy.toml; what Envoy says of the same request
is often something else (tests/why401/demo/observed.json has what it reported). `why` says what is wrong, in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_decode, base64url_encode

from analyzer.taxonomy import CODES
from why401.demo.mint import DROP, ISSUERS, Key, compact, der_es256, encrypted, hs256
from why401.demo.requests import (
    At,
    Build,
    Caller,
    DemoRequest,
    claiming,
    constant,
    edited,
    good,
    resolve,
    send,
    signed,
)

SHOP: Final = ISSUERS[0].url
_ORDERS: Final = "/v1/orders/4711"
_SHOP: Final = good("shop")
_MINUTE: Final = 60
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Profile:
    """How often, over one cycle of the demo: `(from, until, factor)` as shares of the cycle; outside of them `rest`."""

    rest: float = 1.0
    spans: tuple[tuple[float, float, float], ...] = ()

    def factor(self, share: float) -> float:
        """The factor at that share (0..1) of the cycle."""
        return next((factor for start, end, factor in self.spans if start <= share < end), self.rest)


STEADY: Final = Profile()
OUTAGE: Final = Profile(spans=((0.25, 0.40, 10.0),))
ROTATION: Final = Profile(rest=0.0, spans=((0.5, 1.0, 10.0),))
DEPLOY: Final = Profile(rest=0.0, spans=((0.7, 1.0, 4.0),))  # a client version that appears late
FADING: Final = Profile(spans=((0.0, 0.3, 4.0), (0.6, 1.0, 0.2)))


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to be refused."""

    name: str
    code: str
    why: str
    build: Build
    profile: Profile = STEADY
    anonymous: bool = False  # the gateway gives up before it has read the request id

    @property
    def cause(self) -> str:
        """The cause of its code."""
        return CODES[self.code].cause


def _rotated(caller: Caller) -> str:
    # Before the rotation the newest key is the first one and the request passes: the fault begins with `rotate()`.
    return caller.mint.sign(caller.mint.claims("shop", caller.subject), caller.mint.key("shop"))


def _stranger(caller: Caller) -> str:
    return caller.mint.sign(caller.mint.claims("shop", caller.subject), caller.mint.stranger)


def _forged(caller: Caller) -> str:
    return caller.mint.sign(
        caller.mint.claims("shop", caller.subject), caller.mint.stranger, kid=caller.mint.settled_key("shop").kid
    )


def _wrong_secret(caller: Caller) -> str:
    key = caller.mint.key("legacy")
    return compact(
        {"alg": "HS256", "kid": key.kid, "typ": "JWT"}, caller.mint.claims("legacy"), hs256(key.kid.encode())
    )


def _der(caller: Caller) -> str:
    key = caller.mint.key("partner")
    return compact({"alg": "ES256", "kid": key.kid, "typ": "JWT"}, caller.mint.claims("partner"), der_es256(key))


def _pem_as_secret(caller: Caller) -> str:
    key = caller.mint.settled_key("shop")
    pem = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return compact({"alg": "HS256", "kid": key.kid, "typ": "JWT"}, caller.mint.claims("shop"), hs256(pem))


def _ps256(caller: Caller) -> str:
    key = caller.mint.settled_key("shop")
    return caller.mint.sign(caller.mint.claims("shop", caller.subject), Key(key.kid, "PS256", key.private))


def _es256k(caller: Caller) -> str:
    kid = caller.mint.settled_key("partner").kid
    # Zeros of the right length: a verifier has to stop at the algorithm's name.
    return compact({"alg": "ES256K", "kid": kid, "typ": "JWT"}, caller.mint.claims("partner"), lambda _: bytes(64))


def _unsigned(caller: Caller) -> str:
    return compact({"alg": "none", "typ": "JWT"}, caller.mint.claims("shop", caller.subject), lambda _: b"")


def _ec_with_rsa_kid(caller: Caller) -> str:
    mint = caller.mint
    return mint.sign(
        mint.claims("mixed", caller.subject), mint.key("mixed", "ES256"), kid=mint.key("mixed", "RS256").kid
    )


def _id_token(caller: Caller) -> str:
    changes = {"aud": "web-shop", "nonce": "n-0S6_WzA2Mj", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "auth_time": At(-60)}
    claims = caller.mint.claims("shop", caller.subject, **resolve(caller, changes), scope=DROP, roles=DROP, tenant=DROP)
    return caller.mint.sign(claims, caller.mint.settled_key("shop"), typ="JWT")


def _keycloak_refresh(caller: Caller) -> str:
    claims = caller.mint.claims(
        "shop", caller.subject, aud=SHOP, typ="Refresh", scope="openid offline_access", roles=DROP
    )
    header = {"alg": "HS512", "typ": "JWT", "kid": "4d0f8a52-7d0c-4c0e-9b7e-2f6f0f8f2c11"}
    return compact(header, claims, lambda _: bytes(range(64)))


def _tampered(token: str) -> str:
    header, claims, signature = token.split(".")
    raised = orjson.dumps({**orjson.loads(base64url_decode(claims)), "roles": ["root"]})
    return ".".join((header, base64url_encode(raised).decode(), signature))


def _header_text(text: bytes) -> Callable[[str], str]:
    def change(token: str) -> str:
        return ".".join((base64url_encode(text).decode(), *token.split(".")[1:]))

    return change


def _padded(token: str) -> str:
    return ".".join(part + "=" * (-len(part) % 4) for part in token.split("."))


def _standard_alphabet(token: str) -> str:
    # Every signature of 256 random bytes has both characters, practically.
    return token.replace("-", "+").replace("_", "/")


def _two_headers(caller: Caller) -> DemoRequest:
    first, second = caller.mint.good("shop", caller.subject), caller.mint.good("shop", "user-9999")
    return DemoRequest("GET", _ORDERS, (("authorization", f"Bearer {first}"), ("authorization", f"Bearer {second}")))


def _stale_in_query(caller: Caller) -> DemoRequest:
    stale = caller.mint.token("shop", caller.subject, **resolve(caller, {"iat": At(-5 * _DAY), "exp": At(-4 * _DAY)}))
    return send(f"{_ORDERS}?access_token={stale}", _SHOP)(caller)


def _big(caller: Caller) -> DemoRequest:
    groups = [f"CN=group-{n:04d},OU=warehouse,OU=groups,DC=example,DC=com" for n in range(400)]
    return send(_ORDERS, claiming("shop", groups=groups))(caller)


_PREFLIGHT: Final = (
    ("origin", "https://shop.example.com"),
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", "authorization,content-type"),
)

_REALM: Final = SHOP.rpartition("/")[0]
FAULTS: Final = (
    # issuer: the side that signs and the side that verifies disagree
    Fault("iss-trailing-slash", "issuer_not_trusted", "iss has a trailing slash; the configured issuer does not.", send(_ORDERS, claiming("shop", iss=SHOP + "/")), OUTAGE),
    Fault("iss-slash-lost", "issuer_not_trusted", "iss has no trailing slash; the configured issuer does.", send("/v1/partner/1", claiming("partner", iss="https://login.partner.example"))),
    Fault("iss-http", "issuer_not_trusted", "iss uses http; the configured issuer uses https.", send(_ORDERS, claiming("shop", iss=SHOP.replace("https:", "http:")))),
    Fault("iss-other-realm", "issuer_not_trusted", "The token was issued by another realm of the same server.", send(_ORDERS, claiming("shop", iss=_REALM + "/staff"))),
    Fault("iss-case", "issuer_not_trusted", "The realm name differs in case.", send(_ORDERS, claiming("shop", iss=_REALM + "/Shop"))),
    Fault("iss-staging", "issuer_not_trusted", "A token of the staging environment, signed with a staging key.", send(_ORDERS, lambda c: c.mint.sign(c.mint.claims("shop", iss="https://id.staging.example.com/realms/shop"), c.mint.stranger))),
    Fault("iss-missing", "issuer_missing", "The token has no iss.", send(_ORDERS, claiming("shop", iss=DROP))),
    Fault("aud-other-api", "audience_mismatch", "aud is another API.", send(_ORDERS, claiming("shop", aud="https://billing.example.com")), FADING),
    Fault("aud-client-id", "audience_mismatch", "aud is the client ID of the API; the gateway expects its URI.", send(_ORDERS, claiming("shop", aud="orders-api-client"))),
    Fault("aud-path", "audience_mismatch", "aud is the expected audience plus a path.", send(_ORDERS, claiming("shop", aud="https://api.example.com/v2"))),
    Fault("aud-list-without-us", "audience_mismatch", "aud is a list that does not contain the expected audience.", send(_ORDERS, claiming("shop", aud=["account", "broker"]))),
    Fault("aud-missing", "audience_missing", "The token has no aud.", send(_ORDERS, claiming("shop", aud=DROP))),
    Fault("kid-rotated", "key_not_found", "The issuer rotated its key; the gateway's cached key set predates the rotation.", send(_ORDERS, _rotated), ROTATION),
    Fault("kid-unknown", "key_not_found", "Signed with a key that the issuer has not published.", send(_ORDERS, _stranger)),
    Fault("kid-other-issuer", "key_not_found", "kid belongs to the key set of another issuer.", send("/v1/partner/1", lambda c: c.mint.sign(c.mint.claims("partner"), c.mint.key("mixed", "ES256")))),
    Fault("signature-wrong-key", "signature_invalid", "kid is correct, but the token is signed with another key.", send(_ORDERS, _forged)),
    Fault("signature-payload-changed", "signature_invalid", "The claims were changed after signing.", send(_ORDERS, edited(_SHOP, _tampered))),
    Fault("signature-wrong-secret", "signature_invalid", "Signed with a different HS256 secret.", send("/v1/reports/q3", _wrong_secret)),
    Fault("signature-der", "signature_invalid", "The ES256 signature is DER encoded, as OpenSSL writes it.", send("/v1/partner/1", _der)),
    Fault("jwks-discovery-document", "jwks_invalid", "The JWKS URL returns the discovery document instead of a key set.", send("/v1/merged/1", good("merged"))),
    Fault("jwks-empty", "jwks_invalid", "The issuer's key set is empty.", send("/v1/acquired/1", good("acquired"))),
    Fault("nbf-future", "clock_skew", "nbf is five minutes in the future: the issuer's clock is fast.", send(_ORDERS, claiming("shop", iat=At(5 * _MINUTE), nbf=At(5 * _MINUTE), exp=At(65 * _MINUTE)))),
    Fault("iat-future", "clock_skew", "iat is four minutes in the future, and the upstream's library checks it.", send("/v1/invoices/1", claiming("shop", iat=At(4 * _MINUTE), exp=At(64 * _MINUTE)))),
    # format: the token or a claim is absent, broken or of the wrong shape
    Fault("token-absent", "token_missing", "No Authorization header.", send(_ORDERS, _SHOP, "")),
    Fault("token-absent-rbac", "token_missing", "No token, on a route where only RBAC requires one.", send("/v1/basket/1", _SHOP, "")),
    Fault("token-empty", "token_missing", "`Bearer` without a token.", send(_ORDERS, _SHOP, "Bearer ")),
    Fault("scheme-basic", "scheme_invalid", "Basic credentials instead of a bearer token.", send(_ORDERS, constant("c2hvcDpub3QtYS1yZWFsLXBhc3N3b3Jk"), "Basic {}")),
    Fault("scheme-doubled", "scheme_invalid", "`Bearer Bearer`: a client library added the scheme a second time.", send(_ORDERS, _SHOP, "Bearer Bearer {}"), DEPLOY),
    Fault("scheme-absent", "scheme_invalid", "The token without the scheme `Bearer`.", send(_ORDERS, _SHOP, "{}")),
    Fault("scheme-token", "scheme_invalid", "The scheme is `Token` instead of `Bearer`.", send(_ORDERS, _SHOP, "Token {}")),
    Fault("scheme-colon", "scheme_invalid", "`Bearer:` with a colon.", send(_ORDERS, _SHOP, "Bearer: {}")),
    Fault("scheme-quotes", "scheme_invalid", "The token is quoted.", send(_ORDERS, _SHOP, 'Bearer "{}"')),
    Fault("scheme-lower-case", "scheme_invalid", "`bearer` in lower case, which does not match Envoy's prefix.", send(_ORDERS, _SHOP, "bearer {}")),
    Fault("credential-twice", "credential_ambiguous", "A valid token in the header and an expired one in the query of a bookmarked URL.", _stale_in_query),
    Fault("credential-two-headers", "credential_ambiguous", "Two Authorization headers.", _two_headers),
    Fault("token-null", "token_malformed", "The string `null`, sent by a client without a token.", send(_ORDERS, constant("null"))),
    Fault("token-undefined", "token_malformed", "The string `undefined`.", send(_ORDERS, constant("undefined"))),
    Fault("token-two-parts", "token_malformed", "The signature and its dot are missing.", send(_ORDERS, edited(_SHOP, lambda t: t.rpartition(".")[0]))),
    Fault("token-header-not-json", "token_malformed", "The header does not decode to JSON.", send(_ORDERS, edited(_SHOP, _header_text(b"alg: RS256")))),
    Fault("token-padded", "token_malformed", "base64url with padding (`=`).", send(_ORDERS, edited(_SHOP, _padded))),
    Fault("token-standard-base64", "token_malformed", "The standard base64 alphabet: `+` and `/` instead of `-` and `_`.", send(_ORDERS, edited(_SHOP, _standard_alphabet))),
    Fault("token-percent-encoded", "token_malformed", "The dots are percent-encoded (`%2E`).", send(_ORDERS, edited(_SHOP, lambda t: t.replace(".", "%2E")))),
    Fault("token-cut-signature", "token_truncated", "The last 90 characters are missing.", send(_ORDERS, edited(_SHOP, lambda t: t[:-90]))),
    Fault("token-cut-claims", "token_truncated", "The token ends inside its claims: it was stored in a 255-character column.", send(_ORDERS, edited(_SHOP, lambda t: t[:255]))),
    Fault("token-opaque", "token_opaque", "A reference token; the gateway expects a JWT.", send(_ORDERS, constant("2YotnFZFEjr1zCsicMWpAA0Kq9d7HkPz"))),
    Fault("token-id", "token_use_invalid", "An ID token: aud is the client, and it has nonce and at_hash.", send(_ORDERS, _id_token)),
    Fault("token-refresh", "token_use_invalid", "A refresh token, signed with a key that only its issuer has.", send(_ORDERS, _keycloak_refresh)),
    Fault("sub-missing", "user_claim_missing", "No sub: a client-credentials token where a user is required.", send("/v1/invoices/1", claiming("shop", sub=DROP))),
    Fault("sub-missing-rbac", "user_claim_missing", "No sub, and an RBAC rule requires one.", send("/v1/basket/1", claiming("shop", sub=DROP))),
    Fault("exp-missing", "claim_missing", "No exp, and the gateway requires one.", send(_ORDERS, claiming("shop", exp=DROP))),
    Fault("iat-missing", "claim_missing", "No iat, and the upstream requires one.", send("/v1/invoices/1", claiming("shop", iat=DROP))),
    Fault("sub-number", "claim_type_invalid", "sub is a number.", send(_ORDERS, claiming("shop", sub=4711))),
    Fault("exp-text", "claim_type_invalid", "exp is a string.", send(_ORDERS, claiming("shop", exp=At(1800, as_type=str)))),
    Fault("aud-object", "claim_type_invalid", "aud is an object.", send(_ORDERS, claiming("shop", aud={"api": "orders"}))),
    Fault("jti-number", "claim_type_invalid", "jti is a number.", send(_ORDERS, claiming("shop", jti=20261123))),
    Fault("exp-negative", "claim_value_invalid", "exp is negative.", send(_ORDERS, claiming("shop", exp=-1))),
    Fault("sub-empty", "claim_value_invalid", "sub is an empty string.", send("/v1/invoices/1", claiming("shop", sub=""))),
    # library: both follow a standard and do not understand each other
    Fault("alg-hs256-public-key", "alg_not_allowed", "HS256 with the public key's PEM as the secret: algorithm confusion.", send(_ORDERS, _pem_as_secret)),
    Fault("alg-ps256", "alg_not_allowed", "PS256; the issuer publishes its keys for RS256.", send(_ORDERS, _ps256)),
    Fault("alg-es256k", "alg_not_allowed", "ES256K, which Envoy does not implement.", send("/v1/partner/1", _es256k)),
    Fault("alg-none", "alg_none", "An unsigned token (alg `none`).", send(_ORDERS, _unsigned)),
    Fault("key-type", "key_type_mismatch", "ES256 with the kid of an RSA key.", send("/v1/warehouse/1", _ec_with_rsa_kid)),
    Fault("token-jwe", "jwe_unsupported", "An encrypted token.", send(_ORDERS, lambda c: encrypted(c.mint.claims("shop", c.subject), "enc-2026"))),
    Fault("header-crit", "header_unsupported", "crit lists an extension that the upstream's library does not support.", send("/v1/invoices/1", signed("shop", crit=["urn:example:device"], **{"urn:example:device": "tpm"}))),
    Fault("nbf-milliseconds", "claim_representation", "nbf is in milliseconds.", send(_ORDERS, claiming("shop", nbf=At(-5, unit=1000)))),
    Fault("scope-list", "claim_representation", "scope is a list; the rule expects a string.", send(_ORDERS, claiming("shop", scope=["orders:read", "orders:write"]), method="POST")),
    Fault("scope-scp", "claim_representation", "The scopes are in scp; the rule reads scope.", send(_ORDERS, claiming("shop", scope=DROP, scp=["orders:write"]), method="POST")),
    Fault("roles-text", "claim_representation", "roles is a string; the rule expects a list.", send("/v1/admin/users", claiming("shop", roles="admin"))),
    # gateway: the gateway or its neighbour is set up wrongly
    Fault("jwks-unreachable", "jwks_unreachable", "The gateway cannot connect to the issuer's key server.", send("/v1/staff/1", good("staff")), OUTAGE),
    Fault("authorizer-dead", "introspection_failed", "The external authorizer does not respond.", send("/v1/payments/1", _SHOP, method="POST")),
    Fault("headers-too-large", "header_too_large", "A token with 400 groups exceeds the header limit.", _big, anonymous=True),
    Fault("preflight", "preflight_blocked", "A CORS preflight request is required to have a token.", send(_ORDERS, _SHOP, "", method="OPTIONS", extra=_PREFLIGHT)),
    Fault("upstream-401", "upstream_rejected", "The gateway accepts the token; the upstream answers 401 without a reason.", send("/v1/inventory/items", _SHOP)),
    Fault("upstream-403", "upstream_rejected", "The gateway accepts the token; the upstream answers 403 without a reason.", send("/v1/inventory/stock", _SHOP)),
    Fault("user-not-forwarded", "claims_not_forwarded", "The upstream reads the user from a header that the gateway does not set.", send("/v1/profile/me", _SHOP)),
    Fault("requirement-renamed", "auth_not_configured", "The route refers to a requirement that does not exist.", send("/v1/search", _SHOP)),
    # policy: a rule that works as written
    Fault("expired-seconds", "token_expired", "Expired 75 s ago; the gateway allows 60 s of clock skew.", send(_ORDERS, claiming("shop", iat=At(-3675), exp=At(-75)))),
    Fault("expired-minutes", "token_expired", "Expired 15 minutes ago.", send(_ORDERS, claiming("shop", iat=At(-4500), exp=At(-900))), OUTAGE),
    Fault("expired-days", "token_expired", "Expired nine days ago: the token is stored in a configuration file.", send("/v1/partner/1", claiming("partner", iat=At(-9 * _DAY - 3600), exp=At(-9 * _DAY)))),
    Fault("lifetime-too-long", "token_too_old", "Valid for 90 days; the gateway accepts one day.", send("/v1/partner/1", claiming("partner", iat=At(-60), exp=At(90 * _DAY)))),
    Fault("login-too-old", "token_too_old", "auth_time is five hours ago; max_age is three hours.", send("/v1/invoices/1", claiming("shop", auth_time=At(-5 * 3600)))),
    Fault("scope-missing", "scope_insufficient", "The token has orders:read only; the route requires orders:write.", send(_ORDERS, claiming("shop", scope="orders:read"), method="POST"), FADING),
    Fault("scope-denied", "scope_insufficient", "No refunds:write; a DENY policy with that name matched.", send("/v1/refunds", _SHOP, method="POST")),
    Fault("role-missing", "access_denied", "The user is not an admin; no ALLOW policy matched.", send("/v1/admin/users", claiming("shop", roles=["customer"]))),
    Fault("role-denied", "access_denied", "The user is not an admin; a DENY policy matched.", send("/v1/console", claiming("shop", roles=["customer", "support"]))),
    Fault("tenant-suspended", "claim_not_allowed", "The tenant is on the deny list of a rule.", send("/v1/tenants/1", claiming("shop", tenant="initech"))),
    Fault("subject-not-a-device", "claim_not_allowed", "sub does not have the prefix that the provider requires.", send("/v1/devices/1", claiming("devices", sub="user-0815"))),
    Fault("address-blocked", "source_denied", "The network of the client is blocked.", send(_ORDERS, _SHOP, extra=(("x-forwarded-for", "198.51.100.200"),))),
    Fault("quota", "caller_blocked", "The route's quota is used up.", send("/v1/exports", _SHOP)),
    Fault("dpop-missing", "sender_constraint_failed", "The token is bound to a key (cnf.jkt), but the request has no DPoP proof.", send("/v1/invoices/1", claiming("shop", cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}))),
    Fault("revoked", "token_revoked", "The token is on the upstream's revocation list.", send("/v1/invoices/1", claiming("shop", jti="revoked-5b1f"))),
    Fault("replayed", "token_replayed", "A one-time token was used again.", send("/v1/invoices/1", claiming("shop", jti="once-77ab", purpose="one-time"))),
)  # fmt: skip
BY_NAME: Final = {fault.name: fault for fault in FAULTS}


@dataclass(frozen=True, slots=True)
class Good:
    """Traffic that passes."""

    name: str
    weight: float
    build: Build


GOOD: Final = (
    Good("ok-orders", 8, send(_ORDERS, _SHOP)),
    Good("ok-orders-write", 3, send(_ORDERS, _SHOP, method="POST")),
    Good("ok-catalog", 4, send("/v1/catalog/shoes", _SHOP)),
    Good("ok-catalog-partner", 1, send("/v1/catalog/shoes", good("partner"))),
    Good("ok-partner", 2, send("/v1/partner/1", good("partner"))),
    Good("ok-devices", 2, send("/v1/devices/1", claiming("devices", sub="device-17"))),
    Good("ok-reports", 1, send("/v1/reports/q3", good("legacy"))),
    Good("ok-basket", 2, send("/v1/basket/1", _SHOP)),
    Good("ok-invoices", 1, send("/v1/invoices/1", _SHOP)),
    Good("ok-warehouse", 1, send("/v1/warehouse/1", signed("mixed", "ES256"))),
    Good("ok-admin", 1, send("/v1/admin/users", _SHOP)),
    Good("ok-audience-list", 1, send(_ORDERS, claiming("shop", aud=["account", "https://api.example.com"]))),
    Good("ok-audience-slash", 1, send(_ORDERS, claiming("shop", aud="https://api.example.com/"))),  # Envoy ignores it
    Good("ok-audience-http", 1, send(_ORDERS, claiming("shop", aud="http://api.example.com"))),  # nor the scheme
    Good("ok-query", 1, send("/v1/catalog/shoes?access_token={}", _SHOP, "")),
)
