"""What a word near a credential's name looks like: chosen by a person, made by a program, a code, or something else.

Every function looks at the word alone; rule `nearby` asks the less, the nearer the word is.
"""

from __future__ import annotations

import tomllib
from typing import Final

from collector.redaction import shapes
from collector.redaction.field_names import RULES
from collector.redaction.patterns import compiled
from collector.redaction.vocabulary import is_known

FEW: Final = 2  # digits of a name: `base64URL`
MIN_PART: Final = 3  # letters of a word; any two are one
MIN_WORD: Final = 6
MIN_MADE: Final = 8
MIN_CHANGES: Final = 4
MIN_CODE: Final = 4
DATA: Final = tomllib.loads((RULES / "nearby.toml").read_text(encoding="utf-8"))
_TECHNICAL: Final = frozenset(word.encode() for word in DATA["words"]["technical"])
_DIGITS: Final = b"0123456789"
_OTHER: Final = compiled("|".join(f"(?i:{other['pattern']})" for other in DATA["other"]).encode())
_CODE: Final = compiled(rb"[0-9]{3,10}#?|[0-9]{3}[ \-][0-9]{3}|[A-Za-z0-9]{2,8}(?:-[A-Za-z0-9]{2,8}){1,8}")
_COMBINATION: Final = compiled(rb"[0-9]{1,2}(?:-[0-9]{1,2}){2,4}")
_DATE: Final = compiled(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_PARTS: Final = compiled(rb"(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]{1,4}|[_.\-/:])+")
_PART: Final = compiled(rb"[A-Z]?[a-z]+|[A-Z]+")
_SIGN: Final = compiled(rb"[!#$%^&*@?+~=][^!?]|[!?]$|[0-9][#$%^&*@+~]$")
_SIGNED: Final = compiled(rb"[A-Za-z0-9]+[!#$%^*~+@?][A-Za-z0-9!#$%^*~+@?]*[A-Za-z0-9]")
_SCRAMBLED: Final = compiled(
    rb"[A-Za-z0-9]*[a-z0-9][A-Z][A-Za-z0-9]*[A-Z][A-Za-z0-9]*|[A-Za-z0-9]*[A-Z]{2}[a-z]+[A-Z][A-Za-z0-9]*"
)
_NUMBERED: Final = compiled(
    rb"[A-Z][a-z]{2,}[0-9]{2,8}|(?:[A-Z][a-z]{2,}){2,4}[0-9]{1,8}|[a-z]{3,}(?:[\-_.][a-z]{3,})*[0-9]{2,4}"
)


def _digits(text: bytes) -> int:
    return len(text) - len(text.translate(None, _DIGITS))


def is_other(text: bytes) -> bool:
    """What sentences about credentials name beside them.

    >>> is_other(b"https://idp.example/x1"), is_other(b"412ms"), is_other(b"Tr0ub4dor&3")
    (True, True, False)
    """
    return len(text) < MIN_CODE or shapes.is_public(text) or _OTHER.fits(text)


def is_numbered_word(text: bytes) -> bool:
    """`Dragon2025`, which an error's code may look like too: only right behind the word for a password.

    >>> is_numbered_word(b"Dragon2025"), is_numbered_word(b"sha256")
    (True, False)
    """
    return _NUMBERED.fits(text) and text.rstrip(_DIGITS).lower() not in _TECHNICAL and not _is_code_of_errors(text)


def _is_code_of_errors(text: bytes) -> bool:
    return text.isupper()


def is_made(text: bytes) -> bool:
    """Eight characters and more with digits among letters, as programs make tokens and keys.

    >>> is_made(b"q7Zr2Lw9"), is_made(b"orders-v2")
    (True, False)
    """
    if len(text) < MIN_MADE or not 0 < _digits(text) or is_other(text):
        return False
    return (shapes.mixes(text) >= FEW or shapes.is_credential(text)) and not is_named(text)


def is_named(text: bytes) -> bool:
    """All its words are words of programs.

    >>> is_named(b"base64URL"), is_named(b"xq7Lw")
    (True, False)
    """
    if not _PARTS.fits(text):
        return False
    return all(end - start >= MIN_PART and is_known(text[start:end]) for start, end in _PART.spans(text))


def is_strong(text: bytes) -> bool:
    """Letters and digits with a sign that no word has beside them, or many changes between them.

    >>> is_strong(b"Winter1!!"), is_strong(b"webhook-2")
    (True, False)
    """
    if len(text) < MIN_WORD or not _digits(text) or text.upper() == text.lower():
        return False
    if _SIGN.find(text)[0] >= 0:
        return True
    return shapes.mixes(text) >= MIN_CHANGES and len(text) >= MIN_MADE and not is_named(text)


def is_medium(text: bytes) -> bool:
    """Letters and digits, or capitals inside, that no name of a program explains.

    >>> is_medium(b"candle-lantern130"), is_medium(b"base64URL")
    (True, False)
    """
    digits = _digits(text)
    if len(text) < MIN_WORD or text.isdigit() or text.rstrip(_DIGITS).rstrip(b"-_./").lower() in _TECHNICAL:
        return False
    if digits <= FEW and is_named(text):
        return False
    return digits >= FEW or (digits > 0 and shapes.mixes(text) >= FEW) or _SIGNED.fits(text) or _SCRAMBLED.fits(text)


def is_likely(text: bytes) -> bool:
    """Chosen or made, wherever a credential is expected.

    >>> is_likely(b"ymjux2ua3374"), is_likely(b"com.auth0.jwt.JWTVerifier")
    (True, False)
    """
    return not is_other(text) and (is_strong(text) or is_medium(text))


def is_code(text: bytes, distance: int) -> bool:
    """Digits, or groups of letters and digits; three digits right behind the word only.

    >>> is_code(b"825053", 4), is_code(b"401", 4), is_code(b"tf4j-muau", 0)
    (True, False, True)
    """
    if not _CODE.fits(text) or (distance == 0 and _COMBINATION.fits(text)):
        return _CODE.fits(text)
    digits = _digits(text)
    if text.isdigit() or text.endswith(b"#"):
        return digits >= MIN_CODE or distance == 0
    return distance <= 1 and _is_grouped(text)


def _is_grouped(text: bytes) -> bool:
    return (_digits(text) > 0 or text.isupper()) and not _DATE.fits(text) and not _OTHER.fits(text)
