"""Words that no signature knows, read all the same: a thing ("audience") in a state ("does not match") names a code.

The lexicon is meaning.toml. A text is scanned once, and a state is paired with the things at most REACH words away, so
the work is linear in the text; at most CONSIDERED characters of it are looked at. What is read here is less certain
than a signature's reading: MOST is its ceiling.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from analyzer.knowledge.load import KnowledgeError, title
from analyzer.knowledge.match import Reading
from analyzer.taxonomy import CODES

CONSIDERED: Final = 2048  # characters of a message
READINGS: Final = 3
REACH: Final = 10  # words between a thing and its state
LEAST: Final = 0.3  # certainty of the weakest reading that is given
MOST: Final = 0.7
_DENIES: Final = 4  # words that a negation or a demand reaches forward
_FAINT: Final = 0.12  # a pair farther apart or more general than this is not given
_ALONE: Final = 0.5  # a state without a thing, a thing without a state
_AGREES: Final = 0.2  # what a second pair that names the same code adds
_INHERITED: Final = 0.9  # a thing that means what the thing that it is means
_NAMED: Final = 0.6  # a word in the name of an error class, against one in a sentence
_QUOTED: Final = 1.3  # a thing in quotes or brackets, against one in the sentence
_PER_WORD: Final = 0.93
_PER_CLAUSE: Final = 0.8
_LONGEST_WORD: Final = 40  # a longer run of letters is a token or a hash, not a word
_NAME: Final = 4  # pieces of a name that is a sentence of its own: an error code, a class
_CLASS_NAMES: Final = ("Error", "Exception", "Fault")
_OPENERS: Final = frozenset("'\"`[(<{‘“")
_CLOSERS: Final = frozenset("'\"`])>}’”")
_BREAKS: Final = frozenset(".;\n:,|{}")
_ANY_STATE: Final = "*"
_NO_STATE: Final = "-"
_FILE: Final = "meaning.toml"


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    clause: int
    quoted: bool = False  # stands alone between quotes or brackets
    named: bool = False  # a part of the name of an error class


@dataclass(frozen=True, slots=True)
class _Sense:
    """What a phrase may be: `role` is thing, state, denied, negation, absence, demand, got, type or noise."""

    role: str
    name: str = ""
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class _Mention:
    """A thing or a state in the text, at the word `at`."""

    name: str
    at: int
    word: _Word


@dataclass(frozen=True, slots=True)
class _Lexicon:
    phrases: Mapping[tuple[str, ...], tuple[_Sense, ...]]
    longest: int
    filler: frozenset[str]
    weights: Mapping[str, float]  # of things and states
    needs: Mapping[str, str]  # thing -> the thing without which it is not meant
    kinds: Mapping[str, tuple[str, ...]]  # thing or state -> itself and what it is
    means: Mapping[tuple[str, str], tuple[str, ...]]
    about: Mapping[tuple[str, str], tuple[str, ...]]


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
    things, states = _mentions(_words(text))
    things = _sensible(things)
    spoken = {kind for thing in things if not thing.word.named for kind in _kinds(thing.name)}
    scores: dict[str, list[_Pair]] = {}
    for pair in _pairs(things, states):
        codes = _in_context(pair.codes, spoken)
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
        signature_id=f"meaning.{pair.thing or 'any'}.{'any' if pair.state == _NO_STATE else pair.state}",
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


def _in_context(codes: tuple[str, ...], spoken: set[str]) -> tuple[str, ...]:
    about = lexicon().about
    return next((about[kind, codes[0]] for kind in sorted(spoken) if (kind, codes[0]) in about), codes)


# --- pairs -------------------------------------------------------------------------------------------------


def _pairs(things: list[_Mention], states: list[_Mention]) -> Iterator[_Pair]:
    """Every state with every thing in its reach, and by itself where that says something."""
    for thing in things:
        yield from _pair(thing.name, _NO_STATE, _weight(thing) * _named(thing) * _ALONE)
    low = 0
    for state in states:
        while low < len(things) and things[low].at < state.at - REACH:
            low += 1
        yield from _pair("", state.name, _weight(state) * _named(state) * _ALONE)
        for thing in things[low:]:
            if thing.at > state.at + REACH:
                break
            score = _weight(thing) * _weight(state) * _nearness(thing, state) * _named(thing, state)
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
        for condition in (*_kinds(state), _ANY_STATE):
            if (kind, condition) in means and (condition != _ANY_STATE or state != _NO_STATE):
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

    def take(self, sense: _Sense, at: int, word: _Word) -> None:
        """One sense of the phrase that begins at `at`."""
        near = at - self._denier <= _DENIES
        if sense.role == "thing":
            self._thing(sense.name, at, word)
        elif sense.role == "state":
            self._state(sense.name, at, word)
        elif sense.role in ("denied", "type") and near:
            self._state(sense.name, at, word)
            self._denier = -REACH
        elif sense.role == "got" and at - self._demand <= REACH:
            self._state("mismatch", at, word)
        elif sense.role in ("negation", "demand"):
            self._denier = at
            self._demand = at if sense.role == "demand" else self._demand
        elif sense.role == "absence":
            self._absence = at

    def _thing(self, name: str, at: int, word: _Word) -> None:
        self.things.append(_Mention(name, at, word))
        if 0 < at - self._absence <= 2:
            self.states.append(_Mention("missing", at, word))

    def _state(self, name: str, at: int, word: _Word) -> None:
        self._absence = -REACH
        self.states.append(_Mention(name, at, word))


def _mentions(words: Iterable[_Word]) -> tuple[list[_Mention], list[_Mention]]:
    """Things and states in the order of the text: the longest phrase that begins at a word is what it says."""
    said = [word for word in words if word.text not in lexicon().filler]
    grammar = _Grammar()
    at = 0
    while at < len(said):
        size, senses = _senses(said, at)
        for sense in senses:
            if said[at].quoted or not sense.quoted:
                grammar.take(sense, at + size - 1 if sense.role in ("negation", "demand", "absence") else at, said[at])
        at += size
    return grammar.things, grammar.states


def _senses(said: list[_Word], at: int) -> tuple[int, tuple[_Sense, ...]]:
    known = lexicon()
    for size in range(min(known.longest, len(said) - at), 0, -1):
        senses = known.phrases.get(tuple(word.text for word in said[at : at + size]))
        if senses:
            return size, senses
    return 1, ()


# --- words -------------------------------------------------------------------------------------------------


def _words(text: str) -> Iterator[_Word]:
    """Words in lower case, without addresses and opaque runs; names in camelCase and snake_case are split."""
    text = text.replace("\\n", "\n").replace("’", "'")
    at = clause = 0
    while at < len(text):
        if not _in_name(text, at):
            clause += text[at] in _BREAKS and _ends_clause(text, at)
            at += 1
            continue
        end = _name_end(text, at)
        if text.startswith("://", end):
            at = _address_end(text, end)
            continue
        yield from _parts(text[at:end], clause, enclosed=_enclosed(text, at, end))
        at = end


def _in_name(text: str, at: int) -> bool:
    char = text[at]
    return char.isalnum() or char == "_" or (char == "'" and text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha())


def _name_end(text: str, at: int) -> int:
    while at < len(text) and _in_name(text, at):
        at += 1
    return at


def _address_end(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace() and text[at] not in _CLOSERS:
        at += 1
    return at


def _ends_clause(text: str, at: int) -> bool:
    """A dot or a colon inside a name (`jwt.ValidationError`) ends nothing."""
    return text[at] not in ".:" or not text[at + 1 : at + 2].isalnum()


def _enclosed(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start] in _OPENERS and text[end : end + 1] in _CLOSERS


def _parts(name: str, clause: int, *, enclosed: bool) -> Iterator[_Word]:
    pieces = [piece for run in name.split("_") for piece in _humps(run)]
    named = len(pieces) >= _NAME or (len(pieces) > 1 and name.endswith(_CLASS_NAMES))
    for piece in pieces:
        if len(piece) <= _LONGEST_WORD:
            yield _Word(_stem(piece), clause, quoted=enclosed and len(pieces) == 1, named=named)


def _humps(run: str) -> Iterator[str]:
    """`JWTClaimsError` -> JWT, Claims, Error."""
    start = 0
    for at in range(1, len(run)):
        rises = run[at].isupper() and not run[at - 1].isupper() and not run[at - 1].isdigit()
        starts = run[at - 1].isupper() and run[at].islower() and at - 1 > start
        if rises or starts:
            yield run[start : at if rises else at - 1]
            start = at if rises else at - 1
    if run[start:]:
        yield run[start:]


def _stem(word: str) -> str:
    """Lower case, `n't` as "not", no plural s."""
    lower = word.lower()
    if lower.endswith("n't"):
        return "not"
    lower = lower.replace("'", "")
    if len(lower) < 4 or not lower.endswith("s") or lower.endswith(("ss", "us", "is", "jwks", "dns", "tls")):
        return lower
    return lower[:-2] if lower.endswith(("ches", "shes", "sses", "xes")) else lower[:-1]


# --- lexicon -----------------------------------------------------------------------------------------------


@cache
def lexicon() -> _Lexicon:
    """meaning.toml, checked as a whole. Raises KnowledgeError."""
    raw = tomllib.loads(files("analyzer.knowledge").joinpath(_FILE).read_text(encoding="utf-8"))
    things, states, grammar = raw["thing"], raw["state"], raw["grammar"]
    phrases: dict[tuple[str, ...], tuple[_Sense, ...]] = {}
    for words, sense in _entries(things, states, grammar):
        phrases[words] = (*phrases.get(words, ()), sense)
    _check(raw)
    return _Lexicon(
        phrases=phrases,
        longest=max(map(len, phrases)),
        filler=frozenset(map(_stem, grammar["filler"])),
        weights={name: entry.get("weight", 1.0) for name, entry in (*things.items(), *states.items())},
        needs={name: entry["needs"] for name, entry in things.items() if "needs" in entry},
        kinds={name: _chain(name, entries) for entries in (things, states) for name in entries},
        means=_table(raw["means"]),
        about=_table(raw["about"]),
    )


def _entries(
    things: Mapping[str, Any], states: Mapping[str, Any], grammar: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], _Sense]]:
    filler = frozenset(map(_stem, grammar["filler"]))
    rows = [
        *((entry["words"], _Sense("thing", name)) for name, entry in things.items()),
        *((entry.get("quoted", ()), _Sense("thing", name, quoted=True)) for name, entry in things.items()),
        *((entry["words"], _Sense("state", name)) for name, entry in states.items()),
        *((entry.get("denied", ()), _Sense("denied", name)) for name, entry in states.items()),
        *((grammar[role], _Sense(role)) for role in ("negation", "absence", "demand", "got", "noise")),
        (grammar["types"], _Sense("type", "wrong_type")),
    ]
    for phrases, sense in rows:
        for words in {tuple(word.text for word in _words(phrase) if word.text not in filler) for phrase in phrases}:
            yield words, sense


def _chain(name: str, things: Mapping[str, Any]) -> tuple[str, ...]:
    chain = [name]
    while parent := things[chain[-1]].get("is"):
        chain.append(parent)
    return tuple(chain)


def _table(raw: Mapping[str, Mapping[str, list[str]]]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(row, column): tuple(codes) for row, cells in raw.items() for column, codes in cells.items()}


def _check(raw: Mapping[str, Any]) -> None:
    for table, columns in (("means", {*raw["state"], _ANY_STATE, _NO_STATE}), ("about", set(CODES))):
        for row, cells in raw[table].items():
            if (row and row not in raw["thing"]) or not cells.keys() <= columns:
                raise KnowledgeError(_FILE, f"{table}.{row}", "names a thing, and in it states (means) or codes (about)")
            for column, codes in cells.items():
                if not codes or not set(codes) <= CODES.keys():
                    raise KnowledgeError(_FILE, f"{table}.{row}.{column}", "needs codes of the taxonomy")
