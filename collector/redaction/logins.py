"""Whether a word is somebody's login or name: what programs do not write, or what holds a given name (rules/learned.bin)."""

from __future__ import annotations

from typing import Final

from collector.redaction.field_names import STOP
from collector.redaction.patterns import compiled
from collector.redaction.vocabulary import is_first_name, is_known, is_translated

MIN_UNKNOWN: Final = 4
FEW: Final = 2
MAX_NAMED: Final = 6  # letters of a name that ends like a participle
_ENDINGS: Final = (b"ed", b"d", b"ing", b"s", b"er", b"ly")
_PARTS: Final = bytes.maketrans(b"._-", b"   ")
_FORM: Final = compiled(rb"[A-Za-z\xc0-\xff]+(?:[._\-][A-Za-z\xc0-\xff]+){0,2}[0-9]{0,4}")


def has_form(word: bytes) -> bool:
    """Letters, at most three parts, at most four digits at the end.

    >>> has_form(b"t.moreau"), has_form(b"eu-west-1b")
    (True, False)
    """
    return _FORM.fits(word)


def parts(login: bytes) -> list[bytes]:
    """The words of a login.

    >>> parts(b"Freya_o12")
    [b'freya', b'o']
    """
    return login.rstrip(b"0123456789").translate(_PARTS).lower().split()


def is_unknown(login: bytes) -> bool:
    """A part of it is no word of programs.

    >>> is_unknown(b"zkowalski"), is_unknown(b"orders-v2")
    (True, False)
    """
    words = parts(login)
    return any(is_first_name(word) or is_strange(word) for word in words) and not (
        b"-" in login and any(is_known(word) for word in words)
    )


def is_strange(part: bytes) -> bool:
    """No word of programs, nor the form of one: `onboarded`, nor two in one: `expiredtoken`."""
    if (
        len(part) < MIN_UNKNOWN
        or is_known(part)
        or is_translated(part)
        or (len(part) > MAX_NAMED and part.endswith(b"ed"))
    ):
        return False
    return not _is_derived(part)


def _is_derived(part: bytes) -> bool:
    if any(part.endswith(ending) and is_known(part.removesuffix(ending)) for ending in _ENDINGS):
        return True
    cuts = range(MIN_UNKNOWN, len(part) - MIN_UNKNOWN + 1)
    return any(is_known(part[:at]) and is_known(part[at:]) for at in cuts)


def has_given_name(login: bytes) -> bool:
    """Joined or numbered, and a part of it is a given name, or none is a word of programs."""
    if b"-" in login or not login.islower() or login.isalpha() or b"." in login[-4:]:
        return False
    words = parts(login)
    return any(map(is_first_name, words)) or all(map(is_strange, words))


def is_telling(login: bytes) -> bool:
    """A given name, joined with what is no word of programs or numbered: a login wherever it stands.

    >>> is_telling(b"t.lindqvist"), is_telling(b"lucia_m7"), is_telling(b"grant.type"), is_telling(b"es256")
    (True, True, False, False)
    """
    if not login.islower() or login.isalpha() or not _FORM.fits(login) or b"-" in login:
        return False
    words = parts(login)
    if login[1:2] == b".":
        return len(words) == FEW and len(words[1]) > MAX_NAMED and is_strange(words[1])
    return any(map(_is_given_name, words)) and all(map(_may_follow, words))


def _may_follow(word: bytes) -> bool:
    return len(word) == 1 or _is_given_name(word) or is_strange(word)


def _is_given_name(word: bytes) -> bool:
    return len(word) >= MIN_UNKNOWN and is_first_name(word) and not is_known(word)


def is_person(first: bytes, last: bytes) -> bool:
    """A given name and a word that is none, in either order; or two words that no program writes.

    >>> is_person(b"Henrik", b"Castillo"), is_person(b"Internal", b"Server")
    (True, False)
    """
    pair = [word.replace(b"-", b"") for word in (first, last)]
    if any(word.lower() in STOP for word in pair):
        return False
    if all(word[1:].islower() and is_strange(word.lower()) for word in pair):
        return True
    return any(is_first_name(one) and not is_known(other) for one, other in (pair, pair[::-1]))
