"""Hard lines of many kinds, made anew for each seed: what must go, what must stay, and everything around both."""

import base64
import gzip
import json
import zlib
from urllib.parse import quote

from tests.collector.redaction.material import KEEP, Material, line_with
from tests.collector.redaction.records import broken, connections, harmless, people, protocols
from tests.collector.redaction.samples import b64

SCHEMES = ("Bearer", "bearer", "BEARER", "Token", "token", "JWT", "DPoP", "OAuth", "ApiKey", "Api-Key", "Basic")
SEPARATORS = (" ", "  ", ": ", ":", "=", "%20", "\t", "\xa0", " = ", ': "', " '", " <", " [", " (", "+")
CLOSING = {'"': '"', "'": "'", "<": ">", "[": "]", "(": ")"}


def schemes(m):
    """A scheme, a separator, a value: `Bearer: "…"`."""
    for number, scheme in enumerate(SCHEMES):
        separator = SEPARATORS[(number * 7 + m.rng.randrange(len(SEPARATORS))) % len(SEPARATORS)]
        end = CLOSING.get(separator[-1], "")
        yield line_with(f"Authorization: {scheme}{separator}{m.opaque}{end}"), [m.opaque], KEEP
        yield line_with(f"h={scheme}{separator}{m.jwt}{end}"), m.jwt_secrets(), KEEP


SECRET_HEADERS = [
    "Authorization",
    "Proxy-Authorization",
    "X-Api-Key",
    "X-Auth-Token",
    "X-Access-Token",
    "X-Amz-Security-Token",
    "X-Goog-Iap-Jwt-Assertion",
    "Cf-Access-Jwt-Assertion",
    "X-Forwarded-Access-Token",
    "X-Id-Token",
    "X-Vault-Token",
    "X-Gitlab-Token",
    "Private-Token",
    "X-Csrf-Token",
    "X-Shopify-Access-Token",
    "X-Functions-Key",
    "Ocp-Apim-Subscription-Key",
    "X-Ms-Token-Aad-Access-Token",
    "X-Endpoint-Api-Userinfo",
    "X-Jwt-Assertion",
    "X-Client-Secret",
    "X-Session-Token",
    "X-Refresh-Token",
]


def headers(m):
    """Headers in a raw request, in JSON, in Go's and Python's dumps, in HAR and OTLP attributes."""
    for name in SECRET_HEADERS:
        value, low = m.short, name.lower()
        snake = low.replace("-", "_")
        yield (
            f"GET /v1/me HTTP/1.1\r\nHost: api.example.com\r\n{name}: {value}\r\nAccept: */*\r\n",
            [value],
            ["Host: api.example.com"],
        )
        yield json.dumps({"req": {"headers": {low: value}, "url": "/v1/me"}}), [value], ["/v1/me"]
        yield json.dumps({"log": json.dumps({"headers": {low: [value]}, "url": "/v1/me"})}), [value], ["/v1/me"]
        yield f"map[Accept:[*/*] {name}:[{value}] User-Agent:[curl/8.7.1]] err=401", [value], ["curl/8.7.1"]
        yield f"{{'{low}': '{value}', 'accept': '*/*'}} 401", [value], ["'accept': '*/*'"]
        yield json.dumps([{"name": name, "value": value}, {"name": "Accept", "value": "*/*"}]), [value], ["Accept"]
        attribute = {"key": f"http.request.header.{low}", "value": {"arrayValue": {"values": [{"stringValue": value}]}}}
        yield json.dumps({"attributes": [attribute]}), [value], ["http.request.header"]
        yield f"upstream 401 {snake}={value} route=/v1/me", [value], ["route=/v1/me"]
        yield f"upstream 401 ${snake}: '{value}' route=/v1/me", [value], ["route=/v1/me"]


