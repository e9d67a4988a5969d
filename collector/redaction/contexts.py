"""Rule `context`: a value goes because of what stands around it: a statement, a command, a sentence (rules/contexts.toml).

Two automata say which of the patterns can match at all; only those are searched for. The second is for triggers that wait
for a second word up to the end of the line: each of them doubles the states of the automaton that it is part of.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from collector.redaction import shapes
from collector.redaction.chosen import is_likely, is_numbered_word
from collector.redaction.field_names import RULES, is_statement, kind_of
from collector.redaction.hits import CARD, EMAIL, PHONE, SECRET, USER, Hit
from collector.redaction.judges import is_chosen, says_nothing
from collector.redaction.logins import has_form, is_strange, is_unknown
from collector.redaction.meter import spend
from collector.redaction.patterns import Match, Pattern, any_of, compiled
from collector.redaction.vocabulary import is_first_name, is_known

STEPS: Final = 4
MAX_DIGITS_OF_CODE: Final = 10
MIN_DIGITS_OF_CODE: Final = 4
MIN_DIGITS: Final = 7
MIN_MIXED: Final = 8
MIXES: Final = 3  # changes of case, or between letters and digits
MIN_NUMBER: Final = 5
_LABELS: Final = {"secret": SECRET, "user": USER, "phone": PHONE, "email": EMAIL, "card": CARD}
_NAMES: Final = {"secret": "field", "user": "field", "phone": "phone", "email": "email", "card": "card"}
_LAST: Final = b".,;:!?)"
_DATE: Final = compiled(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|.*[0-9]{2}:[0-9]{2}")
_GROUPED: Final = compiled(rb"[A-Z0-9]{3,8}(?:-[A-Z0-9]{3,8})+")
_NUMBERED: Final = compiled(rb"[A-Za-z]+(?:[\-_./][A-Za-z]+)*[\-_./]?[0-9]{1,4}")  # `AADSTS5012`, `orders-17`
_LETTERS: Final = compiled(rb"[A-Za-z]")
_ERRORS: Final = (b"Error", b"Exception", b"Failure")
_DIGITS: Final = b"0123456789"
_SIGNS: Final = frozenset(b"!#$%&*@^?+=~")


@dataclass(frozen=True, slots=True)
class Context:
    """A pattern, what its values must look like, and what replaces them."""

    pattern: Pattern
    trigger: bytes
    has_key: bool
    judge: str
    label: str


def _digits(value: bytes) -> int:
    return len(value) - len(value.translate(None, _DIGITS))


def _mixed(value: bytes) -> bool:
    """Letters and digits that no word has; UUIDs too."""
    if len(value) < MIN_MIXED or is_statement(value) or _DATE.fits(value) or _NUMBERED.fits(value):
        return False
    digits = _digits(value)
    if not digits or _LETTERS.find(value)[0] < 0 or value.endswith(_ERRORS):
        return False
    return (digits > 1 and b"." not in value) or _is_tangled(value)


def _is_tangled(value: bytes) -> bool:
    return shapes.mixes(value) >= MIXES and not shapes.is_word(value)


def _odd(value: bytes) -> bool:
    """Letters and digits, or a sign that no word has."""
    return (_LETTERS.find(value)[0] >= 0 and _digits(value) > 0) or bool(set(value) & _SIGNS)


def _code(value: bytes) -> bool:
    plain = value.translate(None, b" -")
    if plain.isdigit():
        return MIN_DIGITS_OF_CODE <= len(plain) <= MAX_DIGITS_OF_CODE
    return _GROUPED.fits(value) or (_digits(plain) > 0 and not _NUMBERED.fits(value) and not _DATE.fits(value))


def _password(value: bytes) -> bool:
    """Behind a user and a colon: no port."""
    return _odd(value) and _digits(value) > 0


def _person(value: bytes) -> bool:
    return value != b"-" and not is_statement(value)


def _login(value: bytes) -> bool:
    """A name that people have in systems: joined, or with digits; other words belong to the sentence."""
    if is_statement(value) or value.isdigit():
        return False
    return not value.isalpha() or (len(value) >= MIN_NUMBER and not is_known(value))


def _keyed(value: bytes) -> bool:
    """Behind a whole key: also digits and UUIDs."""
    return is_likely(value) or (_digits(value) >= MIN_DIGITS_OF_CODE and (value.isdigit() or shapes.is_public(value)))


def _sasl(value: bytes) -> bool:
    """Base64 as a client answers in, not the server's `Username:`."""
    return shapes.decoded(value)[:8].lower() not in (b"username", b"password") and not value.isalpha()


_JUDGES: Final[dict[str, Callable[[bytes], bool]]] = {
    "any": bool,
    "mixed": _mixed,
    "odd": _odd,
    "code": _code,
    "digits": lambda value: _digits(value) >= MIN_DIGITS,
    "number": lambda value: _digits(value) >= MIN_NUMBER,
    "password": _password,
    "person": _person,
    "login": _login,
    "sasl": _sasl,
    "chosen": is_chosen,
    "likely": is_likely,
    "told": lambda value: is_numbered_word(value) or _keyed(value),
    "keyed": _keyed,
    "given": lambda value: (
        is_strange(value.lower()) or (is_first_name(value.replace(b"-", b"")) and not is_statement(value))
    ),
    "somebody": lambda value: has_form(value) and is_unknown(value),
    "given or strange": lambda value: is_first_name(value) or is_strange(value.lower()),
}


def _context(data: dict[str, Any]) -> Context:
    return Context(
        pattern=compiled(data["pattern"].encode("latin-1")),
        trigger=data["trigger"].encode("latin-1"),
        has_key=data.get("key", False),
        judge=data["judge"],
        label=data["label"],
    )


_AFAR: Final = rb"[^\r\n"  # how a trigger says "up to the end of the line"
CONTEXTS: Final = tuple(map(_context, tomllib.loads((RULES / "contexts.toml").read_text(encoding="utf-8"))["context"]))


class Contexts:
    """Some of them: one pattern that occurs wherever one of them does, and what they find."""

    def __init__(self, contexts: Iterable[Context]) -> None:
        self._contexts = tuple(contexts)
        self._which = any_of([context.trigger for context in self._contexts])
        self.trigger = b"|".join(b"(?:" + context.trigger + b")" for context in self._contexts)

    def find(self, data: bytes) -> Iterator[Hit]:
        """Values by what stands around them."""
        for index in sorted(self._which(data)):
            context = self._contexts[index]
            for match in context.pattern.finditer(data):
                spend(STEPS)
                yield from _values(context, match)


BESIDE: Final = Contexts(context for context in CONTEXTS if _AFAR not in context.trigger)
AFAR: Final = Contexts(context for context in CONTEXTS if _AFAR in context.trigger)


def _values(context: Context, match: Match) -> Iterator[Hit]:
    label = context.label
    first = 1
    if context.has_key:
        kind = kind_of(match.group(1))
        if kind not in ("auth", "secret", "user", "likely", "code"):
            return
        label, first = ("user" if kind == "user" else "secret"), 2
    for group in range(first, len(match.spans)):
        start = match.start(group)
        value = match.group(group).rstrip(_LAST if context.judge != "any" else b"")
        if start >= 0 and not says_nothing(value) and _JUDGES[context.judge](value):
            yield Hit(start, start + len(value), _NAMES[label], _LABELS[label])
