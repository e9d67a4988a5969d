"""A credential's text in, its shape out. The text is dropped here; nothing in the result can be replayed.

Taken apart piece by piece, so that the facts of a broken token say *where* it breaks. Whether a signature is right is
PyJWT's to say (collector/token/verification.py). Never raises.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from msgspec import Struct
from msgspec.structs import replace

from collector.events import TokenFacts, TokenKind
from collector.redaction import fixed, safe_algorithm, safe_id, safe_media_type, safe_name
from collector.safe import EMPTY, Safe
from collector.structs import Dataclass
from collector.token.anomalies import header_anomalies, signature_anomalies
from collector.token.claims import Claims, read_claims
from collector.token.credentials import Credential, kept_of

MAX_TOKEN_CHARS: Final = 65_536  # gateways refuse headers far below this; a longer one is cut before it costs time
MAX_NAMES: Final = 64
MAX_KEPT_HEAD: Final = 2_048  # characters; with 2,048 of them kept at most 4 MB
URLSAFE: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# Words of TokenFacts.anomalies that come from the token itself.
ANOMALIES: Final = (
    "padding", "standard_base64", "bad_base64_header", "bad_base64_payload", "bad_base64_signature", "header_not_json",
    "payload_not_json", "header_not_object", "payload_not_object", "header_duplicate_member", "payload_duplicate_member",
    "signature_empty", "signature_short", "signature_unpadded", "signature_long", "signature_der", "signature_text", "signature_cut", "payload_cut", "header_cut",
    "elided", "trailing_dot", "empty_part", "too_long", "kid_not_string", "alg_not_string", "alg_missing", "alg_case",
    "typ_not_string", "b64_false", "embedded_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a compact JWS and the anomalies that tell where it breaks."""

    bad_base64: Safe
    cut: Safe
    not_json: Safe = EMPTY
    not_object: Safe = EMPTY
    duplicate_member: Safe = EMPTY


_HEADER: Final = _Part(
    bad_base64=fixed("bad_base64_header"),
    cut=fixed("header_cut"),
    not_json=fixed("header_not_json"),
    not_object=fixed("header_not_object"),
    duplicate_member=fixed("header_duplicate_member"),
)
_PAYLOAD: Final = _Part(
    bad_base64=fixed("bad_base64_payload"),
    cut=fixed("payload_cut"),
    not_json=fixed("payload_not_json"),
    not_object=fixed("payload_not_object"),
    duplicate_member=fixed("payload_duplicate_member"),
)
_SIGNATURE: Final = _Part(bad_base64=fixed("bad_base64_signature"), cut=fixed("signature_cut"))
_PADDING: Final = fixed("padding")
_STANDARD_BASE64: Final = fixed("standard_base64")
_ELIDED: Final = fixed("elided")
_EMPTY_PART: Final = fixed("empty_part")
_TRAILING_DOT: Final = fixed("trailing_dot")
_TOO_LONG: Final = fixed("too_long")
_MESSAGE: Final = fixed("message")


class TokenRead(Dataclass, Struct, frozen=True, gc=False):
    """Facts of one credential and its times as Unix seconds (None: absent or not a number)."""

    facts: TokenFacts
    claims: Claims


class _Head(Dataclass, Struct, frozen=True, gc=False):
    """A JOSE header: its object, what was odd in reading it, and its parameters as facts."""

    value: dict[str, Any] | None
    odd: tuple[Safe, ...]
    alg: Safe
    typ: Safe
    cty: Safe
    kid: Safe
    enc: Safe
    zip: Safe
    crit: tuple[Safe, ...]
    names: tuple[Safe, ...]
    anomalies: tuple[Safe, ...]  # of its parameters


class _Parts(Dataclass, Struct, gc=False):
    """Scratch of one reading."""

    lengths: tuple[int, ...]
    head: _Head
    payload: dict[str, Any] | None
    signature: bytes | None
    odd: list[Safe]


NameUser = Callable[[str, str], tuple[Safe, int]]
"""Issuer and the user claim's value in, the pseudonym and its key epoch out: the value itself goes no further."""


def nobody(_issuer: str, _value: str) -> tuple[Safe, int]:
    """A NameUser that names nobody."""
    return EMPTY, 0


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
    kept = kept_of(text)
    if kept is not None:
        return _read_redacted(kept, base, (user_claim, name_user))
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
    facts = TokenFacts(kind=TokenKind.REDACTED, location=_MESSAGE, credentials=1)
    parts = _Parts(lengths=(), head=_head(header, ()), payload=payload, signature=None, odd=[])
    return _assemble(parts, facts, TokenKind.REDACTED, (user_claim, name_user))


def _read_redacted(kept: str, base: TokenFacts, who: tuple[str, NameUser]) -> TokenRead:
    """Of a value that the log cut or masked: what stands before the mark still tells algorithm, key and claims."""
    pieces = kept.split(".", 8)
    if not (_is_urlsafe(pieces[0]) and len(pieces[0]) > 8):
        return TokenRead(replace(base, kind=TokenKind.REDACTED), Claims())
    parts = _take_apart(pieces[:2])
    parts.odd = [_ELIDED]
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
    decoded = _decode(piece, [], _HEADER)
    value = _json(decoded) if decoded else None
    return value if isinstance(value, dict) and ("alg" in value or "enc" in value) else None


