"""Rules `field` and `name`, in sentences: who somebody is, told by words around them and by what names look like.

A login is a word that programs do not use, behind `user`, an option or a preposition; a person is a given name and a word
that is none (rules/learned.bin).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from typing import Final

from collector.redaction.field_names import RULES, STOP
from collector.redaction.hits import USER, Hit
from collector.redaction.judges import says_nothing
from collector.redaction.patterns import Pattern, compiled
from collector.redaction.vocabulary import is_first_name, is_known, is_translated

MIN_LOGIN: Final = 3
_WORD: Final = rb"[A-Z\xc0-\xde][A-Za-z\xc0-\xff'\-]{1,24}"
_BEFORE_PERSON: Final = rb"(?:(?m:^)|\b(?i:for|by|from|of|user|account|name|owner|customer|employee|member|as|to|contact|with|dear|hi|hello|mr|mrs|ms|dr|patient|holder|manager|invited|admin|author|subject|cn)\.? |[:=\"'>(|] ?)"
_PERSON_TEXT: Final = (
    _BEFORE_PERSON + rb"(" + _WORD + rb") ((?:(?:von|van|de|der|da|di|la|el|al|bin|den) ){0,2}" + _WORD + rb")\b"
)
_LOGIN: Final = rb"([A-Za-z\xc0-\xff][A-Za-z0-9._\-\xc0-\xff]{2,63})(?:[\s:;,.)'\"`\]@/\x80\xbb>]|$)"
_OPTION_TEXT: Final = rb"[ \t]-(?:[uUl]|(?:User)?Name|User|Identity|SamAccountName|-(?:[a-z]{1,12}-)?(?:user(?:name)?|login))[ =][\"']?(?:[A-Za-z0-9.\-]{1,30}\\{1,2})?"
_DATA: Final = tomllib.loads((RULES / "people.toml").read_text(encoding="utf-8"))


def _any(kind: str) -> bytes:
    return b"(?i:" + "|".join(_DATA["words"][kind]).encode("latin-1") + b")"


_NOUN_TEXT: Final = (
    rb"\b_*" + _any("nouns") + rb"(?:[ \t:]{1,3}|=|\x80[ \t]?)[\"'`\[(<\x80\xab]{0,2}"
    rb"|\bUSER |\b" + _any("prompts") + rb": |\b" + _any("phrases") + rb" [\"'`\[]?(?:[A-Z][A-Z0-9\-]{1,14}\\{1,2})?"
)
_LED_TEXT: Final = rb"\b" + _any("leads") + rb" "
TRIGGER: Final = (
    _BEFORE_PERSON + rb"[A-Z\xc0-\xde][a-z\xe0-\xff'\-]+ (?:(?:von|van|de|der|da|di|la|el|al|bin|den) )*[A-Z\xc0-\xde][a-z\xe0-\xff']"
    rb"|(?:" + _OPTION_TEXT + rb"|" + _NOUN_TEXT + rb")[A-Za-z\xc0-\xff][a-z0-9.]"
    rb"|" + _LED_TEXT + rb"[a-z]+[._0-9][a-z0-9]"
)  # fmt: skip
_PERSON: Final = compiled(_PERSON_TEXT)
_NAMED: Final = compiled(rb"(?:" + _OPTION_TEXT + rb"|" + _NOUN_TEXT + rb")" + _LOGIN)
_LED: Final = compiled(_LED_TEXT + _LOGIN)
_PARTS: Final = bytes.maketrans(b"._-", b"   ")
_FORM: Final = compiled(rb"[A-Za-z\xc0-\xff]+(?:[._\-][A-Za-z\xc0-\xff]+){0,2}[0-9]{0,4}")
MIN_UNKNOWN: Final = 4
MAX_NAMED: Final = 6  # letters of a name that ends like a participle
_ENDINGS: Final = (b"ed", b"d", b"ing", b"s", b"er", b"ly")


def find(data: bytes) -> Iterator[Hit]:
    """People and their logins."""
    for match in _PERSON.finditer(data):
        if _is_person(match.group(1), match.group(2)):
            yield Hit(match.start(1), match.end(2), "name", USER)
    yield from _logins(data, _NAMED, _is_unknown)
    yield from _logins(data, _LED, _has_given_name)


def _is_person(first: bytes, rest: bytes) -> bool:
    last = rest.split()[-1]
    return is_first_name(first.replace(b"-", b"")) and not is_known(last) and last.lower() not in STOP


def _logins(data: bytes, pattern: Pattern, is_login: Callable[[bytes], bool]) -> Iterator[Hit]:
    for match in pattern.finditer(data):
        login = match.group(1).rstrip(b".-_")
        if len(login) >= MIN_LOGIN and _FORM.fits(login) and not says_nothing(login) and is_login(login):
            yield Hit(match.start(1), match.start(1) + len(login), "field", USER)


def _parts(login: bytes) -> list[bytes]:
    return login.rstrip(b"0123456789").translate(_PARTS).lower().split()


def _is_unknown(login: bytes) -> bool:
    """A part of it is no word of programs."""
    parts = _parts(login)
    return any(is_first_name(part) or _is_strange(part) for part in parts) and not (
        b"-" in login and any(is_known(part) for part in parts)
    )


def _is_strange(part: bytes) -> bool:
    """No word of programs, nor the form of one: `onboarded`."""
    if (
        len(part) < MIN_UNKNOWN
        or is_known(part)
        or is_translated(part)
        or (len(part) > MAX_NAMED and part.endswith(b"ed"))
    ):
        return False
    return not any(part.endswith(ending) and is_known(part.removesuffix(ending)) for ending in _ENDINGS)


def _has_given_name(login: bytes) -> bool:
    """Joined or numbered, and a part of it is a given name, or none is a word of programs."""
    if b"-" in login or not login.islower() or login.isalpha() or b"." in login[-4:]:
        return False
    parts = _parts(login)
    return any(map(is_first_name, parts)) or all(map(_is_strange, parts))
