"""A credential's text in, its shape out. The text is dropped here; nothing in the result can be replayed.

Taken apart piece by piece, so that the facts of a broken token say *where* it breaks. Whether a signature is right is
PyJWT's to say (collector/token/verification.py). Never raises.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import orjson

from collector.events import TokenFacts, TokenKind
from collector.redaction import safe_id, safe_text
from collector.token.claims import Claims, read_claims
from collector.token.credentials import Credential, is_redacted

MAX_TOKEN_CHARS: Final = 65_536  # gateways refuse headers far below this; a longer one is cut before it costs time
MAX_NAMES: Final = 64
MAX_KEPT_HEAD: Final = 2_048  # characters; with 2,048 of them kept at most 4 MB
URLSAFE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
HMAC_BYTES: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
EC_BYTES: Final = {"ES256": 64, "ES256K": 64, "ES384": 96, "ES512": 132}
ED_BYTES: Final = (64, 114)
RSA_BYTES: Final = (128, 192, 256, 320, 384, 512, 768, 1024)  # moduli in use; a cut signature has some other length

# Words of TokenFacts.anomalies that come from the token itself.
ANOMALIES: Final = (
    "padding", "standard_base64", "bad_base64_header", "bad_base64_payload", "bad_base64_signature", "header_not_json",
    "payload_not_json", "header_not_object", "payload_not_object", "header_duplicate_member", "payload_duplicate_member",
    "signature_empty", "signature_short", "signature_unpadded", "signature_long", "signature_der", "signature_text", "signature_cut", "payload_cut", "header_cut",
    "elided", "trailing_dot", "empty_part", "too_long", "kid_not_string", "alg_not_string", "alg_missing", "alg_case",
    "typ_not_string", "b64_false", "embedded_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenRead:
    """Facts of one credential and its times as Unix seconds (None: absent or not a number)."""

    facts: TokenFacts
    claims: Claims


@dataclass(frozen=True, slots=True)
class _Head:
    """A JOSE header: its object, what was odd in reading it, and its parameters as facts."""

    value: dict[str, Any] | None
    odd: tuple[str, ...]
    alg: str
    typ: str
    cty: str
    kid: str
    enc: str
    zip: str
    crit: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(slots=True)
class _Parts:
    """Scratch of one reading."""

    lengths: tuple[int, ...]
    head: _Head
    payload: dict[str, Any] | None
    signature: bytes | None
    odd: list[str]


NameUser = Callable[[str, str], tuple[str, int]]
"""Issuer and the user claim's value in, the pseudonym and its key epoch out: the value itself goes no further."""


def nobody(_issuer: str, _value: str) -> tuple[str, int]:
    """A NameUser that names nobody."""
    return "", 0


def read_token(credential: Credential, user_claim: str = "", name_user: NameUser = nobody) -> TokenRead:
    """The facts of a credential. `user_claim`: the configured one, when the issuer is known beforehand."""
    text = credential.value[:MAX_TOKEN_CHARS]
    base = TokenFacts(
        scheme=credential.scheme,
        location=credential.location,
        credentials=1,
        size=len(credential.value),
        anomalies=credential.anomalies,
    )
    if is_redacted(text):
        return _read_redacted(text, base, (user_claim, name_user))
    if not text or "value_null" in credential.anomalies or "value_template" in credential.anomalies:
        kind = TokenKind.ABSENT if not text else TokenKind.MALFORMED
        return TokenRead(replace(base, kind=kind), Claims())
    if "joined" in credential.anomalies:
        text = text.partition(",")[0].strip()
    return _read_text(text, base, (user_claim, name_user))


def read_claims_only(
    header: dict[str, Any] | None, payload: dict[str, Any], user_claim: str = "", name_user: NameUser = nobody
) -> TokenRead:
    """Facts of a token that the gateway logged as decoded claims."""
    facts = TokenFacts(kind=TokenKind.REDACTED, location="message", credentials=1)
    parts = _Parts((), _head(header, ()), payload, None, [])
    return _assemble(parts, facts, TokenKind.REDACTED, (user_claim, name_user))


def _read_redacted(text: str, base: TokenFacts, who: tuple[str, NameUser]) -> TokenRead:
    pieces = text.split(".")
    looks_whole = len(pieces) >= 2 and all(_is_urlsafe(piece) for piece in pieces[:2]) and len(pieces[0]) > 8
    if not looks_whole:
        return TokenRead(replace(base, kind=TokenKind.REDACTED), Claims())
    parts = _take_apart(pieces[:2])
    parts.odd = ["elided"]
    return _assemble(parts, base, TokenKind.REDACTED, who)


