"""Words that no signature knows, read all the same: a thing ("audience") in a state ("does not match") names a code.

The lexicon is meaning.toml. A text is scanned once, and a state is paired with the things at most REACH words away, so
the work is linear in the text; at most CONSIDERED characters of it are looked at. What is read here is less certain
than a signature's reading: MOST is its ceiling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from analyzer.knowledge.lexicon import ABSENCE, ANY_STATE, NO_STATE, Sense, Word, lexicon, split_words
from analyzer.knowledge.load import title
from analyzer.knowledge.match import Reading

CONSIDERED: Final = 2048  # characters of a message
READINGS: Final = 3
MENTIONS: Final = 64  # things, and states, of one text
REACH: Final = 10  # words between a thing and its state
LEAST: Final = 0.3  # certainty of the weakest reading that is given
MOST: Final = 0.7
_DENIES: Final = 4  # words that a negation or a demand reaches forward
_FAINT: Final = 0.12  # a pair farther apart or more general than this is not given
_ALONE: Final = 0.42  # a state without a thing, a thing without a state
_AGREES: Final = 0.35  # what a second pair that names the same code adds
_INHERITED: Final = 0.9  # a thing that means what the thing that it is means
_NAMED: Final = 0.7  # a word in the name of an error class, against one in a sentence
_QUOTED: Final = 1.3  # a thing in quotes or brackets, against one in the sentence
_PER_WORD: Final = 0.88
_PER_CLAUSE: Final = 0.8
_BEHIND: Final = 0.7  # a thing before a state that speaks of what follows: "the token does not contain exp"
_FORWARD: Final = frozenset({"negation", "demand", *ABSENCE})


@dataclass(frozen=True, slots=True)
class _Mention:
    """A thing or a state in the text, at the word `at`."""

    name: str
    at: int
    word: Word


@dataclass(frozen=True, slots=True)
class _Pair:
    thing: str
    state: str
    codes: tuple[str, ...]
    score: float


def read_meaning(text: str) -> tuple[Reading, ...]:
    """Readings by meaning, best first, at most READINGS, certainty LEAST to MOST; () when the words say nothing."""
    return _remembered(text[:CONSIDERED])


def _read(text: str) -> tuple[Reading, ...]:
    things, states = _mentions(split_words(text))
    things = _sensible(things)
    spoken = {kind for thing in things for kind in (_kinds(thing.name) if not thing.word.named else (thing.name,))}
    scores: dict[str, list[_Pair]] = {}
    for pair in _pairs(things, states):
        codes = _in_context(pair, spoken)
        scores.setdefault(codes[0], []).append(_Pair(pair.thing, pair.state, codes, pair.score))
    ranked = sorted((_best(pairs) for pairs in scores.values()), key=lambda pair: -pair.score)
    readings = (_reading(pair) for pair in ranked if pair.score >= _FAINT)
    return tuple(readings)[:READINGS]


def _sensible(things: list[_Mention]) -> list[_Mention]:
    """Without things that stand only where another is spoken of: "n" is a key's modulus beside a key."""
    needs, present = lexicon().needs, {thing.name for thing in things}
    return [thing for thing in things if needs.get(thing.name, thing.name) in present]


_remembered = lru_cache(maxsize=4096)(_read)


def _best(pairs: list[_Pair]) -> _Pair:
    """The strongest of the pairs that name one code; the others strengthen it a little."""
    first, *others = sorted(pairs, key=lambda pair: -pair.score)
    score = first.score + _AGREES * max((pair.score for pair in others), default=0.0)
    return _Pair(first.thing, first.state, first.codes, score)


def _reading(pair: _Pair) -> Reading:
    code, *also = pair.codes
    return Reading(
        signature_id=f"meaning.{pair.thing or 'any'}.{'any' if pair.state == NO_STATE else pair.state}",
        code=code,
        also=tuple(also),
        certainty=round(_certainty(pair.score), 2),
        library="",
        gateway="",
        says=title(code),
        matched=0,
    )


def _certainty(score: float) -> float:
    return LEAST + (MOST - LEAST) * min(1.0, score)


def _in_context(pair: _Pair, spoken: set[str]) -> tuple[str, ...]:
    """What the pair means beside everything else that the text speaks of."""
    about = lexicon().about
    said = (f"{pair.thing}.{pair.state}", pair.codes[0])
    return next((about[kind, what] for kind in sorted(spoken) for what in said if (kind, what) in about), pair.codes)


# --- pairs -------------------------------------------------------------------------------------------------


