"""Rules `field` and `name`, in sentences: who somebody is, told by words around them and by what names look like.

A login is a word that programs do not use, behind `user`, an option or a preposition; a person is a given name and a word
that is none (rules/learned.bin).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from typing import Final

from collector.redaction.field_names import RULES
from collector.redaction.hits import USER, Hit
from collector.redaction.judges import says_nothing
from collector.redaction.logins import has_form, has_given_name, is_person, is_unknown
from collector.redaction.patterns import Pattern, compiled

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
    rb"\b" + _any("phrases") + rb" [\"'`\[]?(?:[A-Z][A-Z0-9\-]{1,14}\\{1,2})?"
    rb"|\b_*" + _any("nouns") + rb"(?:[ \t:]{1,3}|=|\x80[ \t]?)[\"'`\[(<\x80\xab]{0,2}"
    rb"|\bUSER |\b" + _any("prompts") + rb": "
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


def find(data: bytes) -> Iterator[Hit]:
    """People and their logins."""
    for match in _PERSON.finditer(data):
        if is_person(match.group(1), match.group(2).split()[-1]):
            yield Hit(match.start(1), match.end(2), "name", USER)
    yield from _logins(data, _NAMED, is_unknown)
    yield from _logins(data, _LED, has_given_name)


def _logins(data: bytes, pattern: Pattern, is_login: Callable[[bytes], bool]) -> Iterator[Hit]:
    for match in pattern.finditer(data):
        login = match.group(1).rstrip(b".-_")
        if len(login) >= MIN_LOGIN and has_form(login) and not says_nothing(login) and is_login(login):
            yield Hit(match.start(1), match.start(1) + len(login), "field", USER)