def _read_text(text: str, base: TokenFacts, who: tuple[str, NameUser]) -> TokenRead:
    pieces = text.split(".", 8)
    if len(pieces) == 5 and _header_of(pieces[0]) is not None:
        return _assemble(_take_apart(pieces[:1], lengths=pieces), base, TokenKind.JWE, who)
    if not _looks_like_jose(pieces):
        kind = TokenKind.MALFORMED if _is_broken_jose(text, pieces) else TokenKind.OPAQUE
        lengths = tuple(map(len, pieces)) if kind is TokenKind.MALFORMED else ()
        return TokenRead(replace(base, kind=kind, parts=lengths), Claims())
    parts = _take_apart(pieces)
    return _assemble(parts, base, _kind(parts, pieces), who)


def _looks_like_jose(pieces: list[str]) -> bool:
    """The first part is meant as a JOSE header, whole or not."""
    return pieces[0].startswith(("eyJ", "ewo", "ewog", "eyA", "ewkJ", "ew0K")) or _header_of(pieces[0]) is not None


def _is_broken_jose(text: str, pieces: list[str]) -> bool:
    """Meant as a JWT though its header is unreadable: three parts, or the literal JSON of one."""
    return (len(pieces) == 3 and len(text) > 40) or text[:1] in "{[" or ".eyJ" in text


def _header_of(piece: str) -> dict[str, Any] | None:
    decoded = _decode(piece, [], "header")
    value = _json(decoded) if decoded else None
    return value if isinstance(value, dict) and ("alg" in value or "enc" in value) else None


def _take_apart(pieces: list[str], lengths: list[str] | None = None) -> _Parts:
    head = _decoded_head(pieces[0]) if len(pieces[0]) <= MAX_KEPT_HEAD else _decoded_head.__wrapped__(pieces[0])
    odd: list[str] = list(head.odd)
    raw = [_decode(piece, odd, name) for piece, name in zip(pieces[1:], ("payload", "signature"), strict=False)]
    payload = _object(raw[0], odd, "payload") if raw else None
    if any(piece == "" for piece in pieces[:2]):
        odd.append("empty_part")
    if len(pieces) > 3:
        odd.append("trailing_dot" if pieces[3] == "" else "too_long")
    if raw and raw[0]:
        odd += _duplicates("payload", raw[0], payload)
    return _Parts(tuple(map(len, lengths or pieces)), head, payload, raw[1] if len(raw) > 1 else None, odd)


@lru_cache(maxsize=2048)
def _decoded_head(piece: str) -> _Head:
    """An issuer signs thousands of tokens under one header, so it is read once."""
    odd: list[str] = []
    data = _decode(piece, odd, "header")
    value = _object(data, odd, "header")
    return _head(value, (*odd, *_duplicates("header", data or b"", value)))


def _head(value: dict[str, Any] | None, odd: tuple[str, ...]) -> _Head:
    header = value or {}
    return _Head(
        value,
        odd,
        alg=_text(header.get("alg"), 40),
        typ=_text(header.get("typ"), 60),
        cty=_text(header.get("cty"), 60),
        kid=_text(header.get("kid"), 128),
        enc=_text(header.get("enc"), 40),
        zip=_text(header.get("zip"), 20),
        crit=_texts(header.get("crit")),
        names=tuple(safe_text(str(name), 40) for name in list(header)[:MAX_NAMES]),
    )


def _is_urlsafe(piece: str) -> bool:
    return URLSAFE.issuperset(piece)


def _decode(piece: str, odd: list[str], name: str) -> bytes | None:
    text = piece
    if "=" in text:
        text = text.rstrip("=")
        _note(odd, "padding")
    if "+" in text or "/" in text:
        text = text.replace("+", "-").replace("/", "_")
        _note(odd, "standard_base64")
    if "..." in piece or "…" in piece:
        _note(odd, "elided")
    if not _is_urlsafe(text):
        odd.append(f"bad_base64_{name}")
        return None
    if len(text) % 4 == 1:  # no byte string encodes to this length: the part was cut
        odd.append(f"{name}_cut")
        text = text[:-1]
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        odd.append(f"bad_base64_{name}")
        return None


def _note(odd: list[str], word: str) -> None:
    if word not in odd:
        odd.append(word)


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _object(data: bytes | None, odd: list[str], name: str) -> dict[str, Any] | None:
    if not data:
        return None
    value = _json(data)
    if isinstance(value, dict):
        return value
    if value is not None:
        odd.append(f"{name}_not_object")
    elif f"{name}_cut" not in odd:
        starts_well = data[:1] == b"{" and b'"' in data[:3]
        odd.append(f"{name}_cut" if starts_well and not data.rstrip().endswith(b"}") else f"{name}_not_json")
    return None


def _duplicates(name: str, data: bytes, value: dict[str, Any] | None) -> Iterator[str]:
    """Members named twice: parsers disagree on which one counts (RFC 7519, section 4)."""
    if value and data.count(b'":') > len(value) and _top_level_members(data) > len(value):
        yield f"{name}_duplicate_member"


def _top_level_members(data: bytes) -> int:
    """Members of the outermost object, counted on JSON that is known to be well formed."""
    depth = members = 0
    in_text = escaped = False
    for byte in data:
        if in_text:
            in_text = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_text = True
        elif byte in (0x7B, 0x5B):
            depth += 1
        elif byte in (0x7D, 0x5D):
            depth -= 1
        elif byte == 0x3A and depth == 1:
            members += 1
    return members


