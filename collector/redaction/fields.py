"""Rule `field`: a value goes because of the key before it, in any notation a log has.

`key=value`, `key: value`, `"key":"value"`, `key:[value]`, `["key","value"]`, `(b'key', b'value')`,
`{"name":"key","value":"…"}`, `{"key":"…","value":{"stringValue":"…"}}`, `<key>value</key>`, `name="key">value<`,
broken or cut JSON included, since nothing is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction.cookies import cookies
from collector.redaction.extents import end_of, limit, line_end, opening_quote
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
# A count here would multiply the automaton's states by every stem that a random token happens to hold.
_FIELD_TEXT: Final = _STEMS + rb"[A-Za-z0-9_\-]*" + _GLUE
_OPTION_TEXT: Final = rb"--[a-z][a-z\-]+[ \t]+[^\s\-]"  # of a command line
_QUOTED_USER_TEXT: Final = rb"(?i:\b(?:user|username|account|principal)[ \t]+[\"'`])"
_TAG_TEXT: Final = rb"<[A-Za-z][A-Za-z0-9_.:\-]*[ \t\r\n][^<>]+>"
TRIGGER: Final = b"|".join((_FIELD_TEXT, _TAG_TEXT, _OPTION_TEXT, _QUOTED_USER_TEXT))
_FIELD: Final = compiled(_FIELD_TEXT)
_OPTION: Final = compiled(_OPTION_TEXT)
_QUOTED_USER: Final = compiled(_QUOTED_USER_TEXT)
_KEY_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.$"

# What may stand between the glue and the value: brackets, quotes, a bytes prefix, OTLP's and HAR's `value` members.
_OPENING: Final = compiled(
    rb"[ \t]{0,8}(?:[\[(<][ \t]{0,2}|\{[ \t]{0,2}\\{0,7}[\"']?(?i:string_?value|bytes_?value|value)\\{0,7}[\"']?[ \t]{0,2}[:=][ \t]{0,2}){0,3}"
    rb"(?:[bu]?\\{0,7}[\"'`])?"
)
_PERSONAL: Final = compiled(
    rb"(?i)(?:\bsub|e-?mail|(?:given|family|middle|first|last)_?name|preferred_username|\bupn|birthdate|nickname|phone_number)[\"'\\]{0,8}[ \t]{0,2}[:=]"
)
_TAG: Final = compiled(_TAG_TEXT)
_PORT: Final = compiled(rb"[0-9]{2,5}(?:[^0-9A-Za-z]|$)")
_ELEMENT_KINDS: Final = frozenset(("auth", "secret", "weak", "user"))
MAX_CONTENT: Final = 16_384
_NEAR: Final = 400  # characters on either side in which other personal claims make `name` a person's


def find(data: bytes) -> Iterator[Hit]:
    """Values of keys that are secret or personal."""
    if b"<" in data:
        yield from _elements(data)
    if b"--" in data:
        yield from _options(data)
    for _, start in _QUOTED_USER.spans(data):
        end = end_of(data, start, data[start - 1 : start], limit(data, start))
        if not data[start:end].count(b" "):
            yield from JUDGES["user"](Value(data, start, end, quoted=True, prose=False))
    done = 0
    for stem, end in _FIELD.spans(data):
        if stem < done:
            continue
        start, key = _key(data, stem, end)
        kind = kind_of(key)
        if kind in ("", "safe"):
            continue
        for hit in _value(data, kind, start, end, data[stem:end]):
            done = max(done, hit.end)
            yield hit


def _elements(data: bytes) -> Iterator[Hit]:
    """`<key attribute="…">value</key>`; without attributes `find` sees the glue."""
    for start, end in _TAG.spans(data):
        name = data[start + 1 : end].split(None, 1)[0].rpartition(b":")[2]
        kind = kind_of(name)
        if kind not in _ELEMENT_KINDS:
            continue
        last = data.find(b"<", end, end + MAX_CONTENT)
        last = last if last >= 0 else line_end(data, end, min(len(data), end + MAX_CONTENT))
        if last > end:
            yield from JUDGES[kind](Value(data, end, last, quoted=True, prose=False))


def _options(data: bytes) -> Iterator[Hit]:
    """`--password value`; `--token=value` has glue."""
    for start, end in _OPTION.spans(data):
        kind = kind_of(data[start + 2 : end - 1].rstrip(b" \t\"'"))
        if kind not in ("auth", "secret"):
            continue
        first = end - (data[end - 1 : end] not in b"\"'")
        last = end_of(data, first, opening_quote(data, first), limit(data, first))
        yield from JUDGES[kind](Value(data, first, last, quoted=False, prose=False))


def _key(data: bytes, start: int, end: int) -> tuple[int, bytes]:
    """The whole key around a stem: where it begins, and its text."""
    least = start - MAX_KEY if start > MAX_KEY else 0
    first = least + len(data[least:start].rstrip(_KEY_BYTES))
    field = data[start : end if end - start < MAX_KEY else start + MAX_KEY]
    return first, data[first : start + len(field) - len(field.lstrip(_KEY_BYTES))]


def _value(data: bytes, kind: str, key: int, glue_end: int, field: bytes) -> Iterator[Hit]:
    glue = field.rstrip(b" \t")[-1:]
    if not _is_glue(data, key, glue_end, glue, field) or MASKED.end_at(data, glue_end) > 0:
        return
    start = _OPENING.end_at(data, glue_end)
    quote = opening_quote(data, start)
    if kind == "cookie":
        yield from cookies(data, start, quote)
        return
    if kind == "name" and _PERSONAL.find(data, max(0, key - _NEAR), start + _NEAR)[0] < 0:
        return
    end = end_of(data, start, quote, limit(data, start))
    if glue in b"\"'" and not _is_pairs_value(data, start, end):
        return
    prose = b":" in field[-3:] and not quote
    for hit in JUDGES[kind](Value(data, start, end, bool(quote), prose)):
        long = hit.end == limit(data, start)
        yield hit._replace(end=end_of(data, hit.start, quote, len(data))) if long else hit


def _is_glue(data: bytes, key: int, end: int, glue: bytes, field: bytes) -> bool:
    if data[key - 1 : key] == b"[" and glue == b":" and _PORT.end_at(data, end) > 0:  # `[email]:3128` is our own word
        return False
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
    """`<key>` or `name="key">`; not `a -> b`, `token>=8` nor `</ns:key>`."""
    if data[max(0, key - 80) : key].rpartition(b"<")[2].startswith(b"/"):
        return False
    return b'"' in field or b"'" in field or data[max(0, key - 1) : key] in (b"<", b":")
