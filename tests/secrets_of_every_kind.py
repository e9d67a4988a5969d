"""Secrets of every kind, made anew from a seed: what stands in a log, and which parts of it must be found nowhere after.

A `Secret` is written into a record by one of its `phrases`, in which a reader could tell that it is one: behind a
scheme, a key or by its own form. `ENCODINGS` are what shippers, clients and terminals make of a phrase on the way.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import tomllib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from tests.collector.redaction import samples

UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CONSONANTS: Final = "bcdfghjklmnpqrtvwxz"
VENDORS: Final = tuple(
    example
    for vendor in tomllib.loads((samples.RULES / "vendors.toml").read_text(encoding="utf-8"))["vendor"]
    for example in vendor["examples"]
)
# Bytes of a signature by `alg` (RFC 7518 section 3.1, RFC 8037, RFC 8812, FIPS 204).
SIGNATURES: Final = {
    "HS256": 32, "HS384": 48, "HS512": 64, "RS256": 256, "RS384": 384, "RS512": 512, "PS256": 256, "PS512": 512,
    "ES256": 64, "ES384": 96, "ES512": 132, "ES256K": 64, "EdDSA": 64, "Ed448": 114, "ML-DSA-44": 2420,
}  # fmt: skip
ENCRYPTIONS: Final = {"dir": 0, "RSA-OAEP-256": 256, "ECDH-ES": 0, "A256KW": 40, "PBES2-HS256+A128KW": 24}
ISSUER: Final = "https://idp.example.com/"
HEAD: Final = b'{"alg":"RS256"}'


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret; `parts` are the texts of it that must not survive, `phrases` how it stands in a log."""

    kind: str
    parts: tuple[str, ...]
    phrases: tuple[str, ...]
    header: str = "authorization"  # the request header that carries it
    value: str = ""  # of that header


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mixed(rng: random.Random, size: int) -> str:
    """What a generator of keys gives: letters of both cases and digits, at least three of these."""
    text = "".join(rng.choices(LETTERS, k=size))
    return text if sum(c.isdigit() for c in text) >= 3 and sum(c.isupper() for c in text) >= 3 else mixed(rng, size)


def word(rng: random.Random) -> str:
    """A password of twelve letters that no dictionary has and no entropy rule sees."""
    return "q" + "".join(rng.choices(CONSONANTS, k=11))


def _email(rng: random.Random) -> str:
    return f"{word(rng)}.{word(rng)}@mailbox.example"


def _claims(rng: random.Random) -> tuple[dict[str, object], tuple[str, ...]]:
    """Claims, and those values in them that are a person's or secret."""
    person = (f"usr_{mixed(rng, 18)}", _email(rng), mixed(rng, 22))
    claims = {"iss": ISSUER, "aud": "orders-api", "sub": person[0], "email": person[1], "jti": person[2]}
    return claims | {"azp": "web-app", "iat": 1795430000, "exp": 1795433600 + rng.randrange(9999)}, person


def _compact(rng: random.Random, header: dict[str, object], signature: int) -> tuple[str, tuple[str, ...]]:
    claims, person = _claims(rng)
    payload, seal = b64(json.dumps(claims).encode()), b64(rng.randbytes(signature))
    token = f"{b64(json.dumps(header).encode())}.{payload}.{seal}"
    return token, tuple(part for part in (token, payload, seal, *person) if part)