def _kind(parts: _Parts, pieces: list[str]) -> TokenKind:
    header = parts.head.value
    if header is None or len(pieces) not in (2, 3) or (len(pieces) == 2 and not _is_unsigned(header)):
        return TokenKind.MALFORMED
    if parts.payload is None:
        return TokenKind.MALFORMED
    return TokenKind.UNSIGNED if _is_unsigned(header) else TokenKind.JWS


def _is_unsigned(header: dict[str, Any]) -> bool:
    alg = header.get("alg")
    return isinstance(alg, str) and alg.lower() == "none"


def _assemble(parts: _Parts, base: TokenFacts, kind: TokenKind, who: tuple[str, NameUser]) -> TokenRead:
    user_claim, name_user = who
    head, header = parts.head, parts.head.value or {}
    odd = [*base.anomalies, *parts.odd, *_header_anomalies(header)]
    size = -1 if parts.signature is None else len(parts.signature)
    if kind in (TokenKind.JWS, TokenKind.MALFORMED) and parts.signature is not None and header:
        odd.extend(_signature_anomalies(str(header.get("alg", "")), parts.signature, odd))
    claims = read_claims(parts.payload, user_claim) if parts.payload is not None else Claims()
    user, key_epoch = name_user(claims.iss, claims.user_value) if claims.user_value else ("", 0)
    facts = TokenFacts(
        kind=kind,
        scheme=base.scheme,
        location=base.location,
        credentials=base.credentials,
        size=base.size,
        parts=parts.lengths,
        signature_bytes=size,
        alg=head.alg,
        typ=head.typ,
        cty=head.cty,
        kid=head.kid,
        enc=head.enc,
        zip=head.zip,
        crit=head.crit,
        header_names=head.names,
        iss=claims.iss,
        aud=claims.aud,
        client=claims.client,
        scopes=claims.scopes,
        token_use=claims.token_use,
        cnf=claims.cnf,
        claims=claims.types,
        faults=claims.faults,
        anomalies=tuple(dict.fromkeys(odd)),
        user=user,
        key_epoch=key_epoch,
    )
    return TokenRead(facts, claims)


def _text(value: object, limit: int) -> str:
    if value is None:
        return ""
    return safe_id(value if isinstance(value, str) else str(value), limit)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item, 60) for item in value[:10]) if isinstance(value, list) else ()


def _header_anomalies(header: dict[str, Any]) -> list[str]:
    odd = []
    alg = header.get("alg")
    if header and alg is None:
        odd.append("alg_missing")
    elif alg is not None and not isinstance(alg, str):
        odd.append("alg_not_string")
    elif (
        isinstance(alg, str)
        and alg != alg.upper()
        and alg.upper() in ("RS256", "HS256", "ES256", "PS256", "NONE")
        and alg != "none"
    ):
        odd.append("alg_case")
    if "kid" in header and not isinstance(header["kid"], str):
        odd.append("kid_not_string")
    if "typ" in header and not isinstance(header["typ"], str):
        odd.append("typ_not_string")
    if header.get("b64") is False:
        odd.append("b64_false")
    if "jwk" in header or "x5c" in header:
        odd.append("embedded_key")
    return odd


def _signature_anomalies(alg: str, signature: bytes, odd: list[str]) -> list[str]:
    length = len(signature)
    if length == 0:
        return ["signature_empty"]
    if length != HMAC_BYTES.get(alg) and signature.isascii() and signature.decode().isprintable():
        return ["signature_text"]  # random bytes do not look so: somebody wrote it by hand
    if "signature_cut" in odd:
        return ["signature_short"]
    expected = HMAC_BYTES.get(alg) or EC_BYTES.get(alg)
    if alg in EC_BYTES and _is_der(signature) and length != expected:
        return ["signature_der"]
    if expected is None:
        return _odd_length(alg, length)
    if length == expected:
        return []
    if alg in EC_BYTES and expected - length in (1, 2):  # of random R and S, one in 128 begins with a zero byte
        return ["signature_unpadded"]
    return ["signature_short" if length < expected else "signature_long"]


def _odd_length(alg: str, length: int) -> list[str]:
    if alg.startswith(("RS", "PS")) and length not in RSA_BYTES:
        return ["signature_short"]
    if alg == "EdDSA" and length not in ED_BYTES:
        return ["signature_short" if length < 64 else "signature_long"]
    return []


def _is_der(signature: bytes) -> bool:
    """An ASN.1 SEQUENCE of two INTEGERs, as OpenSSL writes ECDSA signatures; RFC 7518 wants R and S side by side."""
    return (
        len(signature) > 8
        and signature[0] == 0x30
        and signature[1] in (len(signature) - 2, 0x81)
        and 0x02 in signature[2:4]
    )
