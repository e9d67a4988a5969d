"""Generated records around credentials: connections, people, protocols, broken and harmless ones."""

import base64
import json
import zlib
from urllib.parse import quote

from tests.collector.redaction.material import KEEP, line_with
from tests.collector.redaction.samples import b64


def connections(m):
    """Passwords in URLs, DSNs and connection strings; keys in PEM and JWK."""
    password = m.word.strip("!")
    for scheme in ("postgres", "redis", "amqps", "mongodb+srv", "https", "mysql", "kafka", "ldap"):
        yield (
            f"dial {scheme}://svc:{password}@db-1.internal:5432/orders?ssl=1 refused",
            [password],
            ["db-1.internal", "orders"],
        )
    yield f"dial redis://:{password}@cache-1:6379/0 refused", [password], ["cache-1"]
    yield f"dsn=svc:{password}@tcp(db-1:3306)/orders refused", [password], ["db-1:3306"]
    yield (
        f"Server=db-1;Database=orders;User Id=svc;Password={password};Encrypt=yes",
        [password],
        ["Server=db-1", "Encrypt=yes"],
    )
    yield f"host=db-1 user=svc password='{password}' dbname=orders", [password], ["host=db-1", "dbname=orders"]
    yield (
        f"jdbc:postgresql://db-1/orders?user=svc&password={password}&ssl=true",
        [password],
        ["db-1/orders", "ssl=true"],
    )
    account = b64(m.rng.randbytes(64), url=False, pad=True)
    yield (
        f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={account};EndpointSuffix=x",
        [account[:40]],
        ["EndpointSuffix=x"],
    )
    yield (
        f"Endpoint=sb://ns.example/;SharedAccessKeyName=Root;SharedAccessKey={account}",
        [account[:40]],
        ["ns.example"],
    )
    body = b64(m.rng.randbytes(120), url=False, pad=True)
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    for name in (
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ):
        for newline in ("\n", "\\n", "\\\\n", " "):
            pem = newline.join((f"-----BEGIN {name}-----", *lines, f"-----END {name}-----"))
            yield f'key="{pem}" loaded={KEEP[0]}', [lines[0], lines[1][:30]], [KEEP[0]]
    jwk = {"kty": "EC", "crv": "P-256", "d": b64(m.rng.randbytes(32)), "kid": "k-eu-17"}
    yield json.dumps(jwk), [jwk["d"]], ["k-eu-17", "P-256"]
    yield json.dumps({"keys": [{"kty": "oct", "k": b64(m.rng.randbytes(32)), "kid": "k-1"}]}), [], ["k-1"]


def people(m):
    """Personal data in claims, headers, certificates and sentences."""
    names = (
        "sub",
        "email",
        "preferred_username",
        "upn",
        "unique_name",
        "username",
        "login_hint",
        "phone_number",
        "given_name",
        "family_name",
        "birthdate",
    )
    for name in names:
        yield (
            json.dumps({"claims": {name: m.user, "email_verified": True, "aud": "orders-api"}}),
            [m.user],
            ["orders-api"],
        )
        yield f"rejected claims.{name}={m.user} aud=orders-api", [m.user], ["aud=orders-api"]
        yield f"rejected {name}: '{m.user}', aud: 'orders-api'", [m.user], ["orders-api"]
    for email in (
        m.email,
        m.email.upper(),
        quote(m.email),
        m.email.replace("@", "+gw@"),
        f'"{m.user}"@mailbox.example',
        m.email.replace("@", "&#64;"),
    ):
        yield f"no account for {email} in tenant acme", [m.user, m.user.upper() + "@"], ["tenant acme"]
        yield f"GET /users/{email}/orders 403", [m.user, m.user.upper() + "@"], ["/orders 403"]
    a, b = m.rng.randrange(11, 250), m.rng.randrange(11, 250)
    for text in (
        f"X-Forwarded-For: 198.51.{a}.{b}, 10.0.{b}.{a}",
        f"client: 198.51.{a}.{b}, server: x",
        f"from [198.51.{a}.{b}]:443",
        f"remote=198.51.{a}.{b}:5120",
        f'"ip":"198.51.{a}.{b}"',
        f"forwarded: for=198.51.{a}.{b};proto=https",
    ):
        yield text, [f"198.51.{a}.{b}"], [f"198.51.{a}.0/24"]
    v6 = f"2001:db8:{a:x}:{b:x}::{m.rng.randrange(4096, 65535):x}"
    for text in (f"from [{v6}]:443 x", f"client_ip={v6} x", f'Forwarded: for="[{v6}]" x'):
        yield text, [v6], ["x"]
    for word in ("user", "User", "account", "principal", "username"):
        yield f"login failed for {word} '{m.user}' from edge", [m.user], ["login failed for", "from edge"]
    number = f"370400440532{m.rng.randrange(10**6):06}"
    iban = f"DE{98 - int(number + '131400') % 97:02}{number}"
    yield f"refund to {iban} refused", [iban, number], ["refund to", "refused"]
    phone = f"+49 151 {m.rng.randrange(10**6, 10**7)}"
    yield f"otp sent to {phone} for login", [phone, phone[-7:]], ["for login"]
    yield (
        f'XFCC By=spiffe://acme/sa/gw;Subject="emailAddress={m.email},CN=Jane {m.user},O=Acme";URI=spiffe://acme/sa/web',
        [m.user],
        ["spiffe://acme/sa/gw", "spiffe://acme/sa/web"],
    )
    yield f"subject=/C=DE/O=Acme/CN={m.user}/emailAddress={m.email} unknown ca", [m.user], ["O=Acme", "unknown ca"]
    yield (
        f"IDX10503: Signature validation failed. Token: '{m.jwt}'. Exceptions caught: ''. kid: 'k-eu-17'",
        m.jwt_secrets(),
        ["IDX10503", "k-eu-17"],
    )


