"""Rule `field`: a value goes because of the key before it, in any notation a log has.

`key=value`, `key: value`, `"key":"value"`, `key:[value]`, `["key","value"]`, `(b'key', b'value')`,
`{"name":"key","value":"…"}`, `{"key":"…","value":{"stringValue":"…"}}`, `<key>value</key>`, `name="key">value<`,
broken or cut JSON included, since nothing is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction.cookies import cookies
from collector.redaction.extents import end_of, limit, opening_quote
from collector.redaction.hits import Hit
from collector.redaction.judges import JUDGES, MASKED, Value
from collector.redaction.patterns import compiled
from collector.redaction.vocabulary import kind_of

MAX_KEY: Final = 48

_STEMS: Final = (
    rb"(?i:token|secret|pass|pwd|key|auth|cred|cookie|sess|sid|otp|pin|code|assertion|saml|jw[ste]|sig|mac|tag|payload|protected"
    rb"|cipher|dpop|state|ticket|oidc|hint|response|iv|tok|ak|sk|art|wresult|connection|disclosures|sso|bearer|nonce"
    rb"|sub|upn|user|uid|name|login|mail|phone|birth|dob|mobile|msisdn|address|street|postal|zip|locality|formatted|ssn|nationalid"
    rb"|passport|taxid|iban|imsi|imei|picture|principal)"
)
_GLUE: Final = (
    rb"(?:[\\\"'`\])]{0,8}[ \t]{0,4}(?::=|=>|[:=])"  # key=  "key":  'key' =>  [key]=
    rb"|\\{0,7}[\"'][ \t]{0,2},[ \t]{0,2}(?:[\"']?value\\{0,7}[\"']?[ \t]{0,2}[:=]|[bu]?\\{0,7}[\"'])"  # "key","value":  ["key","
    rb"|\\{0,7}[\"'][ \t]{1,2}value[ \t]{0,2}="  # name="key" value=
    rb"|\\{0,7}[\"']?>)"  # <key>  name="key">
)
_REST_OF_KEY: Final = rb"[A-Za-z0-9_\-]{0,24}"
TRIGGER: Final = _STEMS + _REST_OF_KEY + _GLUE
_FIELD: Final = compiled(TRIGGER)
_KEY_BYTES: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.$")

# What may stand between the glue and the value: brackets, quotes, a bytes prefix, OTLP's and HAR's `value` members.
_OPENING: Final = compiled(
    rb"[ \t]{0,8}(?:[\[(<][ \t]{0,2}|\{[ \t]{0,2}\\{0,7}[\"']?(?i:string_?value|bytes_?value|value)\\{0,7}[\"']?[ \t]{0,2}[:=][ \t]{0,2}){0,3}"
    rb"(?:[bu]?\\{0,7}[\"'`])?"
)
_PERSONAL: Final = compiled(
    rb"(?i)(?:\bsub|e-?mail|(?:given|family|middle|first|last)_?name|preferred_username|\bupn|birthdate|nickname|phone_number)[\"'\\]{0,8}[ \t]{0,2}[:=]"
)
_NEAR: Final = 400  # characters on either side in which other personal claims make `name` a person's


def find(data: bytes) -> Iterator[Hit]:
    """Values of keys that are secret or personal."""
    done = 0
    for match in _FIELD.finditer(data):
        if match.start() < done:
            continue
        start, key = _key(data, match.start(), match.end())
        kind = kind_of(key)
        if kind in ("", "safe"):
            continue
        for hit in _value(data, kind, start, match.end(), match.group()):
            done = max(done, hit.end)
            yield hit


def _key(data: bytes, start: int, end: int) -> tuple[int, bytes]:
    """The whole key around a stem: where it begins, and its text."""
    first = start
    floor = max(0, start - MAX_KEY)
    while first > floor and data[first - 1] in _KEY_BYTES:
        first -= 1
    last = start
    while last < end and data[last] in _KEY_BYTES:
        last += 1
    return first, data[first:last]


def _value(data: bytes, kind: str, key: int, glue_end: int, field: bytes) -> Iterator[Hit]:
    glue = field.rstrip(b" \t")[-1:]
    if not _is_glue(data, key, glue_end, glue, field) or MASKED.match(data, glue_end):
        return
    start = _OPENING.match(data, glue_end).end()
    quote = opening_quote(data, start)
    if kind == "cookie":
        yield from cookies(data, start, quote)
        return
    if kind == "name" and not _PERSONAL.search(data, max(0, key - _NEAR), min(len(data), start + _NEAR)):
        return
    end = end_of(data, start, quote, limit(data, start))
    if glue in b"\"'" and not _is_pairs_value(data, start, end):
        return
    prose = b":" in field[-3:] and not quote
    for hit in JUDGES[kind](Value(data, start, end, bool(quote), prose)):
        long = hit.end == limit(data, start)
        yield hit._replace(end=end_of(data, hit.start, quote, len(data))) if long else hit


def _is_glue(data: bytes, key: int, end: int, glue: bytes, field: bytes) -> bool:
    if glue in b"\"'":
        return _opens_pair(data, key)
    if glue == b">":
        return _is_element(data, key, field)
    return not (glue == b":" and data[end : end + 1] == b":")  # `JWT::ExpiredSignature` is a name


def _opens_pair(data: bytes, key: int) -> bool:
    """`["key", "value"]`: the key's quote follows an opening bracket; in a longer list neither is a key."""
    return data[max(0, key - 10) : key].rstrip(b"\"'\\bu")[-1:] in (b"[", b"(")


def _is_pairs_value(data: bytes, start: int, end: int) -> bool:
    """The pair closes behind it, and it is no key itself: `["password", "refresh_token"]` lists grant types."""
    closes = data[end : end + 10].lstrip(b"\"'\\ ")[:1] in (b"]", b")", b"")
    return closes and not kind_of(data[start:end][:MAX_KEY])


def _is_element(data: bytes, key: int, field: bytes) -> bool:
    """`<key>` or `name="key">`; not `a -> b` nor `token>=8`."""
    return b'"' in field or b"'" in field or data[max(0, key - 1) : key] in (b"<", b":")
