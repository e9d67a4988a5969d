"""What a text mentions: things and states, each with what the words before it make of it (denied, demanded, absent)."""

from __future__ import annotations

from typing import Final, NamedTuple

from analyzer.knowledge.lexicon import ABSENCE, Lexicon, Sense
from analyzer.knowledge.splitting import Word, split_words

MENTIONS: Final = 64  # things, and states, of one text
REACH: Final = 10  # words between a thing and its state
Span = tuple[int, int]
ANYTHING: Final[Span] = (0, 1 << 30)  # a state that is said of no thing in particular
_DENIES: Final = 4  # words that a negation or a demand reaches forward
_PLACES: Final = 2  # words that "in" reaches forward
_ATTEMPTS: Final = 2  # words that "while" reaches forward
_QUOTED: Final = 1.3  # a thing in quotes or brackets, against one in the sentence
_PLACED: Final = 0.5  # a thing in which another is looked for: "no exp in the token" is about exp
_ATTEMPTED: Final = 0.4  # "an error occurred while decoding": what was tried is not what went wrong
_PARTS: Final = frozenset({"claim", "signature", "alg", "key"})
_FORWARD: Final = frozenset({"negation", "demand", "cause", "attempt", *ABSENCE})


class Mention(NamedTuple):
    """A thing or a state at the word `at`; a state is said `of` the things at these words, first and last."""

    name: str
    at: int
    weight: float
    clause: int
    named: bool
    of: Span = ANYTHING


class Mentions(NamedTuple):
    """Things and states in the order of the text, and the word behind which the cause is told (0: nowhere)."""

    things: list[Mention]
    states: list[Mention]
    cause: int


def mentions(text: str, known: Lexicon) -> Mentions:
    """Things and states of a text, at most MENTIONS each: the longest phrase that begins at a word is what it says."""
    said, placed = _content(text, known)
    grammar = _Grammar(known, placed)
    at = 0
    while at < len(said) and len(grammar.states) < MENTIONS > len(grammar.things):
        size, senses = _senses(said, at, known)
        for sense in _meant(senses, said[at]):
            grammar.take(sense, at + size - 1 if sense.role in _FORWARD else at, said[at], said[at + size - 1])
        at += size
    return Mentions(_needed(grammar.things[:MENTIONS], known), grammar.states[:MENTIONS], grammar.cause)


def _meant(senses: tuple[Sense, ...], first: Word) -> list[Sense]:
    """Those of a phrase in quotes, when it is in quotes and has one; else the others."""
    is_quoted = first.quoted and any(sense.quoted for sense in senses)
    return [sense for sense in senses if sense.quoted == is_quoted]


def _needed(things: list[Mention], known: Lexicon) -> list[Mention]:
    """The things without those that mean nothing unless another thing is mentioned, too."""
    present = {thing.name for thing in things}
    return [thing for thing in things if known.needs.get(thing.name, thing.name) in present]


def _content(text: str, known: Lexicon) -> tuple[list[Word], set[int]]:
    """The words that are no fillers, and which of them stand behind "in" or "from"."""
    said: list[Word] = []
    placed: set[int] = set()
    for word in split_words(text):
        if word.text not in known.filler:
            said.append(word)
        elif word.text in known.places:
            placed.update(range(len(said), len(said) + _PLACES))
    return said, placed


def _senses(said: list[Word], at: int, known: Lexicon) -> tuple[int, tuple[Sense, ...]]:
    left = len(said) - at
    for size in known.lengths.get(said[at].text, ()):
        if size > left or said[at + size - 1].clause != said[at].clause:
            continue
        senses = known.phrases.get(tuple([word.text for word in said[at : at + size]]), ())
        if senses and senses[0].general and _names_a_part(said, at + size, known):
            continue
        if senses:
            return size, senses
    return 1, ()


def _names_a_part(said: list[Word], at: int, known: Lexicon) -> bool:
    """The word at `at` begins a thing that is a part of a readable token."""
    if at >= len(said) or said[at].clause != said[at - 1].clause:
        return False
    _, senses = _senses(said, at, known)
    return any(sense.role == "thing" and known.kinds[sense.name][-1] in _PARTS for sense in senses)


class _Grammar:
    """What the words before the present one make of it: denied, demanded, expected, attempted."""

    def __init__(self, known: Lexicon, placed: set[int]) -> None:
        self.things: list[Mention] = []
        self.states: list[Mention] = []
        self.cause = 0
        self._known = known
        self._placed = placed
        self._denier = -REACH
        self._demand = -2 * REACH
        self._absence = -REACH
        self._absence_at = 1 - REACH
        self._attempt = -REACH
        self._absent = ""

    def take(self, sense: Sense, at: int, first: Word, last: Word) -> None:
        """One sense of the phrase that begins at `at`."""
        role = sense.role
        if role == "thing":
            name = self._known.plurals.get(sense.name, sense.name) if last.plural else sense.name
            self._thing(name, at, first)
        elif role == "state":
            self._state(sense.name, at, first)
        elif role in ("denied", "type") and at - self._denier <= _DENIES:
            self._state(sense.name, at, first, self._denied(at))
        elif role == "got" and at - self._demand <= REACH:
            self._state("mismatch", at, first)
        else:
            self._turn(role, at)

    def _turn(self, role: str, at: int) -> None:
        """A word that is no thing and no state, and changes what is said of those behind it."""
        if role in ("negation", "demand"):
            self._denier = at
            self._demand = at if role == "demand" else self._demand
        elif role in ABSENCE:
            reach, self._absent = ABSENCE[role]
            self._absence_at = at
            self._absence = at + reach
        elif role == "attempt":
            self._attempt = at + _ATTEMPTS
        elif role == "cause":
            self.cause = at

    def _thing(self, name: str, at: int, word: Word) -> None:
        weight = self._known.weights[name] * (_QUOTED if word.quoted else 1.0)
        if at in self._placed:
            weight *= _PLACED
        self.things.append(Mention(name, at, weight, word.clause, word.named))
        if at <= self._absence:
            absent = self._known.weights[self._absent] * (_QUOTED if word.quoted else 1.0)
            self.states.append(Mention(self._absent, at, absent, word.clause, word.named, (at, at)))

    def _denied(self, at: int) -> Span:
        """In "no key found" the key is not found, rather than absent, and nothing else is."""
        if self._denier != self._absence_at or not self.things or self.things[-1].at < self._denier:
            return ANYTHING
        while self.states and self.states[-1].at >= self._denier and self.states[-1].of != ANYTHING:
            self.states.pop()
        return (self._denier, at)

    def _state(self, name: str, at: int, word: Word, of: Span = ANYTHING) -> None:
        self._absence = self._denier = -REACH
        weight = self._known.weights[name] * (_QUOTED if word.quoted else 1.0)
        if at <= self._attempt:
            weight *= _ATTEMPTED
        self.states.append(Mention(name, at, weight, word.clause, word.named, of))
