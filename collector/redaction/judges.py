"""Whether a value behind a key is what the key says: judges, one a kind of key (rules/keys.toml)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from collector.redaction import chosen, shapes
from collector.redaction.extents import end_of, limit, opening_quote
from collector.redaction.field_names import STOP, SURE, is_error_name, is_statement, kind_of
from collector.redaction.hits import BRACKETED, SECRET, TOKEN, USER, Hit, is_mask
from collector.redaction.logins import has_form, is_unknown
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

NAME: Final = "field"
AUTH_STEPS: Final = 8  # to look for a credential behind what was taken for one
FEW: Final = 2
NEVER: Final = 99
MANY: Final = 4  # words behind a compound that make both a sentence: `token: wolf-rbac exits with http status`
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
# Subjects of machines, which a trust is compared with: Kubernetes, GitHub, GitLab, SPIFFE, CircleCI, Bitbucket.
_WORKLOADS: Final = (
    b"system:",
    b"repo:",
    b"project_path:",
    b"spiffe://",
    b"org/",
    b"organization:",
    b"pipeline:",
    b"job_workflow_ref:",
)
_STRUCTURES: Final = (b"{", b"[", b"%7B", b"%5B")  # their members are read themselves
_OPENERS: Final = (b"(", b"[", b"{")
_FIELD: Final = STOP | {b"rsa", b"pss", b"ecdsa", b"hmac"}
_ERRORS: Final = (b"Error", b"Err", b"Exception", b"Failure")
_BRACKETS: Final = compiled(rb"(?:\(\)| \[[A-Za-z0-9_.:/\-]{1,40}\])")
_PUNCTUATION: Final = b" \t!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


MIN_CODE, MAX_CODE = 4, 9  # digits of a one-time code; ten are a time
MIN_CHOSEN: Final = 6
MAX_CHOSEN: Final = 32
_CHOSEN_SIGNS: Final = frozenset(b"!#$%^*@?~")
_CHOSEN_OTHERS: Final = frozenset(b"/:=()[]{}<>\"'|, ")
MAX_COUNT: Final = 2  # digits of a number that is no PIN: `passwords: 0`


class Value(NamedTuple):
    """A value in a view. `prose`: bare behind a colon, where a sentence may be as well."""

    data: bytes
    start: int
    end: int
    quoted: bool
    prose: bool

    @property
    def text(self) -> bytes:
        """Its bytes."""
        return self.data[self.start : self.end]


def says_nothing(value: bytes) -> bool:
    """Empty, punctuation, a mask, a template's placeholder or a statement about the value."""
    if not value.translate(None, _PUNCTUATION) or value.startswith(_PLACEHOLDERS):
        return True
    return is_mask(value) or is_statement(value)


def auth(value: Value) -> Iterator[Hit]:
    """The credential behind a scheme, behind an unknown word, or bare."""
    spend(AUTH_STEPS)
    scheme_end = _SCHEME.end_at(value.data, value.start)
    if scheme_end > 0:
        yield from _behind_scheme(value, scheme_end)
        return
    yield from _credential(value, strict=not value.prose)
    if not value.quoted and value.data[value.end : value.end + 1] == b" " and shapes.is_word(value.text):
        yield from _behind_word(value.data, value.end + 1, value.text)


def _behind_scheme(value: Value, start: int) -> Iterator[Hit]:
    data = value.data
    # `Bearer <JWT>`: the scheme's separator took the bracket.
    if data[start - 1 : start] in (b"<", b"[") and MASKED.end_at(data, start - 1) > 0:
        return
    end = value.end
    if not (value.quoted and start < end):
        end = max(start, end_of(data, start, opening_quote(data, start), limit(data, start)))
    yield from _credential(value._replace(start=start, end=end), strict=True)