def jws(rng: random.Random) -> Iterator[Secret]:
    """A signed token of every family of algorithms, an unsigned one, and what is made of tokens."""
    for alg, size in SIGNATURES.items():
        token, parts = _compact(rng, {"alg": alg, "typ": "JWT", "kid": f"k-{rng.randrange(99)}"}, size)
        yield Secret(f"jws_{alg}", parts, (token, f"Bearer {token}", f"token={token}"), value=f"Bearer {token}")
    token, parts = _compact(rng, {"alg": "none"}, 0)
    yield Secret("jwt_none", parts, (token, f"Bearer {token}"), value=f"Bearer {token}")
    disclosure = b64(json.dumps([mixed(rng, 16), "email", f"{word(rng)}@mailbox.example"]).encode())
    token, parts = _compact(rng, {"alg": "ES256", "typ": "dc+sd-jwt"}, 64)
    full = f"{token}~{disclosure}~"
    yield Secret("sd_jwt", (*parts, disclosure), (full, f"vp_token={full}"), value=f"Bearer {full}")
    token, parts = _compact(rng, {"alg": "RS256", "typ": "JWT"}, 256)
    nested = (
        f"{b64(json.dumps({'alg': 'RS256', 'cty': 'JWT'}).encode())}.{b64(token.encode())}.{b64(rng.randbytes(64))}"
    )
    yield Secret("jwt_nested", (*parts, *nested.split(".")[1:]), (nested,), value=f"Bearer {nested}")
    head, payload, seal = _compact(rng, {"alg": "PS256", "typ": "at+jwt"}, 256)[0].split(".")
    yield Secret("jws_cut", (payload, seal), (f"{head}.{payload}.{seal[:90]}...", f"...{payload[9:]}.{seal}"))
    seal = b64(rng.randbytes(64))
    yield Secret("jws_detached", (seal,), (f"x-jws-signature: {head}..{seal}", f"{head}..{seal}"))
    head, payload, seal = _compact(rng, {"alg": "ES256"}, 64)[0].split(".")
    yield Secret("jws_json", (payload, seal), (json.dumps({"payload": payload, "protected": head, "signature": seal}),))


def jwe(rng: random.Random) -> Iterator[Secret]:
    """An encrypted token of every kind of key management."""
    for alg, size in ENCRYPTIONS.items():
        head = b64(json.dumps({"alg": alg, "enc": "A256GCM", "kid": "enc-1"}).encode())
        rest = [b64(rng.randbytes(n)) for n in (size, 12, 300, 16)]
        token = ".".join((head, *rest))
        parts = tuple(part for part in (token, rest[0], *rest[2:]) if part)
        yield Secret(f"jwe_{alg}", parts, (token, f"Bearer {token}"), value=f"Bearer {token}")


def dpop(rng: random.Random) -> Iterator[Secret]:
    """A proof of possession: its key is public, the proof itself can be replayed."""
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(rng.randbytes(32)), "y": b64(rng.randbytes(32))}
    head = b64(json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}).encode())
    body = b64(json.dumps({"jti": mixed(rng, 16), "htm": "GET", "htu": "https://api.example.com/"}).encode())
    seal = b64(rng.randbytes(64))
    proof = f"{head}.{body}.{seal}"
    yield Secret("dpop_proof", (proof, body, seal), (f"dpop: {proof}", proof), "dpop", proof)
    opaque = mixed(rng, 43)
    yield Secret("dpop_token", (opaque,), (f"DPoP {opaque}", f"Authorization: DPoP {opaque}"), value=f"DPoP {opaque}")


def opaque(rng: random.Random) -> Iterator[Secret]:
    """Reference tokens, refresh tokens, codes and keys without structure."""
    for size in (32, 43, 64):
        value = mixed(rng, size)
        phrases = (f"Bearer {value}", f"access_token={value}", json.dumps({"access_token": value}))
        yield Secret(f"opaque_{size}", (value,), phrases, value=f"Bearer {value}")
    hexadecimal = rng.randbytes(20).hex()
    phrases = (f"Bearer {hexadecimal}", f"id_token={hexadecimal}")
    yield Secret("opaque_hex", (hexadecimal,), phrases, value=f"Bearer {hexadecimal}")
    h = rng.randbytes(16).hex()
    uuid = f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"
    yield Secret(
        "opaque_uuid", (uuid,), (f"Authorization: Bearer {uuid}", f"access_token={uuid}"), value=f"Bearer {uuid}"
    )
    for name in ("refresh_token", "client_secret", "code_verifier", "device_code", "client_assertion", "subject_token"):
        value = mixed(rng, 40)
        phrases = (f"{name}={value}", json.dumps({name: value}), f"grant_type=x&{name}={value}&scope=read")
        yield Secret(name, (value,), phrases, f"x-{name.replace('_', '-')}", value)


def keys(rng: random.Random) -> Iterator[Secret]:
    """API keys by header and by vendor's prefix."""
    for name in ("x-api-key", "apikey", "x-auth-token", "ocp-apim-subscription-key", "x-amz-security-token"):
        value = mixed(rng, 32)
        yield Secret(name, (value,), (f"{name}: {value}", f"{name}={value}", json.dumps({name: value})), name, value)
    for example in VENDORS:
        value = samples.vendor_example(example, rng.randrange(1 << 30))
        yield Secret("vendor", (value,), (f"key {value} was refused", json.dumps({"k": value})), "x-key", value)


