"""Rule `field`, by looks: a password as people choose them, or a login made of a given name, wherever it stands.

No key and no form of a sentence is asked for. What has this look and is none is rare: a version, a host, an escape, a name of a program.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction.chosen import is_named, is_other
from collector.redaction.hits import SECRET, USER, Hit
from collector.redaction.judges import NAME, is_chosen, says_nothing
from collector.redaction.logins import is_telling
from collector.redaction.meter import spend
from collector.redaction.patterns import Pattern, compiled

MIN_LETTERS: Final = 3
MIN_SIZE: Final = 8
_BEFORE: Final = rb"(?:^|[\s\"'`(\[{<>=:,|/\\])"
_BEHIND: Final = rb"(?:$|[\s\"'`)\]}<>,;|\\])"
_CHOSEN_TEXT: Final = (
    rb"[A-Za-z][0-9]+[!$*^#%?](?:[\s\"'`)\]},;<]|$)|[A-Za-z0-9@][!$*^][A-Za-z0-9]|[a-z][@#%][0-9]+(?:[\s\"'`)\]},;<]|$)"
)
_LOGIN_TEXT: Final = (
    rb"(?:^|[\s\"'`(\[=:/\\])(?:[a-z]{3}[a-z]*(?:[0-9]{2}|_[a-z]?[0-9])|[a-z]+\.[a-z]{4})[a-z0-9]*[\s\"'`)\],;:@/\\]"
)
TRIGGER: Final = _CHOSEN_TEXT + rb"|" + _LOGIN_TEXT
_CHARACTERS: Final = rb"[A-Za-z0-9@!#$%^*?+~._\-]"
_CORE: Final = rb"(?:[0-9][!$*^#%?]|[A-Za-z0-9@][!$*^][A-Za-z0-9]|[a-z][@#%][0-9])"
_CHOSEN: Final = compiled(_BEFORE + rb"(" + _CHARACTERS + rb"{0,30}" + _CORE + _CHARACTERS + rb"{0,30})" + _BEHIND)
_LOGIN: Final = compiled(
    _BEFORE
    + rb"([a-z]{2,20}(?:\.[a-z]{1,20}[0-9]{0,4}|_[a-z]?[0-9]{1,4}|[0-9]{2,4})|[a-z]\.[a-z]{4,20}[0-9]{0,4})(?:$|[\s\"'`)\]}<>,;|:@/\\=])"
)
_SIGNS: Final = frozenset(b"!$*^#%?@")
_NEVER_FIRST: Final = b"#$%?!*+~-."
_ENCODED: Final = compiled(rb"%[0-9A-Fa-f]{2}")
_ASKED: Final = compiled(rb"[A-Z][a-z]{2,}[0-9]{2,4}\?")
_NO_LETTERS: Final = b"0123456789@!#$%^*?+~._-"
_PLAIN: Final = frozenset(b"#%@")  # also in references, percentages and versions


def find(data: bytes) -> Iterator[Hit]:
    """Passwords and logins that nothing else explains."""
    yield from _found(data, _CHOSEN, SECRET)
    yield from _found(data, _LOGIN, USER)


def _found(data: bytes, pattern: Pattern, label: str) -> Iterator[Hit]:
    position = 0
    while match := pattern.search(data, position):
        spend(1)
        start, end = match.span(1)
        position = end
        text = data[start:end].rstrip(b".,-?" if label == USER else b".,-")
        if (is_telling(text) if label == USER else is_password(text)) and not says_nothing(text):
            yield Hit(start, start + len(text), NAME, label)


def is_password(text: bytes) -> bool:
    """Letters, digits and a sign, as nothing but a password has them together.

    >>> is_password(b"Granit1998!"), is_password(b"orders#17"), is_password(b"sha256?")
    (True, False, False)
    """
    if len(text) < MIN_SIZE or text[:1] in _NEVER_FIRST or not is_chosen(text) or is_other(text):
        return False
    if _ENCODED.find(text)[0] >= 0 or len(text.translate(None, _NO_LETTERS)) < MIN_LETTERS:
        return False
    return _ASKED.fits(text) if text.endswith(b"?") else not _is_reference(text)


def _is_reference(text: bytes) -> bool:
    """`orders#17`, `react@18`: words and numbers around a sign that names have too."""
    words = text.replace(b"#", b"@").replace(b"%", b"@").split(b"@")
    return _PLAIN >= _SIGNS & set(text) and all(word.isdigit() or is_named(word) for word in words)