def _behind_word(data: bytes, start: int, word: bytes) -> Iterator[Hit]:
    end = end_of(data, start, b"", limit(data, start))
    text = data[start:end]
    # `JWSError (CompactDecodeError …)`: an error's name in the brackets of another's
    is_named = text[:1] in _OPENERS and word.endswith(_ERRORS) and shapes.is_word(text[1:])
    if shapes.is_credential(text) and b"=" not in text.rstrip(b"=") and not is_named:
        yield Hit(start, end, NAME, TOKEN)


def _credential(value: Value, *, strict: bool) -> Iterator[Hit]:
    text = value.text
    if says_nothing(text) or _PARAMETER.end_at(value.data, value.start) > 0 or _begins_with_statement(text):
        return
    if value.prose and _is_sentence(value):
        return
    if strict or shapes.is_credential(text) or _is_likely(text):
        yield Hit(value.start, value.end, NAME, TOKEN)


def _begins_with_statement(text: bytes) -> bool:
    """`[REDACTED] …`, `missing in request`."""
    words = text.split(None, 1)
    return bool(words) and (is_mask(words[0]) or (len(words) > 1 and is_statement(words[0])))


def _is_likely(text: bytes) -> bool:
    """Where only a credential is expected, less makes one: digits in it, or changes of case."""
    return (len(text) >= 12 and not text.isalpha() and b"-" not in text) or (
        len(text) >= 16 and shapes.mixes(text) >= 3
    )


def secret(value: Value) -> Iterator[Hit]:
    """Any value but an object and a sentence."""
    text = value.text
    scheme_end = _SCHEME.end_at(text)
    if 0 < scheme_end < len(text):
        yield from _credential(value._replace(start=value.start + scheme_end), strict=True)
        return
    if says_nothing(text) or text[:1] in (b"{", b"[") or (value.prose and _belongs_to_sentence(value)):
        return
    if value.quoted and b" " in text and is_statement(text.split(None, 1)[0]):
        return
    yield Hit(value.start, value.end, NAME, SECRET)


def _belongs_to_sentence(value: Value) -> bool:
    is_count = len(value.text) <= MAX_COUNT and value.text.isdigit()
    return is_count or _is_sentence(value) or _is_plain_url(value.text)


def _is_plain_url(text: bytes) -> bool:
    """An issuer or audience that a message ends with; what a URL may hide, other rules find."""
    return text.startswith((b"http://", b"https://")) and b"?" not in text and b"#" not in text


def _is_sentence(value: Value) -> bool:
    """More words follow, as in `token: signature mismatch`; a password in YAML or a header stands alone."""
    before = value.data[max(0, value.start - 2) : value.start]
    if not before.endswith((b" ", b" [", b" (")):
        return False
    if is_error_name(value.text) or _is_wrapped_error(value.text):
        return True
    words = _plain_words(_behind_brackets(value.data[value.end : value.end + 64]))
    return words >= 1 and (_is_alone_enough(value) or _needs_words(value.text) <= words)


def _is_alone_enough(value: Value) -> bool:
    """A first word that one more makes a sentence: a word, a path, one before a colon, a status with its reason phrase."""
    text = value.text
    is_plain = len(text) > 1 and (text.isalpha() or b"/" in text or value.data[value.end : value.end + 1] == b":")
    return (is_plain and shapes.is_word(text)) or _is_status(text)


def _needs_words(text: bytes) -> int:
    """How many words behind another first word make both a sentence: `R or S mod N`, `wolf-rbac exits with http status`."""
    if len(text) == 1 and text.isalpha():
        return FEW
    if not _is_compound(text) or text.isalpha():
        return NEVER
    return FEW if _is_about_tokens(text) else MANY


def _is_status(text: bytes) -> bool:
    return len(text) == 3 and text.isdigit() and text[:1] in (b"4", b"5")


def _is_wrapped_error(text: bytes) -> bool:
    """`Error(InvalidAudience`: one error's name as another's argument, as Rust and Haskell print them."""
    outer, bracket, inner = text.partition(b"(")
    return (
        bool(bracket)
        and outer.endswith(_ERRORS)
        and inner.isalpha()
        and shapes.is_word(outer)
        and shapes.is_word(inner)
    )