def basic(rng: random.Random) -> Iterator[Secret]:
    """User and password in Basic, Digest, URLs, connection strings, forms, JSON and XML."""
    user, password = f"svc{word(rng)}", word(rng)
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    parts = (pair.rstrip("="), password)
    yield Secret("basic", parts, (f"Basic {pair}", f"authorization: Basic {pair}"), value=f"Basic {pair}")
    for scheme in ("https", "postgres", "amqps", "redis"):
        password = word(rng)
        yield Secret(
            "url_password", (password,), (f"dial {scheme}://svc:{password}@db-1.internal:5432/orders refused",)
        )
    password = word(rng)
    phrases = (
        f"username=svc&password={password}&grant_type=password", json.dumps({"password": password, "realm": "x"}),
        f"<wsse:Password Type='x'>{password}</wsse:Password>", f"Server=db-1;User Id=svc;Password={password};Encrypt=yes",
    )  # fmt: skip
    yield Secret("body_password", (password,), phrases, "x-password", password)
    response = rng.randbytes(16).hex()
    digest = f'Digest username="{user}", realm="api", nonce="1:ab", uri="/v1", response="{response}"'
    yield Secret("digest", (response, user), (f"Authorization: {digest}",), value=digest)
    ticket = base64.b64encode(b"\x60\x82" + rng.randbytes(200)).decode()
    yield Secret("negotiate", (ticket,), (f"Negotiate {ticket}",), value=f"Negotiate {ticket}")
    account, seal = "AKIA" + "".join(rng.choices(UPPER, k=16)), rng.randbytes(32).hex()
    signed = f"AWS4-HMAC-SHA256 Credential={account}/20261123/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature={seal}"
    yield Secret("sigv4", (account, seal), (f"Authorization: {signed}",), value=signed)


def cookies(rng: random.Random) -> Iterator[Secret]:
    """Session cookies in requests and responses."""
    for name in ("session", "connect.sid", "JSESSIONID", "_oauth2_proxy", ".AspNetCore.Cookies", "__Host-sid"):
        value = mixed(rng, 36)
        pair = f"theme=dark; {name}={value}; lang=de"
        phrases = (f"Cookie: {pair}", f"Set-Cookie: {name}={value}; Path=/; HttpOnly", json.dumps({"cookie": pair}))
        yield Secret("cookie", (value,), phrases, "cookie", pair)


def private(rng: random.Random) -> Iterator[Secret]:
    """Private keys, PEM and JWK."""
    for name in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"):
        body = base64.b64encode(rng.randbytes(192)).decode()
        lines = tuple(body[at : at + 64] for at in range(0, len(body), 64))
        pems = (newline.join((f"-----BEGIN {name}-----", *lines, f"-----END {name}-----")) for newline in ("\n", "\\n"))
        yield Secret("pem", lines, tuple(f'key="{pem}" loaded' for pem in pems))
    d, k = b64(rng.randbytes(32)), b64(rng.randbytes(32))
    yield Secret("jwk_ec", (d,), (json.dumps({"kty": "EC", "crv": "P-256", "d": d, "kid": "k-1"}),))
    yield Secret("jwk_oct", (k,), (json.dumps({"keys": [{"kty": "oct", "k": k, "kid": "k-1"}]}),))
    primes = {name: b64(rng.randbytes(128)) for name in ("d", "p", "q")}
    yield Secret("jwk_rsa", tuple(primes.values()), (json.dumps({"kty": "RSA", "n": "AQAB", "e": "AQAB", **primes}),))