def _pairs(things: list[_Mention], states: list[_Mention]) -> Iterator[_Pair]:
    """Every state with every thing in its reach, and by itself where that says something."""
    for thing in things:
        yield from _pair(thing.name, NO_STATE, _weight(thing) * _named(thing) * _ALONE)
    low = 0
    for state in states:
        while low < len(things) and things[low].at < state.at - REACH:
            low += 1
        yield from _pair("", state.name, _weight(state) * _named(state) * _ALONE)
        for thing in things[low:]:
            if thing.at > state.at + REACH:
                break
            score = _weight(thing) * _weight(state) * _nearness(thing, state) * _named(thing, state)
            score *= _BEHIND if thing.at < state.at and state.name in lexicon().rightward else 1.0
            yield from _pair(thing.name, state.name, score)


def _pair(thing: str, state: str, score: float) -> Iterator[_Pair]:
    codes, steps = _means(thing, state)
    if codes:
        yield _Pair(thing, state, codes, score * _INHERITED**steps)


def _means(thing: str, state: str) -> tuple[tuple[str, ...], int]:
    """Codes of a thing in a state, and how many steps up from what they are to what is known of them."""
    means = lexicon().means
    steps = 0
    for kind in _kinds(thing):
        for condition in (*_kinds(state), ANY_STATE):
            if (kind, condition) in means and (condition != ANY_STATE or state != NO_STATE):
                return means[kind, condition], steps
        steps += 1
    return (), steps


def _weight(mention: _Mention) -> float:
    weight = lexicon().weights[mention.name]
    return weight * _QUOTED if mention.word.quoted else weight


def _named(*mentions: _Mention) -> float:
    return _NAMED if any(mention.word.named for mention in mentions) else 1.0


def _nearness(thing: _Mention, state: _Mention) -> float:
    gap = abs(thing.at - state.at) - 1
    crossed = abs(thing.word.clause - state.word.clause)
    return _PER_WORD ** max(0, gap) * _PER_CLAUSE ** min(3, crossed)


def _kinds(name: str) -> tuple[str, ...]:
    """The thing or state and what it is, nearest first."""
    return lexicon().kinds.get(name, (name,))


# --- mentions ----------------------------------------------------------------------------------------------


class _Grammar:
    """What the words before the present one make of it: denied, demanded, expected."""

    def __init__(self) -> None:
        self.things: list[_Mention] = []
        self.states: list[_Mention] = []
        self._denier = -REACH
        self._demand = -2 * REACH
        self._absence = -REACH
        self._absent = ""

    def take(self, sense: Sense, at: int, word: Word) -> None:
        """One sense of the phrase that begins at `at`."""
        near = at - self._denier <= _DENIES
        if sense.role == "thing":
            self._thing(sense.name, at, word)
        elif sense.role == "state" or (sense.role in ("denied", "type") and near):
            self._state(sense.name, at, word)
        elif sense.role == "got" and at - self._demand <= REACH:
            self._state("mismatch", at, word)
        elif sense.role in ("negation", "demand"):
            self._denier = at
            self._demand = at if sense.role == "demand" else self._demand
        elif sense.role in ABSENCE:
            reach, self._absent = ABSENCE[sense.role]
            self._absence = at + reach

    def _thing(self, name: str, at: int, word: Word) -> None:
        self.things.append(_Mention(name, at, word))
        if at <= self._absence:
            self.states.append(_Mention(self._absent, at, word))

    def _state(self, name: str, at: int, word: Word) -> None:
        self._absence = self._denier = -REACH
        self.states.append(_Mention(name, at, word))


def _mentions(words: Iterable[Word]) -> tuple[list[_Mention], list[_Mention]]:
    """Things and states in the order of the text: the longest phrase that begins at a word is what it says."""
    said = [word for word in words if word.text not in lexicon().filler]
    grammar = _Grammar()
    at = 0
    while at < len(said):
        size, senses = _senses(said, at)
        for sense in senses:
            if said[at].quoted or not sense.quoted:
                grammar.take(sense, at + size - 1 if sense.role in _FORWARD else at, said[at])
        at += size
    return grammar.things[:MENTIONS], grammar.states[:MENTIONS]


def _senses(said: list[Word], at: int) -> tuple[int, tuple[Sense, ...]]:
    known = lexicon()
    for size in range(min(known.longest, len(said) - at), 0, -1):
        senses = known.phrases.get(tuple(word.text for word in said[at : at + size]))
        if senses:
            return size, senses
    return 1, ()