def _behind_brackets(following: bytes) -> bytes:
    """Without what belongs to the word before: `inflate() output`, `pattern [acme] is not`."""
    return following[max(0, _BRACKETS.end_at(following)) :] if following[:2] in (b"()", b" [") else following


def _plain_words(following: bytes) -> int:
    """How many of the next four words are words of a sentence; not `key=` nor `user:`."""
    after = following.lstrip(b",.;:)]`")
    if not after.startswith(b" "):
        return 0
    for count, word in enumerate([*after.split(None, MANY)[:MANY], b""]):
        is_key = b"=" in word or (word.endswith(b":") and kind_of(word[:-1]) in SURE)
        if is_key or not word.lstrip(b"\"'`(\\")[:1].isalpha():
            return count
    return MANY


def _is_compound(text: bytes) -> bool:
    """Letters in parts: `wolf-rbac`, `id_token`."""
    return text.translate(None, b"_.-").isalpha()


def _is_about_tokens(text: bytes) -> bool:
    """A part is a word of this field: `id_token`, `oidc_jwt_parse`, `jwt.decode`, `RSA-PSS`."""
    return any(part.lower() in _FIELD for part in text.replace(b".", b"_").replace(b"-", b"_").split(b"_"))


def weak(value: Value) -> Iterator[Hit]:
    """What looks like a credential."""
    text = value.text
    judged = text.rstrip(b"=").rpartition(b"=")[2]  # `key: fault.name=FailedToDecode`
    if text.upper().startswith(_STRUCTURES):
        return
    if b" " not in text and not is_mask(text) and (shapes.is_credential(judged) or is_chosen(text)):
        yield Hit(value.start, value.end, NAME, SECRET)


def is_chosen(text: bytes) -> bool:
    """As people choose passwords: letters, digits and a sign that identifiers do not have."""
    if not MIN_CHOSEN <= len(text) <= MAX_CHOSEN or not _CHOSEN_SIGNS & set(text):
        return False
    return (
        _CHOSEN_OTHERS.isdisjoint(text) and text.upper() != text.lower() and any(0x30 <= byte <= 0x39 for byte in text)
    )


def user(value: Value) -> Iterator[Hit]:
    """Any value but an object, a distinguished name (rule `personal` reads it) and a sentence."""
    text = value.text
    if says_nothing(text) or is_statement(text.split(None, 1)[0]) or text == b"0":
        return
    if text.startswith((b"{", b"[", *_WORKLOADS)) or _DN.find(text)[0] >= 0 or (value.prose and _is_sentence(value)):
        return
    yield Hit(value.start, value.end, NAME, USER)


def likely(value: Value) -> Iterator[Hit]:
    """What looks chosen or made, behind a key that has a word for a credential in it."""
    text = value.text
    is_path = text.count(b"/") > 1  # `Credential=AKIA…/20260101/eu-west-1/s3`
    if (
        b" " not in text
        and not is_path
        and not says_nothing(text)
        and (chosen.is_likely(text) or chosen.is_numbered_word(text))
    ):
        yield Hit(value.start, value.end, NAME, SECRET)


def code(value: Value) -> Iterator[Hit]:
    """As `likely`, and digits."""
    if value.text.isdigit() and MIN_CODE <= len(value.text) <= MAX_CODE:
        yield Hit(value.start, value.end, NAME, SECRET)
    else:
        yield from likely(value)


def actor(value: Value) -> Iterator[Hit]:
    """A login, behind a key that ends with a word for somebody."""
    text = value.text
    if not says_nothing(text) and has_form(text) and is_unknown(text):
        yield Hit(value.start, value.end, NAME, USER)


JUDGES: Final[dict[str, Callable[[Value], Iterator[Hit]]]] = {
    "auth": auth,
    "secret": secret,
    "weak": weak,
    "user": user,
    "name": user,
    "likely": likely,
    "code": code,
    "actor": actor,
}