def protocols(m):
    """Challenges, signatures and assertions of HTTP's other schemes."""
    account = f"AKIA{''.join(m.rng.choices('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', k=16))}"
    yield (
        f"Authorization: AWS4-HMAC-SHA256 Credential={account}/20261123/eu-west-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature={m.hex}{m.hex[:24]}",
        [account, m.hex],
        ["SignedHeaders=host;x-amz-date"],
    )
    yield (
        f'Authorization: Digest username="{m.user}", realm="api", nonce="1:ab", uri="/v1", response="{m.hex[:32]}"',
        [m.user, m.hex[:32]],
        ['realm="api"', 'uri="/v1"'],
    )
    yield (
        f'Authorization: Hawk id="dh37", ts="1795430000", nonce="j4h3g2", mac="{b64(m.rng.randbytes(32), url=False, pad=True)}"',
        [],
        ["ts="],
    )
    yield (
        f'Authorization: OAuth oauth_consumer_key="{m.short}", oauth_token="{m.opaque}", oauth_signature="{quote(m.signature)}"',
        [m.opaque, m.signature],
        [],
    )
    basic = base64.b64encode(f"{m.user}:{m.word}".encode()).decode()
    for text in (f"Basic {basic}", f"basic:{basic}", f"Basic%20{quote(basic)}"):
        yield line_with(f"authorization={text}"), [basic.rstrip("="), quote(basic)], KEEP
    saml = base64.b64encode(
        zlib.compress(f"<saml:Assertion><saml:NameID>{m.user}</saml:NameID></saml:Assertion>".encode())[2:-4]
    ).decode()
    yield f"GET /acs?SAMLResponse={quote(saml, safe='')}&RelayState=home 403", [quote(saml, safe="")], ["/acs?", "403"]
    for option in ("--password", "--token", "--client-secret", "--api-key"):
        yield f"gatewayctl login {option} {m.word} --region eu-1", [m.word], ["--region eu-1"]
        yield f"gatewayctl login {option} '{m.word}' --region eu-1", [m.word], ["--region eu-1"]
    for flag in ("-u", "--user"):
        yield (
            f"curl {flag} {m.user}:{m.word.strip('!')} https://api.example.com/v1 401",
            [m.word.strip("!")],
            ["https://api.example.com/v1"],
        )
    yield (
        f"curl -H 'Authorization: Bearer {m.opaque}' https://api.example.com/v1 401",
        [m.opaque],
        ["https://api.example.com/v1"],
    )
    yield (
        f'curl -H "X-Custom-Key: {m.opaque}" https://api.example.com/v1 401',
        [m.opaque],
        ["https://api.example.com/v1"],
    )
    yield (
        f'GraphQL variables: {{"input":{{"password":"{m.word}","email":"{m.email}"}}}} op=Login',
        [m.word, m.user],
        ["op=Login"],
    )
    yield f"env: API_TOKEN={m.short} DB_PASSWORD={m.word} PATH=/usr/bin", [m.short, m.word], ["PATH=/usr/bin"]
    yield (
        f"<soap:Header><wsse:Password Type='x'>{m.word}</wsse:Password></soap:Header><code>401</code>",
        [m.word],
        ["401"],
    )
    yield f"credentials: {{ username: {m.user}, password: {m.word} }} realm: api", [m.word, m.user], ["realm: api"]
    yield f"Proxy: {m.user}:{m.word.strip('!')}@proxy.internal:3128 refused", [m.word.strip("!")], ["refused"]