PARAMETERS = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "client_assertion",
    "code_verifier",
    "device_code",
    "password",
    "assertion",
    "api_key",
    "apikey",
    "subject_token",
    "actor_token",
    "auth_token",
    "session_token",
    "jwt",
    "token",
    "sig",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "id_token_hint",
    "logout_token",
    "registration_access_token",
    "initial_access_token",
    "sas_token",
    "private_key",
    "passphrase",
]


def parameters(m):
    """Query strings, forms, fragments, referers and upstream URLs."""
    for name in PARAMETERS:
        yield f'203.0.113.9 - - [x] "GET /cb?{name}={m.opaque}&lang=de HTTP/1.1" 401', [m.opaque], ["/cb?", "lang=de"]
        yield f"POST /token grant_type=x&{name}={m.opaque}&scope=read 400", [m.opaque], ["grant_type=x", "scope=read"]
        yield f'referer="https://app.example/#/cb;{name}={m.opaque};x=1" 401', [m.opaque], ["https://app.example/"]
        yield f"GET /cb%3F{name}%3D{m.opaque}%26lang%3Dde 401", [m.opaque], ["/cb"]
        yield f'{{"body":"{{\\"{name}\\":\\"{m.opaque}\\",\\"lang\\":\\"de\\"}}"}}', [m.opaque], ["lang"]
        yield f"--form {name}={m.opaque} --lang de", [m.opaque], ["--lang de"]


def encodings(m):
    """The same token under every encoding that a log driver or a client adds."""
    jwt, secrets = m.jwt, m.jwt_secrets()
    percent = "".join(f"%{ord(c):02x}" for c in jwt)
    yield line_with(f"t={percent}"), [percent[60:120]], KEEP
    yield line_with(f"t={quote(percent)}"), [quote(percent)[60:120]], KEEP
    yield line_with("t=" + jwt.replace(".", "%252E")), secrets, KEEP
    yield (
        json.dumps({"a": json.dumps({"b": json.dumps({"authorization": f"Bearer {jwt}", "x": "stay"})})}),
        secrets,
        ["stay"],
    )
    yield (
        json.dumps({"t": "".join(f"\\u{ord(c):04x}" for c in jwt)}).replace("\\\\", "\\"),
        [f"\\u{ord(jwt[90]):04x}" * 1],
        [],
    )
    yield line_with("".join(f"&#x{ord(c):x};" for c in jwt)), ["".join(f"&#x{ord(c):x};" for c in jwt[50:60])], KEEP
    yield (
        line_with("\\x" + "\\x".join(f"{ord(c):02x}" for c in jwt)),
        ["\\x".join(f"{ord(c):02x}" for c in jwt[50:60])],
        KEEP,
    )
    for packed in (gzip.compress(jwt.encode()), zlib.compress(jwt.encode())):
        text, hexed = base64.b64encode(packed).decode(), packed.hex()
        yield line_with(f"blob={text}"), [text[20:60]], KEEP
        yield line_with(f"blob={hexed}"), [hexed[20:60]], KEEP
    for times in (1, 2, 3):
        text = f"Bearer {jwt}".encode()
        for _ in range(times):
            text = base64.b64encode(text)
        yield line_with(f"blob={text.decode()}"), [text.decode()[20:60]], KEEP
    yield line_with(f"blob={jwt.encode().hex()}"), [jwt.encode().hex()[20:60]], KEEP
    yield line_with(f"blob={jwt.encode().hex().upper()}"), [jwt.encode().hex().upper()[20:60]], KEEP
    for invisible in ("\u200b", "\u200d", "\ufeff", "\u2060", "\xad", "\x00"):
        cut = m.rng.randrange(60, 90)
        yield line_with(f"Bearer {jwt[:cut]}{invisible}{jwt[cut:]}"), [jwt[cut : cut + 30], m.signature], KEEP


