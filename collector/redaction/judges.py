"""Whether a value behind a key is what the key says: judges, one a kind of key (rules/keys.toml)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from collector.redaction import shapes
from collector.redaction.extents import end_of, limit, opening_quote
from collector.redaction.hits import BRACKETED, SECRET, TOKEN, USER, Hit, is_mask
from collector.redaction.patterns import compiled
from collector.redaction.vocabulary import is_statement

NAME: Final = "field"
_SCHEME: Final = compiled(
    rb"(?i)(?:(?:bearer|basic|dpop|token|jwt|oauth|negotiate|ntlm|digest|hawk|kerberos|splunk|apikey|api-key|gnap|privatetoken"
    rb"|aws4-hmac-sha256|scram-sha-[0-9]{1,3}|mac|hoba|vapid|sso-key|key|genie-?key|zoho-oauthtoken)[ \t\xa0:=+]{1,4}){1,3}[\"'<\[(]{0,2}"
)
_PARAMETER: Final = compiled(
    rb"(?:[A-Za-z]?[a-z_\-]{1,30}|SignedHeaders)[ \t]{0,2}=[ \t]{0,2}[^=\s]"
)  # not base64 and its padding
_PLACEHOLDERS: Final = (b"{{", b"${", b"%(", b"<%", b"#{")  # of templates
_DN: Final = compiled(rb"(?i)(?:^|[,/;+ ])(?:cn|ou?|c|uid|dc|e|emailaddress)[ ]?=")
MASKED: Final = compiled(rb"[ \t]{0,4}[\\\"'`]{0,8}" + BRACKETED + rb"(?:[^A-Za-z0-9]|$)")
_PUNCTUATION: Final = b" \t!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


class Value(NamedTuple):
    """A value in a view. `prose`: bare behind a colon, where a sentence may stand as well."""

    data: bytes
    start: int
    end: int
    quoted: bool
    prose: bool

    @property
    def text(self) -> bytes:
        """What stands there."""
        return self.data[self.start : self.end]


def says_nothing(value: bytes) -> bool:
    """Empty, punctuation, a mask, a template's placeholder or a statement about the value."""
    if not value.translate(None, _PUNCTUATION) or value.startswith(_PLACEHOLDERS):
        return True
    return is_mask(value) or is_statement(value)


def auth(value: Value) -> Iterator[Hit]:
    """The credential behind a scheme, behind an unknown word, or bare."""
    scheme = _SCHEME.match(value.data, value.start)
    if scheme:
        yield from _behind_scheme(value, scheme.end())
        return
    yield from _credential(value, strict=not value.prose)
    if not value.quoted and value.data[value.end : value.end + 1] == b" " and shapes.is_word(value.text):
        yield from _behind_word(value.data, value.end + 1)


def _behind_scheme(value: Value, start: int) -> Iterator[Hit]:
    data = value.data
    # `Bearer <JWT>`: the scheme's separator took the bracket.
    if data[start - 1 : start] in (b"<", b"[") and MASKED.match(data, start - 1):
        return
    end = value.end
    if not (value.quoted and start < end):
        end = max(start, end_of(data, start, opening_quote(data, start), limit(data, start)))
    yield from _credential(value._replace(start=start, end=end), strict=True)


def _behind_word(data: bytes, start: int) -> Iterator[Hit]:
    end = end_of(data, start, b"", limit(data, start))
    text = data[start:end]
    if shapes.is_credential(text) and b"=" not in text.rstrip(b"="):
        yield Hit(start, end, NAME, TOKEN)


def _credential(value: Value, *, strict: bool) -> Iterator[Hit]:
    text = value.text
    if says_nothing(text) or _PARAMETER.match(value.data, value.start):
        return
    words = text.split(None, 1)
    if is_mask(words[0]) or (len(words) > 1 and is_statement(words[0])):
        return
    if value.prose and _is_sentence(value):
        return
    if strict or shapes.is_credential(text) or _is_likely(text):
        yield Hit(value.start, value.end, NAME, TOKEN)


def _is_likely(text: bytes) -> bool:
    """Where only a credential is expected, less makes one: digits in it, or changes of case."""
    return (len(text) >= 12 and not text.isalpha() and b"-" not in text) or (
        len(text) >= 16 and shapes.mixes(text) >= 3
    )


def secret(value: Value) -> Iterator[Hit]:
    """Any value but an object and a sentence."""
    text = value.text
    scheme = _SCHEME.match(text)
    if scheme and scheme.end() < len(text):
        yield from _credential(value._replace(start=value.start + scheme.end()), strict=True)
        return
    if says_nothing(text) or text[:1] in (b"{", b"[") or (value.prose and _is_sentence(value)):
        return
    if value.quoted and b" " in text and is_statement(text.split(None, 1)[0]):
        return
    yield Hit(value.start, value.end, NAME, SECRET)


def _is_sentence(value: Value) -> bool:
    """More words follow, as in `token: signature mismatch`; a password in YAML or a header stands alone."""
    data, end = value.data, value.end
    if data[value.start - 1 : value.start] != b" " or not shapes.is_word(value.text):
        return False
    # `validate the token: go-jose/go-jose/jwt: expired`
    if not (value.text.isalpha() or b"/" in value.text or data[end : end + 1] == b":"):
        return False
    following = data[end : end + 24].lstrip(b",.;:")
    starts_word = following[1:2].isalpha() or following[1:2] in (b'"', b"'")
    return following[:1] == b" " and starts_word and b"=" not in following.split(None, 1)[0]


def weak(value: Value) -> Iterator[Hit]:
    """What looks like a credential."""
    text = value.text
    if b" " not in text and not is_mask(text) and shapes.is_credential(text):
        yield Hit(value.start, value.end, NAME, SECRET)


def user(value: Value) -> Iterator[Hit]:
    """Any value but an object, a distinguished name (rule `personal` reads it) and a sentence."""
    text = value.text
    if says_nothing(text) or is_statement(text.split(None, 1)[0]) or text == b"0":
        return
    if text.startswith((b"{", b"[", b"system:")) or _DN.search(text) or (value.prose and _is_sentence(value)):
        return
    yield Hit(value.start, value.end, NAME, USER)


JUDGES: Final[dict[str, Callable[[Value], Iterator[Hit]]]] = {
    "auth": auth,
    "secret": secret,
    "weak": weak,
    "user": user,
    "name": user,
}
