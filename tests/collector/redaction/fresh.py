"""Kinds of lines that nobody listed before: secrets whose key is elsewhere, spoken, encoded in another way; and what must stay.

Each kind makes a line, what must not survive of it and what must. The first half was written before the rules that find them.
"""

import base64
import random
import string
import uuid

FIRST = ("Jane", "Tomasz", "Aiko", "Bilal", "Freya", "Ngozi", "Lucia", "Henrik")
LAST = ("Okafor", "Lindqvist", "Moreau", "Tanaka", "Kowalski", "Brankovic", "Sørensen", "Castillo")
CONSONANTS = "bcdfghjkmnpqrstvwxz"


class Values:
    """Fresh secrets and people of one seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def alnum(self, size):
        text = "".join(self.rng.choices(string.ascii_letters + string.digits, k=size))
        return text if any(c.isdigit() for c in text) and any(c.isalpha() for c in text) else self.alnum(size)

    def lower(self, size):
        text = "".join(self.rng.choices(string.ascii_lowercase + string.digits, k=size))
        return text if any(c.isdigit() for c in text) and any(c.isalpha() for c in text) else self.lower(size)

    def hex(self, size):
        return "".join(self.rng.choices("0123456789abcdef", k=size))

    def digits(self, size):
        return "".join(self.rng.choices("123456789", k=size))

    def password(self):
        word = self.rng.choice(("Winter", "Berlin", "Falcon", "Orchid", "Granit"))
        return self.rng.choice(
            (
                f"{word}{self.digits(4)}{self.rng.choice('!#?$%')}",
                self.alnum(14),
                f"{self.lower(6)}-{self.lower(5)}",
                "".join(self.rng.choices(CONSONANTS, k=9)) + self.digits(2),
            )
        )

    def user(self):
        return f"{self.rng.choice(FIRST).lower()}.{self.rng.choice(CONSONANTS)}{self.rng.choice(LAST[:6]).lower()}{self.digits(1)}"

    def name(self):
        return self.rng.choice(FIRST), self.rng.choice(LAST)

    def uuid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def jwt(self):
        body = b'{"sub":"usr_%s","iss":"https://idp.example/","exp":17954%s}' % (
            self.alnum(12).encode(),
            self.digits(5).encode(),
        )
        parts = (b'{"alg":"RS256","kid":"k1"}', body, self.rng.randbytes(48))
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def elsewhere(v):
    """A key, and its value somewhere behind it."""
    p, q, u = v.password(), v.password(), v.user()
    yield "yaml block folded", f"db:\n  client_secret: >\n    {p}\n  port: 5432", [p], ["port: 5432"]
    yield "yaml block escaped", f'{{"values":"password: |-\\n  {p}\\nreplicas: 3"}}', [p], ["replicas: 3"]
    yield (
        "print_r",
        f"Array\n(\n    [login] => {u}\n    [passwd] => {p}\n    [role] => admin\n)",
        [p, u],
        ["[role] => admin"],
    )
    yield (
        "var_dump",
        f'object(User)#3 (2) {{\n  ["secretKey"]=>\n  string({len(p)}) "{p}"\n  ["active"]=>\n  bool(true)\n}}',
        [p],
        ["bool(true)"],
    )
    yield (
        "multipart raw",
        f'--b1\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n{p}\r\n--b1\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\npassword\r\n--b1--',
        [p],
        ["grant_type"],
    )
    yield "multipart user", f'Content-Disposition: form-data; name="username"\n\n{u}\n--x', [u], []
    yield (
        "erlang tuple",
        f'auth failed {{user,<<"{u}">>}},{{password,<<"{p}">>}},{{vhost,<<"/prod">>}}',
        [u, p],
        ["/prod"],
    )
    yield "erlang proplist", f'[{{username,"{u}"}},{{secret,"{p}"}},{{port,5672}}]', [u, p], ["{port,5672}"]
    yield "elixir keyword", f'%{{token: "{p}", username: "{u}", port: 4000}}', [u, p], ["port: 4000"]
    yield (
        "insert values",
        f"INSERT INTO accounts (id, username, password, locale) VALUES (17, '{u}', '{p}', 'de_DE')",
        [u, p],
        ["17", "'de_DE'"],
    )
    yield (
        "insert two rows",
        f"insert into keys(api_key,scope) values ('{p}','read'),('{q}','write')",
        [p, q],
        ["'read'", "'write'"],
    )
    yield "identified by", f"GRANT ALL ON auth.* TO 'svc'@'%' IDENTIFIED BY '{p}' REQUIRE SSL", [p], ["REQUIRE SSL"]
    yield "identified with", f'CREATE USER app IDENTIFIED WITH caching_sha2_password BY "{p}"', [p], ["CREATE USER app"]
    yield (
        "pdo trace",
        f"#0 /srv/app/Db.php(31): PDO->__construct('mysql:host=db-2', 'app', '{p}')\n#1 {{main}}",
        [p],
        ["Db.php(31)"],
    )
    yield "mysqli trace", f"#1 lib.php(9): mysqli_connect('db-1', 'shop', '{p}', 'auth')", [p], ["lib.php(9)"]
    yield "login call", f'  at authenticate("{u}", "{p}") in auth.py:88', [p], ["auth.py:88"]
    yield "password from to", f"changed password of account 17 from {p} to {q}", [p, q], ["account 17"]
    yield "password set to", f"password for service billing was reset to {p}", [p], ["service billing"]
    yield "new password", f"Your new password is {p}, please change it", [p], ["please change it"]
    yield "temporary password", f"temporary password: {p} (valid 24 h)", [p], ["valid 24 h"]
    yield "basic pair", f"basic auth failed for {u}:{p} on /v1/orders", [p], ["/v1/orders"]
    yield "credentials pair", f"invalid credentials {u}:{p} from gateway edge-3", [p], ["edge-3"]
    yield "httpie", f"http -a {u}:{p} GET https://api.example/v1/me", [p], ["https://api.example/v1/me"]
    yield "auth option", f"hey --auth {u}:{p} -n 10 https://api.example/", [p], ["-n 10"]
    yield "sqlplus", f"sqlplus -s billing/{p}@db-4:1521/XE @report.sql", [p], ["@report.sql"]
    yield "net use", f"net use Z: \\\\files\\share {p} /user:CORP\\svc", [p], ["Z:"]
    yield "smbclient", f"smbclient //files/share -U 'svc%{p}' -c ls", [p], ["-c ls"]
    yield "openssl pass", f"openssl pkcs12 -in c.p12 -passin pass:{p} -nodes", [p], ["-nodes"]
    yield "keytool", f"keytool -list -keystore k.jks -storepass {p} -v", [p], ["k.jks"]
    yield "htpasswd", f"htpasswd -b /etc/nginx/.htpasswd {u} {p}", [p], ["/etc/nginx/.htpasswd"]
    yield "keys of other languages", f'{{"passwort":"{p}","benutzername":"{u}","status":401}}', [p, u], ['"status":401']
    yield "russian key", f"ошибка входа: логин={u} пароль={p} код=401", [p, u], ["401"]
    yield "chinese key", f'{{"用户名":"{u}","密码":"{p}","状态":"失败"}}', [p, u], ["失败"]
    yield "french key", f"mot_de_passe={p} identifiant={u} statut=401", [p], ["statut=401"]
    yield "spanish key", f'{{"contraseña":"{p}","intentos":3}}', [p], ['"intentos":3']
    yield "portuguese key", f"senha: {p}\nstatus: 401", [p], ["status: 401"]
    yield "japanese key", f"パスワード：{p} 状態：401", [p], ["401"]
    yield "numbered key", f'{{"password2":"{p}","token_1":"{q}","page":2}}', [p, q], ['"page":2']
    yield "suffixed key", f"api_token_old={p} db_password_prod={q} region=eu", [p, q], ["region=eu"]
    yield "confirmation key", f"password_confirmation={p}&passwordRepeat={q}&lang=de", [p, q], ["lang=de"]
    yield "short key", f"db.pw={p} smtpPw={q} tls=on", [p, q], ["tls=on"]
    yield "two word key", f"Session ID: {v.lower(24)}", None, ["Session"]
    yield "two word api key", f"API Key: {p}, plan: free", [p], ["plan: free"]
    yield "pass phrase", f"Pass Phrase: {p}\nplan: free", [p], ["plan: free"]
    yield "query array", f"POST /login user[name]={u}&user[password]={p}&utf8=x", [p], ["utf8=x"]
    yield "csv header", f"password changed for {u}: old={p} new={q}", [p, q], ["password changed"]


def spoken(v):
    """Short secrets and secrets in sentences."""
    d, h, low, t = v.digits(6), v.hex(32), v.lower(26), v.alnum(20)
    group = "-".join("".join(v.rng.choices("BCDFGHJKLMNPQRSTVWXZ", k=4)) for _ in range(2))
    yield "otp sentence", f"sent code {d} to device, expires in 300 s", [d], ["300 s"]
    yield (
        "otp is",
        f"Your verification code is {d[:3]}-{d[3:]}. It expires in 10 minutes",
        [d[:3] + "-" + d[3:]],
        ["10 minutes"],
    )
    yield "otp mismatch", f"2FA token {d} does not match, attempt 2", [d], ["attempt 2"]
    yield "sms code", f"SMS code '{d}' was rejected", [d], ["was rejected"]
    yield "pin", f"wrong PIN {d[:4]} for card reader", [d[:4]], ["card reader"]
    yield "backup code", f"backup code {v.lower(5)}-{v.lower(5)} used", None, ["used"]
    yield "recovery code", f"recovery code {v.hex(10)} was already used", None, ["was already used"]
    yield "user code", f"device flow: user code {group} approved", [group], ["approved"]
    yield (
        "enter code",
        f"Go to https://idp.example/device and enter the code {group}",
        [group],
        ["https://idp.example/device"],
    )
    yield "device code", f"polling with device code {low}: authorization_pending", [low], ["authorization_pending"]
    seed = "".join(v.rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=32))
    yield "totp seed", f"provisioned TOTP seed {seed} for enrolment", [seed], ["for enrolment"]
    yield "otpauth", f"otpauth://totp/Acme:shop?secret={seed}&issuer=Acme", [seed], ["issuer=Acme"]
    yield "session words", f"session {low} has expired, please log in", [low], ["has expired"]
    yield "session id words", f"no session with ID {h} found", [h], ["found"]
    yield "session quoted", f"unknown session '{t}'", [t], ["unknown session"]
    yield "magic uuid", f"GET /auth/magic/{(m := v.uuid())} 401", [m], ["401"]
    yield "reset link", f"mail queued: https://shop.example/password-reset/{(m := v.uuid())}", [m], ["shop.example"]
    yield "invite link", f"GET /invite/{(m := v.alnum(12))} 403", [m], ["403"]
    yield "unknown token", f"unknown token '{t}'", [t], ["unknown token"]
    yield (
        "token in words",
        f"refresh token {low} was revoked by an administrator",
        [low],
        ["was revoked by an administrator"],
    )
    yield "token uuid", f"opaque token {(m := v.uuid())} is not active", [m], ["is not active"]
    yield "api key words", f"the API key {t} is disabled", [t], ["is disabled"]
    yield "key quoted", f'no consumer for key "{low}"', [low], ["no consumer"]
    yield "oauth state", f"GET /cb?error=access_denied&state={(m := v.lower(16))} 302", [m], ["error=access_denied"]
    yield "oauth nonce", f'{{"nonce":"{(m := v.alnum(22))}","prompt":"login"}}', [m], ['"prompt":"login"']
    yield (
        "state mismatch",
        f"state mismatch: expected {(a := v.hex(24))}, got {(b := v.hex(24))}",
        [a, b],
        ["state mismatch"],
    )
    yield (
        "nonce mismatch",
        f"nonce mismatch: expected {(a := v.alnum(22))} but was {(b := v.alnum(22))}",
        [a, b],
        ["nonce mismatch"],
    )
    yield "auth code", f"authorization code {(m := v.alnum(18))} was already redeemed", [m], ["was already redeemed"]
    yield "shared secret words", f"shared secret is {t}", [t], ["shared secret"]


def encodings(v):
    """Bytes written out, and other bases."""
    token = "token=" + v.alnum(26)
    data = token.encode()
    rows = [data[at : at + 16] for at in range(0, len(data), 16)]
    secret = token[6:]
    hexes = [f"{byte:02x}" for byte in data]
    dump = "\n".join(
        f"{n * 16:08x}  {' '.join(f'{b:02x}' for b in row):<48} |{row.decode()}|" for n, row in enumerate(rows)
    )
    yield "hexdump", dump, [rows[1].decode(), " ".join(hexes[16:24])], []
    xxd = "\n".join(
        f"{n * 16:08x}: {' '.join(row.hex()[a : a + 4] for a in range(0, len(row.hex()), 4))}  {row.decode()}"
        for n, row in enumerate(rows)
    )
    yield "xxd", xxd, [rows[1].decode(), rows[1].hex()[:4] + " " + rows[1].hex()[4:8]], []
    yield "spaced hex", f"payload {' '.join(hexes)} end", [" ".join(hexes[8:20])], ["end"]
    yield "coloned hex", f"payload {':'.join(hexes)} end", [":".join(hexes[8:20])], ["end"]
    yield (
        "0x list",
        f"buf = {{ {', '.join('0x' + h for h in hexes)} }}",
        [", ".join("0x" + h for h in hexes[8:16])],
        ["buf"],
    )
    yield (
        "0x spaced upper",
        f"rx {' '.join('0x' + h.upper() for h in hexes)} ok",
        [" ".join("0x" + h.upper() for h in hexes[8:16])],
        ["ok"],
    )
    yield "decimal list", f"[{', '.join(map(str, data))}] rejected", [", ".join(map(str, data[8:20]))], ["rejected"]
    yield "go bytes", f"body=[{' '.join(map(str, data))}] status=401", [" ".join(map(str, data[8:20]))], ["status=401"]
    yield (
        "ascii85",
        f"blob <~{base64.a85encode(data).decode()}~> status=401",
        [base64.a85encode(data).decode()[5:25]],
        ["status=401"],
    )
    yield "reversed jwt", f"tok {(j := v.jwt())[::-1]} status=401", [j[::-1][10:60], j[::-1][-80:-50]], ["status=401"]
    yield (
        "base32",
        f"b32 {base64.b32encode(data).decode()} status=401",
        [base64.b32encode(data).decode()[8:40]],
        ["status=401"],
    )
    yield (
        "escaped octal",
        "raw " + "".join(f"\\{b:03o}" for b in data) + " end",
        ["".join(f"\\{b:03o}" for b in data[8:20])],
        ["end"],
    )
    yield (
        "python bytes",
        f"b'Authorization: Basic {base64.b64encode(data).decode()}' 401",
        [base64.b64encode(data).decode()[:20]],
        ["401"],
    )
    assert secret


def people(v):
    """Who somebody is."""
    u, (f, n) = v.user(), v.name()
    ip = f"{v.rng.randrange(20, 200)}.{v.rng.randrange(1, 250)}.{v.rng.randrange(1, 250)}.{v.rng.randrange(2, 250)}"
    a, b, c, d = map(int, ip.split("."))
    yield (
        "combined log user",
        f'{a}.{b}.{c}.0 - {u} [03/Mar/2026:10:00:01 +0000] "GET /v1/me HTTP/1.1" 401 12',
        [u],
        ["GET /v1/me", "401"],
    )
    yield "enduser.id", f'{{"enduser.id":"{u}","http.status_code":401}}', [u], ["401"]
    yield "cef", f"CEF:0|Acme|GW|1.0|401|denied|5|suser={u} act=blocked dst=orders", [u], ["act=blocked", "dst=orders"]
    yield "cef full name", f"CEF:0|Acme|GW|1.0|401|denied|5|duser={f} {n} act=blocked", [n], ["act=blocked"]
    yield "leef", f"LEEF:1.0|Acme|GW|1.0|401|usrName={u}\tsev=5\tproto=TCP", [u], ["sev=5"]
    yield "quoted full name", f"user '{f} {n}' is locked", [n], ["is locked"]
    yield "account full name", f'account "{f} {n}" not found in directory', [n], ["not found in directory"]
    yield (
        "saml claim uri",
        f'<Attribute Name="http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"><AttributeValue>{f}x{n}</AttributeValue></Attribute>',
        [f"{f}x{n}"],
        [],
    )
    yield (
        "saml oid",
        f'<saml2:Attribute Name="urn:oid:2.5.4.4"><saml2:AttributeValue>{n}berg</saml2:AttributeValue></saml2:Attribute>',
        [f"{n}berg"],
        [],
    )
    yield (
        "claim uri json",
        f'{{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name":"{u}","aud":"orders"}}',
        [u],
        ['"aud":"orders"'],
    )
    yield "phone us", f"sms to (415) 555-{v.digits(4)} failed", ["555-"], ["failed"]
    yield "phone words", f"phone number 0{v.digits(3)} {(m := v.digits(7))} is not verified", [m], ["is not verified"]
    yield "ssn", f"SSN: {(m := v.digits(3) + '-' + v.digits(2) + '-' + v.digits(4))} mismatch", [m], ["mismatch"]
    yield "ssn words", f"social security number {m} already enrolled", [m], ["already enrolled"]
    yield "passport", f"passport no. C{(m := v.digits(8))} expired", [m], ["expired"]
    yield "nino", f"national insurance number QQ{(m := v.digits(6))}C rejected", [m], ["rejected"]
    yield (
        "cpf",
        f"cpf {(m := v.digits(3) + '.' + v.digits(3) + '.' + v.digits(3) + '-' + v.digits(2))} inválido",
        [m],
        [],
    )
    yield (
        "decimal ip",
        f"client_ip={(a << 24) + (b << 16) + (c << 8) + d} status=401",
        [str((a << 24) + (b << 16) + (c << 8) + d)],
        ["status=401"],
    )
    yield "dashed ip", f"connect from ec2-{a}-{b}-{c}-{d}.compute.example port 443", [f"-{b}-{c}-{d}."], ["port 443"]
    yield "local mail", f"mail for {u}@localhost bounced", [u], ["bounced"]
    yield "logged in as", f"user {u} logged in from web", [u], ["logged in"]
    yield "for user", f"authentication failure for user {u}: account locked", [u], ["account locked"]
    yield "login name", f"login failed: name={f} surname={n}x locale=de", [f"{n}x"], ["locale=de"]
    yield (
        "dob",
        f"date of birth 19{v.digits(2)}-0{v.digits(1)}-1{(m := v.digits(1))} does not match",
        [f"-1{m} "],
        ["does not match"],
    )


def hashes(v):
    """Hashes of passwords, and vendors."""
    crypt = "".join(v.rng.choices("./" + string.ascii_letters + string.digits, k=53))
    yield "apr1", f"svc:$apr1${crypt[:8]}${crypt[8:30]}", [crypt[8:30]], []
    yield "bcrypt", f"hash $2y$10${crypt} does not match", [crypt[5:40]], ["does not match"]
    yield "shadow", f"root:$6${crypt[:16]}${crypt}:19700:0:99999:7:::", [crypt[:30]], []
    yield "yescrypt", f"deploy:$y$j9T${crypt[:22]}${crypt[:43]}:19700::::::", [crypt[:40]], []
    yield (
        "argon2",
        f"stored $argon2id$v=19$m=65536,t=3,p=4${crypt[:22].replace('.', 'A')}${crypt[:43].replace('.', 'B')} rehashed",
        [crypt[:20].replace(".", "A")],
        ["rehashed"],
    )
    yield "ssha", f"userPassword: {{SSHA}}{(m := base64.b64encode(v.rng.randbytes(28)).decode())}", [m[:20]], []
    yield (
        "django",
        f"pbkdf2_sha256$600000${v.alnum(22)}${(m := base64.b64encode(v.rng.randbytes(32)).decode())}",
        [m[:20]],
        [],
    )
    yield "mysql hash", f"authentication_string *{(m := v.hex(40).upper())}", [m], []
    yield "launchdarkly", f"flag client sdk-{(m := v.uuid())} rejected", [m], ["rejected"]
    yield "launchdarkly mobile", f"mob-{(m := v.uuid())} is not a valid key", [m], []
    yield (
        "shopify hmac",
        f"X-Shopify-Hmac-Sha256: {(m := base64.b64encode(v.rng.randbytes(32)).decode())}",
        [m[:20]],
        [],
    )
    yield "snyk", f"SNYK_TOKEN={(m := v.uuid())}", [m], []
    yield "snyk words", f"snyk auth {(m := v.uuid())}", [m], []


def harmless(v):
    """Nothing to find: what a diagnosis reads."""
    for kind, line in (
        ("okta issuer", f"iss=https://acme.okta.example/oauth2/aus{v.alnum(17)} is not trusted"),
        ("okta issuer words", f"issuer https://dev-1.okta.example/oauth2/aus{v.alnum(17)} does not match"),
        ("quoted kid", f'no key with kid "{v.alnum(27)}" in the JWKS'),
        ("quoted kid single", f"kid '{v.hex(40)}' not found"),
        ("github subject", "Assertion Subject: 'repo:acme/shop:ref:refs/heads/main' does not match"),
        ("gitlab subject", "subject 'project_path:acme/shop:ref_type:branch:ref:main' is not allowed"),
        ("status code", "upstream status code 401, error code 4011, response code 503"),
        ("error codes", "error code AADSTS50126 code E4015 code 16 UNAUTHENTICATED"),
        ("json parse", "Unexpected token '<' in JSON at position 0; unexpected token 'e' near line 14"),
        ("token words", "token 'access_token' expected; token \"id_token\" is not an access token; invalid token type 'refresh'"),
        ("session words", "session expired; session cookie missing; session lifetime 3600; session not found for request"),
        ("password words", "password expired; password changed from the console; the password is wrong; password must be changed"),
        ("pin words", "pin the certificate; pinned 3 keys; pip 24.0"),
        ("key words", "key rotation 2026-11-30; key size 2048 bits; key id rotated-2026Q4; api key missing; api key authentication failed"),
        ("fingerprint", "SHA256 fingerprint " + ":".join(v.hex(2).upper() for _ in range(32))),
        ("thumbprint", f"x5t#S256 {v.alnum(43)} does not match certificate"),
        ("dashes", "2026-11-30T10-00-01 build 1-2-3-4 rev 10-20-30 2026-11-30 10-11-12-13x"),
        ("numbers", "took 3405 ms at offset 3405803785 in partition 7, exp 1795430000, id 1234567890"),
        ("user words", "user not found; user is disabled; user agent curl/8.7.1; user pool eu-west-1_AbCdEf; user claim missing"),
        ("phone words", "phone scope missing; phone claim not allowed; call 3 of 5 failed after 120 ms"),
        ("login words", "login required; login failed: invalid grant; login page /login; for user agent kube-probe"),
        ("combined log", '10.1.2.0/24 - - [03/Mar/2026:10:00:01 +0000] "GET /reset/password HTTP/1.1" 401 12'),
        ("routes", "GET /auth/verify/status /invite/list /reset/request /magic/link /confirm/email 404"),
        ("sql", "SELECT id, scope FROM grants WHERE state = 'open' ORDER BY id; INSERT INTO audit (id, action) VALUES (7, 'login')"),
        ("bytes", "bytes [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] buckets 10 20 30 40 50 60 70 80 90 95 99 100"),
        ("erlang", "{error,{invalid_token,expired}} {badmatch,{error,nxdomain}} {status,401}"),
        ("credentials words", "invalid credentials: expired; credentials for host:443 missing; auth failed for localhost:8080"),
        ("state words", "state mismatch: expected open, got closed; nonce mismatch; nonce missing; state parameter missing"),
        ("code words", "authorization code expired; authorization code was already redeemed; verification code required; code challenge method S256"),
        ("audience", "audience 'api://orders-7731' expected, got ['https://api.example/v2', 'account']"),
    ):  # fmt: skip
        yield kind, line, [], [line]


GROUPS = {group.__name__: group for group in (elsewhere, spoken, encodings, people, hashes, harmless)}


def lines(group, seed):
    """(kind, line, what must go, what must stay); None as what must go: the last word with a digit of the line."""
    for kind, line, gone, keep in GROUPS[group](Values(f"{group}-{seed}")):
        last = (
            [next(word for word in reversed(line.split()) if any(c.isdigit() for c in word))] if gone is None else gone
        )
        yield kind, line, last, keep
