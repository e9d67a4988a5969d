"""Credentials and personal data made anew for each seed, by the names that rule data uses in braces."""

import base64
import gzip
import json
import random
from pathlib import Path
from urllib.parse import quote

RULES = Path(__file__).parents[3] / "collector" / "redaction" / "rules"
SEEDS = range(5)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def make(seed):
    """Name -> (text to put in, substrings of it that must not survive)."""
    rng = random.Random(seed)
    return dict(_tokens(rng)) | dict(_encoded(rng)) | dict(_people(rng))


def letters(rng, size):
    return "".join(rng.choices(_LETTERS, k=size))


def b64(data, *, url=True, pad=False):
    text = (base64.urlsafe_b64encode if url else base64.b64encode)(data).decode()
    return text if pad else text.rstrip("=")


def _claims(rng):
    subject = "usr_" + letters(rng, 18)
    return {
        "iss": "https://idp.example.com/",
        "sub": subject,
        "aud": "orders-api",
        "exp": 1795430000 + rng.randrange(9999),
    }


def _jwt(rng, header=None, *, url=True, pad=False, indent=None):
    header = header or {"alg": "RS256", "typ": "JWT", "kid": letters(rng, 8)}
    parts = [json.dumps(part, indent=indent).encode() for part in (header, _claims(rng))]
    return ".".join(b64(part, url=url, pad=pad) for part in (*parts, rng.randbytes(64)))


def _tokens(rng):
    jwt = _jwt(rng)
    header, payload, signature = jwt.split(".")
    yield "jwt", (jwt, [payload, signature, payload[40:68]])
    spaced = b64(b"\r\n {" + json.dumps({"alg": "HS256"}).encode()[1:]) + "." + payload + "." + signature
    yield "jwt_spaced", (spaced, [payload, signature])
    standard = _jwt(rng, url=False, pad=True)
    yield "jwt_standard", (standard, standard.split("."))
    secret = [b64(rng.randbytes(n)) for n in (12, 40, 16)]
    jwe = b64(b'{"alg":"dir","enc":"A256GCM"}') + ".." + ".".join(secret)
    yield "jwe_dir", (jwe, secret[1:])
    yield "jws_detached", (f"{header}..{signature}", [signature])
    yield "jwt_none", (b64(b'{"alg":"none"}') + f".{payload}.", [payload])
    tiny = b64(b'{"sub":"%d"}' % rng.randrange(10, 99))
    yield "jwt_tiny", (b64(b'{"alg":"none"}') + f".{tiny}.", [tiny])
    disclosure = b64(json.dumps([letters(rng, 16), "email", "jane@example.com"]).encode())
    yield "sd_jwt", (f"{jwt}~{disclosure}~", [payload, signature, disclosure])
    yield "payload", (payload, [payload, payload[10:40]])
    yield "jwt_head_lost", (payload[7:] + "." + signature, [payload[30:60], signature])
    yield "jwt_tail_lost", (header + "." + payload[:60], [payload[:60]])
    yield "signature", (_mixed(rng, 43), None)
    yield "signature2", (_mixed(rng, 43), None)
    yield "opaque", (_mixed(rng, 40), None)
    yield "opaque2", (_mixed(rng, 32), None)
    yield "word", ("q" + "".join(rng.choices("bcdfghjklmnpqrtvwxz", k=9)), None)
    yield "word2", ("z" + "".join(rng.choices("bcdfghjklmnpqrtvwxy", k=9)), None)
    yield "hex32", (rng.randbytes(16).hex(), None)
    yield "basic", (b64(f"svc-billing:{letters(rng, 12)}".encode(), url=False, pad=True), None)


def _mixed(rng, size):
    """What a generator of keys gives; drawn again in the rare case that it lacks digits."""
    text = letters(rng, size)
    return text if sum(c.isdigit() for c in text) >= 3 else _mixed(rng, size)


def _encoded(rng):
    jwt = _jwt(rng)
    header, payload, signature = jwt.split(".")
    once = b64(f"Bearer {jwt}".encode())
    yield "twice", (b64(once.encode()), None)
    yield "gzip", (b64(gzip.compress(jwt.encode(), mtime=0), pad=True), None)
    yield "hex_jwt", (jwt.encode().hex(), None)
    yield "pct_all", ("".join(f"%{ord(c):02X}" for c in jwt), None)
    yield "unicode_all", ("".join(f"\\u{ord(c):04x}" for c in jwt), None)
    yield "html_all", ("".join(f"&#{ord(c)};" for c in jwt), None)
    yield (
        "zero_width",
        ("\u200b".join((header + ".", payload[:30], payload[30:] + "." + signature)), [payload[30:], signature]),
    )
    yield "ansi", (f"\x1b[36m{header}\x1b[0m.\x1b[35m{payload}\x1b[0m.\x1b[34m{signature}\x1b[0m", [payload, signature])
    yield "folded", (f"{header}.\n {payload}.\n\t{signature}", [payload, signature])


def _people(rng):
    email = f"{letters(rng, 6).lower()}.okonkwo{rng.randrange(99)}+gw@mailbox.example"
    yield "email", (email, None)
    yield "email_pct", (quote(email, safe=""), None)
    yield "ipv4", (f"203.0.113.{rng.randrange(10, 250)}", None)
    yield "ipv6", (f"2001:db8:85a3::8a2e:370:{rng.randrange(4096, 65535):x}", None)


def fill(raw, values):
    """The text with its braces filled, and what must not survive."""
    gone = []
    for name, (text, parts) in values.items():
        brace = "{" + name + "}"
        if brace in raw:
            gone += parts if parts is not None else [text]
            raw = raw.replace(brace, text)
    return raw, gone


def vendor_example(pattern, seed):
    """`{36}` becomes 36 letters and digits, `{36U}` upper case, `{36h}` hexadecimal."""
    rng = random.Random(seed)
    kinds = {"U": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "h": "0123456789abcdef", "": _LETTERS}
    out, rest = "", pattern
    while "{" in rest:
        before, _, rest = rest.partition("{")
        size, _, rest = rest.partition("}")
        digits = size.rstrip("Uh")
        out += before + "".join(rng.choices(kinds[size[len(digits) :]], k=int(digits)))
    return out + rest