def shapes(m):
    """JOSE objects that a pattern for `eyJ….eyJ….` does not see."""
    secrets, signature, payload = m.jwt_secrets(), m.signature, m.payload
    pretty = b64(json.dumps(m.header, indent=2).encode())
    yield line_with(f"got {pretty}.{payload}.{signature}."), secrets, KEEP
    yield line_with(f"got {b64(b'  ' + json.dumps(m.header).encode())}.{payload}.{signature}"), secrets, KEEP
    standard = ".".join(
        base64.b64encode(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4))).decode() for p in m.jwt.split(".")
    )
    yield line_with(f"got {standard} now"), [standard.split(".")[1], standard.split(".")[2]], KEEP
    yield line_with(f"got {m.jwt.split('.')[0]}..{signature}"), [signature], KEEP
    jwe = [b64(m.rng.randbytes(size)) for size in (40, 12, 60, 16)]
    head = m.part({"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "zip": "DEF"})
    yield line_with(f"got {head}.{'.'.join(jwe)}"), jwe, KEEP
    yield line_with(f"got {head}..{'.'.join(jwe[1:])}"), jwe[1:], KEEP
    yield (
        json.dumps({"payload": payload, "signatures": [{"protected": head, "signature": signature}], "x": "stay"}),
        [payload, signature],
        ["stay"],
    )
    disclosure = b64(json.dumps([m.mixed(22), "email", m.email]).encode())
    yield line_with(f"got {m.jwt}~{disclosure}~{m.jwt}"), [*secrets, disclosure], KEEP
    yield line_with(f"got {b64(json.dumps({'alg': 'none'}).encode())}.{payload}"), [payload], KEEP
    for cut in (30, 61, 90):
        yield line_with(f"...{m.jwt[cut:]}"), [m.jwt[cut + 20 : cut + 60], signature], KEEP
        yield line_with(f"got {m.jwt[:-cut]}..."), [payload[12:40]], KEEP
    for before, after in (
        ("(", ")"),
        ("{", "}"),
        ("|", "|"),
        ("id:", ";"),
        ("x/", "/y"),
        ("#", "#"),
        ("=", ","),
        ("\u201c", "\u201d"),
        ("«", "»"),
    ):
        yield line_with(f"got {before}{m.jwt}{after}"), secrets, KEEP
    for middle in (" ", "\n\t", "\\n", "\r\n "):
        yield (
            f"Authorization: Bearer {m.jwt.replace('.', '.' + middle)}\nAccept: */*",
            [payload, signature],
            ["Accept: */*"],
        )


def cookies(m):
    """Cookie headers of servers and browsers, quoted, encoded, in JSON."""
    for name in (
        "sid",
        "JSESSIONID",
        "connect.sid",
        "_oauth2_proxy",
        "__Host-session",
        "ASP.NET_SessionId",
        "remember_me",
        "AWSALB",
        "x",
    ):
        value = f"s%3A{m.short}.{m.hex}"
        yield f'Cookie: theme=dark; {name}={value}; lang=de" 401', [m.short, m.hex], ["theme=dark", "lang=de"]
        yield (
            f"set-cookie: {name}={m.word}; Path=/; Secure; HttpOnly; SameSite=Lax",
            [m.word],
            ["Path=/", "SameSite=Lax"],
        )
        yield (
            json.dumps({"headers": {"cookie": f"theme=dark; {name}={value}"}, "x": "stay"}),
            [m.short, m.hex],
            ["stay"],
        )
        yield json.dumps({"request": {"cookies": {name: value, "lang": "de"}}}), [m.short], ['"lang": "de"']
        yield f"http.cookie[{name}]={value} 401", [m.short, m.hex], ["401"]


KINDS = {
    kind.__name__: kind
    for kind in (
        schemes,
        headers,
        parameters,
        encodings,
        shapes,
        cookies,
        connections,
        people,
        protocols,
        broken,
        harmless,
    )
}


def lines(kind: str, seed: int) -> list[tuple[str, list[str], list[str]]]:
    """(line, what must go, what must stay) of a kind."""
    return list(KINDS[kind](Material(seed)))