def broken(m):
    """What truncation, nesting, repetition and wrapping leave of a record."""
    head = '{"level":"warn","req":{"headers":{"authorization":"Bearer '
    yield head + m.jwt[:-30], [m.payload, m.payload[12:40]], ['"level":"warn"']
    yield head + m.opaque, [m.opaque], ['"level":"warn"']
    yield f'{{"password":"{m.word}","password":"{m.short}","route":"/v1/me"', [m.word, m.short], ["/v1/me"]
    deep = "".join(f'{{"k{i}":' for i in range(40)) + f'{{"client_secret":"{m.short}"}}' + "}" * 40
    yield deep, [m.short], ["k39"]
    yield f"<wsse:Security><wsse:Password Type='x'>{m.word}", [m.word], ["wsse:Security"]
    yield f"<h><password x='1'>{m.short}</h> 401", [m.short], ["401"]
    line = json.dumps({"access_token": m.opaque, "route": "/v1/me"})
    for _ in range(4):
        line = json.dumps({"log": line})
    yield line, [m.opaque], ["/v1/me"]
    yield (
        f"<34>1 2026-11-23T10:00:00Z gw-1 kong 7 - - [auth] token={m.opaque} {KEEP[0]}",
        [m.opaque],
        ["gw-1 kong", KEEP[0]],
    )
    yield f"{m.opaque[:20]}\u2026 Authorization: Bearer {m.opaque} {m.opaque}", [m.opaque], ["Authorization: Bearer"]
    yield f"a={m.jwt}{m.jwt}|{m.opaque}", [*m.jwt_secrets(), m.opaque], []
    yield f"key\tvalue\ntoken\t{m.opaque}\nroute\t/v1/me", [m.opaque], ["/v1/me"]
    yield f"Authorization\n  Bearer {m.opaque}\nHost: api", [m.opaque], ["Host: api"]
    yield f"csv,{m.email},{m.opaque},401", [m.email, m.opaque], ["csv", "401"]
    yield f"t\u03bfken={m.opaque} pass\u0461ord", [m.opaque], []
    yield f"\uff54\uff4f\uff4b\uff45\uff4e\uff1d{m.short} x", [m.short], ["x"]
    yield f"\x1b[31mapi\x1b[0m_key\x1b[1m=\x1b[0m{m.short} x", [m.short], ["x"]


def harmless(m):
    """Identifiers, words and numbers that only look like it."""
    uuid = f"{m.hex[:8]}-{m.hex[8:12]}-4{m.hex[13:16]}-a{m.hex[17:20]}-{m.hex[20:32]}"
    thumb = b64(m.rng.randbytes(32))
    texts = (
        f"kid={thumb} not found in 3 keys", f'{{"kid":"{thumb}","alg":"RS256"}}', f"traceparent: 00-{m.hex[:32]}-{m.hex[:16]}-01",
        f"trace_id={m.hex[:32]} span_id={m.hex[:16]}", f"request_id={uuid}", f"GET /v1/orders/{uuid}/items 401", f"x5t={thumb[:27]}",
        f"image=repo/gw@sha256:{m.hex}{m.hex[:24]}", f'etag W/"{m.hex}"', f"commit {m.hex} deployed",
        "token expired at 1795430000, now 1795431337", "Jwt verification fails", "jwt_authn_access_denied{Jwt_issuer_is_not_configured}",
        'Bearer realm="api", error="insufficient_scope", scope="orders:write"', "tokens=512 max_tokens=4096 author=jane keyboard=us",
        "the access token is missing the required claim aud", "unsupported alg none for key k-eu-17", "password grant is disabled",
        "com.nimbusds.jose.proc.BadJOSEException: Signed JWT rejected: Another algorithm expected, or no matching key(s) found",
        "failed to fetch https://idp.example.com/realms/prod/protocol/openid-connect/certs: 503", "cookie absent, session not found",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        "arn:aws:iam::123456789012:role/gateway-authorizer", "system:serviceaccount:payments:builder", "spiffe://acme.example/ns/prod/sa/gw",
    )  # fmt: skip
    for text in texts:
        yield text, [], [text]
