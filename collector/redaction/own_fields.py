"""What the fields of a token may look like before they are stored: algorithms, media types, identifiers, names.

Whoever makes a token decides what is in `alg`, `typ`, `kid`, a scope or a claim's name; clients have put passwords there. A value
that its place does not explain is stored as its shape, `(12 characters: letters, digits, signs)`: enough to see that it is odd.
"""

from __future__ import annotations

from typing import Final

from collector.redaction import shapes
from collector.redaction.judges import is_chosen
from collector.redaction.patterns import compiled
from collector.redaction.views import fold
from collector.redaction.vocabulary import is_known

# The families of RFC 7518, 8037, 8812, 9864 and what programs confuse with them, in any case; XML's URIs too.
_ALGORITHM: Final = compiled(
    rb"(?i)\s{0,4}(?:[hrep]s(?:1|256k?|384|512)|none|null|eddsa|ed(?:25519|448)|dir|deflate|def|gzip|rsa[a-z0-9_\-+]{0,20}|a(?:128|192|256)[a-z0-9\-]{0,12}|ecdh(?:-es)?[a-z0-9+\-]{0,20}"
    rb"|pbes2[a-z0-9+\-]{0,20}|x?c20p(?:kw)?|(?:hmac|sha|ecdsa|ml-?dsa|slh-?dsa|fn-?dsa|sm|gost|bp|esb|hpke)[a-z0-9_/\-+]{0,20}(?:with[a-z0-9]{2,12})?|jwt|at\+jwt|bearer|basic"
    rb"|[hrep]s[0-9]{1,4}|[hrep]sa?-?_? ?[0-9]{3}|https?://www\.w3\.org/[a-z0-9/.\-#]{4,80})\s{0,4}"
)
_MEDIA_TYPE: Final = compiled(rb"\s{0,4}[A-Za-z0-9]+(?:[/+._;= \-]{1,3}[A-Za-z0-9]+){0,8}\s{0,4}")
# `openid4vci-proof+jwt`: words with a structured syntax behind them.
_REGISTERED: Final = compiled(
    rb"(?i)(?:application/)?[a-z]{1,20}(?:4[a-z]{1,4})?(?:-[a-z]{1,20}){0,5}\+(?:jwt|sd-jwt|json|cwt|cbor|cose|jose|jws|xml)"
)
_PART: Final = compiled(rb"[A-Za-z0-9]+")
MAX_SHORT: Final = 5  # letters of a word that need not be known: `jwt`, `dpop`, `secev`
MAX_NUMBER: Final = 2
_SIGNS: Final = frozenset(b"!$%^*?~")  # in identifiers `@` and `#` come before versions and fragments
_LETTERS, _DIGITS, _OTHERS = "letters", "digits", "signs"


def is_algorithm(text: str) -> bool:
    """A registered name of an algorithm, or one that is meant as such.

    >>> is_algorithm("rs256"), is_algorithm("SHA256withRSA"), is_algorithm("hunter2!")
    (True, True, False)
    """
    data = fold(text.strip())
    return _ALGORITHM.fits(data) or (data.isalpha() and _is_short(data))


def is_media_type(text: str) -> bool:
    """Words between the separators of RFC 6838.

    >>> is_media_type("application/at+jwt"), is_media_type("JWT"), is_media_type("x9Kq2vLm7")
    (True, True, False)
    """
    data = fold(text)
    if _REGISTERED.fits(data):
        return True
    return _MEDIA_TYPE.fits(data) and all(_is_short(data[start:end]) for start, end in _PART.spans(data))


def _is_short(part: bytes) -> bool:
    if part.isdigit():
        return len(part) <= MAX_NUMBER
    letters = part.rstrip(b"0123456789")
    return letters.isalpha() and len(part) - len(letters) <= 1 and (len(letters) <= MAX_SHORT or is_known(letters))


def is_password(text: str) -> bool:
    """As people choose passwords, and no identifier looks: letters, digits and a sign.

    >>> is_password("Winter2024!"), is_password("signing-key@2024"), is_password("p@ssw0rd12")
    (True, False, True)
    """
    data = fold(text.strip())
    return is_chosen(data) and not (_SIGNS.isdisjoint(data) and _is_versioned(data))


def _is_versioned(data: bytes) -> bool:
    """`signing-key@2024`, `orders#17`: words before the sign, a number behind it."""
    name, _, version = data.replace(b"#", b"@").partition(b"@")
    words = [name[start:end] for start, end in _PART.spans(name)]
    is_version = version.lstrip(b"v").translate(None, b".-_").isdigit()
    return is_version and all(word.isdigit() or is_known(word.rstrip(b"0123456789")) for word in words)


def shape(text: str) -> str:
    """How long a value is and of what, and nothing of it.

    >>> shape("Winter2024!")
    '(11 characters: letters, digits, signs)'
    """
    classes = shapes.classes(fold(text[: shapes.WINDOW]))
    kinds = [
        name
        for name, held in (
            (_LETTERS, b"a" in classes or b"A" in classes),
            (_DIGITS, b"0" in classes),
            (_OTHERS, bool(classes.translate(None, b"aA0"))),
        )
        if held
    ]
    return f"({len(text)} characters: {', '.join(kinds)})"