def _material(rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """A credential or a person, and what of it must not survive."""
    kind = rng.randrange(3)
    if kind == 0:
        return _compact(rng, {"alg": "RS256"}, 64)
    text = samples.vendor_example(rng.choice(VENDORS), rng.randrange(1 << 30)) if kind == 1 else _email(rng)
    return text, (text,)


def inside(rng: random.Random) -> Iterator[Secret]:
    """A credential or a person in those fields of a token that an event keeps, as name and as value."""
    for name in ("kid", "typ", "cty", "alg", "enc", "zip", "crit", ""):
        text, parts = _material(rng)
        header = {"alg": "RS256", **({name: text} if name else {text: 1})}
        token = f"{b64(json.dumps(header).encode())}.{b64(b'{}')}.{b64(rng.randbytes(64))}"
        yield Secret("in_header", parts, (token,), value=f"Bearer {token}")
    for name in ("iss", "aud", "azp", "client_id", "scope", "scp", "token_use", "exp", "nbf", "cnf", ""):
        text, parts = _material(rng)
        claims = {name: text} if name else {text: 1}
        token = f"{b64(HEAD)}.{b64(json.dumps(claims).encode())}.{b64(rng.randbytes(64))}"
        yield Secret("in_claim", parts, (token,), value=f"Bearer {token}")


def saml(rng: random.Random) -> Iterator[Secret]:
    """Assertions as they travel: in a form, deflated in a query, bare."""
    for kind in ("saml_form", "saml_query", "saml_xml"):
        user, seal = f"usr{mixed(rng, 18)}", base64.b64encode(rng.randbytes(128)).decode()
        xml = (
            f"<saml:Assertion><ds:SignatureValue>{seal}</ds:SignatureValue>"
            f"<saml:Subject><saml:NameID>{user}</saml:NameID></saml:Subject></saml:Assertion>"
        )
        posted = quote(base64.b64encode(xml.encode()).decode(), safe="")
        deflated = quote(base64.b64encode(zlib.compress(xml.encode())[2:-4]).decode(), safe="")
        text, part = {
            "saml_form": (f"POST /acs SAMLResponse={posted}&RelayState=home", posted),
            "saml_query": (f"GET /sso?SAMLRequest={deflated}&RelayState=home 302", deflated),
            "saml_xml": (xml, seal),
        }[kind]
        yield Secret(kind, (part, user, seal), (text,))


def people(rng: random.Random) -> Iterator[Secret]:
    """Personal data: gone, or a keyed pseudonym."""
    email, user = _email(rng), f"u{mixed(rng, 20)}"
    yield Secret(
        "email", (email,), (f"no account for {email} in tenant acme", json.dumps({"email": email})), "x-user", email
    )
    yield Secret("user", (user,), (f"login failed for user '{user}'", json.dumps({"sub": user}), f"claims.sub={user}"))
    address = f"198.51.{rng.randrange(100, 250)}.{rng.randrange(100, 250)}"
    phrases = (f"client: {address}, server: api", f"X-Forwarded-For: {address}")
    yield Secret("address", (address,), phrases, "x-forwarded-for", address)
    phone = f"+49151{rng.randrange(10**7, 10**8)}"
    yield Secret("phone", (phone,), (f"otp sent to {phone} for login", json.dumps({"phone_number": phone})))


KINDS: Final = (jws, jwe, dpop, opaque, keys, basic, cookies, private, saml, inside, people)


def generate(seed: object) -> Iterator[Secret]:
    """Secrets without end, every kind in turn; equal seeds give equal secrets."""
    rng = random.Random(str(seed))
    while True:
        for kind in KINDS:
            yield from kind(rng)


def _split(text: str, mark: Callable[[int], str], size: int = 40) -> str:
    return "".join(text[at : at + size] + mark(at) for at in range(0, len(text), size))


# Name -> what becomes of a phrase.
ENCODINGS: Final[dict[str, Callable[[str], str]]] = {
    "plain": str,
    "json": lambda text: json.dumps({"m": text}),
    "json_twice": lambda text: json.dumps({"log": json.dumps({"m": text})}),
    "json_escapes": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "percent": lambda text: quote(text, safe=""),
    "percent_twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent_every": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "html": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64_twice": lambda text: b64(base64.b64encode(text.encode())),
    "hex": lambda text: text.encode().hex(),
    "gzip": lambda text: base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode(),
    "ansi": lambda text: _split(text, lambda at: f"\x1b[3{at % 8}m"),
    "zero_width": lambda text: _split(text, lambda _: "\u200b"),
    "soft_hyphen": lambda text: _split(text, lambda _: "\u00ad"),
    "quotes": lambda text: f"'{text}'",
}