def _take_apart(pieces: list[str], lengths: list[str] | None = None) -> _Parts:
    head = _decoded_head(pieces[0]) if len(pieces[0]) <= MAX_KEPT_HEAD else _decoded_head.__wrapped__(pieces[0])
    odd = list(head.odd)
    data = _decode(pieces[1], odd, _PAYLOAD) if len(pieces) > 1 else None
    signature = _decode(pieces[2], odd, _SIGNATURE) if len(pieces) > 2 else None
    payload = _object(data, odd, _PAYLOAD)
    odd += _count_anomalies(pieces)
    if data:
        odd += _duplicates(_PAYLOAD, data, payload)
    sizes = tuple(map(len, lengths or pieces))
    return _Parts(lengths=sizes, head=head, payload=payload, signature=signature, odd=odd)


def _count_anomalies(pieces: list[str]) -> Iterator[Safe]:
    if "" in pieces[:2]:
        yield _EMPTY_PART
    if len(pieces) > 3:
        yield _TRAILING_DOT if pieces[3] == "" else _TOO_LONG


@lru_cache(maxsize=2048)
def _decoded_head(piece: str) -> _Head:
    """An issuer signs thousands of tokens under one header, so it is read once."""
    odd: list[Safe] = []
    data = _decode(piece, odd, _HEADER)
    value = _object(data, odd, _HEADER)
    return _head(value, (*odd, *_duplicates(_HEADER, data or b"", value)))


def _head(value: dict[str, Any] | None, odd: tuple[Safe, ...]) -> _Head:
    header = value or {}
    return _Head(
        value=value,
        odd=odd,
        alg=_text(header.get("alg"), 40, safe_algorithm),
        typ=_text(header.get("typ"), 60, safe_media_type),
        cty=_text(header.get("cty"), 60, safe_media_type),
        kid=_text(header.get("kid"), 128),
        enc=_text(header.get("enc"), 40, safe_algorithm),
        zip=_text(header.get("zip"), 20, safe_algorithm),
        crit=_texts(header.get("crit")),
        names=tuple(safe_name(str(name), 40) for name in list(header)[:MAX_NAMES]),
        anomalies=tuple(header_anomalies(header)),
    )


def _is_urlsafe(piece: str) -> bool:
    return piece.isascii() and not piece.encode().translate(None, URLSAFE)


def _decode(piece: str, odd: list[Safe], part: _Part) -> bytes | None:
    text = piece
    if "=" in text:
        text = text.rstrip("=")
        _note(odd, _PADDING)
    if "+" in text or "/" in text:
        text = text.replace("+", "-").replace("/", "_")
        _note(odd, _STANDARD_BASE64)
    if "..." in piece or "…" in piece:
        _note(odd, _ELIDED)
    if not _is_urlsafe(text):
        odd.append(part.bad_base64)
        return None
    if len(text) % 4 == 1:  # no byte string encodes to this length: the part was cut
        odd.append(part.cut)
        text = text[:-1]
    try:
        return binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        odd.append(part.bad_base64)
        return None


def _note(odd: list[Safe], word: Safe) -> None:
    if word not in odd:
        odd.append(word)


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _object(data: bytes | None, odd: list[Safe], part: _Part) -> dict[str, Any] | None:
    if not data:
        return None
    value = _json(data)
    if isinstance(value, dict):
        return value
    if value is not None:
        odd.append(part.not_object)
    elif part.cut not in odd:
        starts_well = data[:1] == b"{" and b'"' in data[:3]
        odd.append(part.cut if starts_well and not data.rstrip().endswith(b"}") else part.not_json)
    return None


def _duplicates(part: _Part, data: bytes, value: dict[str, Any] | None) -> Iterator[Safe]:
    """Members named twice: parsers disagree on which one counts (RFC 7519, section 4)."""
    if value and data.count(b'":') > len(value) and _top_level_members(data) > len(value):
        yield part.duplicate_member


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
    odd = [*base.anomalies, *parts.odd, *head.anomalies]
    size = -1 if parts.signature is None else len(parts.signature)
    if kind in (TokenKind.JWS, TokenKind.MALFORMED) and parts.signature is not None and header:
        odd += signature_anomalies(str(header.get("alg", "")), parts.signature, is_cut=_SIGNATURE.cut in odd)
    claims = read_claims(parts.payload, user_claim) if parts.payload is not None else Claims()
    user, key_epoch = name_user(claims.iss, claims.user_value) if claims.user_value else (EMPTY, 0)
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


def _text(value: object, limit: int, bounded: Callable[[str, int], Safe] = safe_id) -> Safe:
    if value is None or value == "":
        return EMPTY
    return bounded(value if isinstance(value, str) else str(value), limit)


def _texts(value: object) -> tuple[Safe, ...]:
    return tuple(_text(item, 60) for item in value[:10]) if isinstance(value, list) else ()
