"""Words that no signature knows, read all the same: a thing ("audience") in a state ("does not match") names a code.

The lexicon is meaning.toml. A text is scanned once, and a state is paired with the things at most REACH words away, so
the work is linear in the text; at most CONSIDERED characters of it are looked at. What is read here is less certain
than a signature's reading: MOST is its ceiling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from analyzer.knowledge.grammar import REACH, Mention, Mentions, mentions
from analyzer.knowledge.lexicon import NO_STATE, Lexicon, lexicon
from analyzer.knowledge.masks import unmasked
from analyzer.knowledge.match import Reading
from analyzer.knowledge.signatures import title

CONSIDERED: Final = 2048  # characters of a message
READINGS: Final = 3
LEAST: Final = 0.3  # certainty of the weakest reading that is given
MOST: Final = 0.7
_FAINT: Final = 0.12  # a pair farther apart or more general than this is not given
_ALONE: Final = 0.42  # a state without a thing, a thing without a state
_AGREES: Final = 0.35  # what a second pair that names the same code adds
_INHERITED: Final = 0.9  # a thing that means what the thing that it is means
_NAMED: Final = 0.7  # a word in the name of an error class, against one in a sentence
_MIXED: Final = 0.5  # a word in the name with one in the sentence: "DecodeError: the signature …"
_OUTER: Final = 0.8  # what stands before "due to" or "caused by", against what stands behind
_PER_WORD: Final = 0.88
_PER_CLAUSE: Final = 0.8
_CLAUSES: Final = 3  # more clauses apart count as these
_COMMON: Final = "claim"  # spoken of only where it is said
_BEHIND: Final = 0.7  # a thing before a state that speaks of what follows: "the token does not contain exp"


class _Pair(NamedTuple):
    thing: str
    state: str
    codes: tuple[str, ...]
    score: float


def read_meaning(text: str) -> tuple[Reading, ...]:
    """Readings by meaning, best first, at most READINGS, certainty LEAST to MOST; () when the words say nothing."""
    return _remembered(unmasked(text[:CONSIDERED]))


def _read(text: str) -> tuple[Reading, ...]:
    known = lexicon()
    found = mentions(text, known)
    spoken = _spoken(found.things, known)
    scores: dict[str, list[_Pair]] = {}
    for pair in _pairs(found, known):
        said = _in_context(pair, spoken, known) if spoken else pair
        scores.setdefault(said.codes[0], []).append(said)
    ranked = sorted((_best(pairs) for pairs in scores.values()), key=lambda pair: -pair.score)
    return tuple(_reading(pair) for pair in ranked[:READINGS] if pair.score >= _FAINT)


_remembered = lru_cache(maxsize=4096)(_read)


def _best(pairs: list[_Pair]) -> _Pair:
    """The strongest of the pairs that name one code; the others strengthen it a little."""
    if len(pairs) == 1:
        return pairs[0]
    first, second, *_ = sorted(pairs, key=lambda pair: -pair.score)
    return first._replace(score=first.score + _AGREES * second.score)


def _reading(pair: _Pair) -> Reading:
    code, *also = pair.codes
    return Reading(
        signature_id=f"meaning.{pair.thing or 'any'}.{'any' if pair.state == NO_STATE else pair.state}",
        code=code,
        also=tuple(also),
        certainty=round(LEAST + (MOST - LEAST) * min(1.0, pair.score), 2),
        library="",
        gateway="",
        says=title(code),
        matched=0,
    )


def _spoken(things: Iterable[Mention], known: Lexicon) -> list[str]:
    """What the text speaks of: the things and what they are, but for an error's name and for what every claim is."""
    kinds = known.kinds
    named = {thing.name for thing in things}
    meant = {kind for thing in things if not thing.named for kind in kinds[thing.name]} - {_COMMON}
    return sorted((named | meant) & known.contexts)


def _in_context(pair: _Pair, spoken: Iterable[str], known: Lexicon) -> _Pair:
    """What the pair means beside everything else that the text speaks of."""
    said, code = f"{pair.thing}.{pair.state}", pair.codes[0]
    for kind in spoken:
        codes = known.about.get((kind, said)) or known.about.get((kind, code))
        if codes:
            return pair._replace(codes=codes)
    return pair


def _pairs(said: Mentions, known: Lexicon) -> Iterator[_Pair]:
    """Every state with every thing in its reach, and by itself where that says something."""
    for thing in said.things:
        if found := known.means.get((thing.name, NO_STATE)):
            yield _Pair(thing.name, NO_STATE, found[0], _alone(thing) * _INHERITED ** found[1])
    low = 0
    for state in said.states:
        while low < len(said.things) and said.things[low].at < state.at - REACH:
            low += 1
        yield from _with_things(state, said, low, known)


def _with_things(state: Mention, said: Mentions, low: int, known: Lexicon) -> Iterator[_Pair]:
    """One state by itself, then with every thing in its reach; `low` is the first of those."""
    outer = _OUTER if state.at < said.cause else 1.0
    if found := known.means.get(("", state.name)):
        yield _Pair("", state.name, found[0], _alone(state) * outer)
    for thing in said.things[low:]:
        if thing.at > state.at + REACH:
            break
        if (found := known.means.get((thing.name, state.name))) and _belong(thing, state):
            score = outer * _together(thing, state, forward=state.name in known.rightward)
            yield _Pair(thing.name, state.name, found[0], score * _INHERITED ** found[1])


def _alone(mention: Mention) -> float:
    return mention.weight * _ALONE * (_MIXED if mention.named else 1.0)


def _belong(thing: Mention, state: Mention) -> bool:
    """Of the key alone is said in "no key" that it is absent."""
    return state.of[0] <= thing.at <= state.of[1]


def _together(thing: Mention, state: Mention, *, forward: bool) -> float:
    crossed = min(_CLAUSES, abs(thing.clause - state.clause))
    gap = max(0, abs(thing.at - state.at) - 1)
    score = thing.weight * state.weight * _PER_WORD**gap * _PER_CLAUSE**crossed
    if thing.named or state.named:
        score *= _NAMED if thing.named == state.named else _MIXED
    return score * (_BEHIND if forward and thing.at < state.at else 1.0)
