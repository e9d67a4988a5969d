"""Words of a message that are not values by their form: may they be values all the same, and by how many is it proven?

A verifier's own vocabulary (analyzer/knowledge/meaning.toml) never is: "token is expired" and "token is revoked" differ
in one word, and that word is the cause. This is what general miners cannot know (docs/decisions/0009).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from functools import cache, lru_cache
from typing import Final

import re2

from analyzer.knowledge.lexicon import lexicon
from analyzer.knowledge.splitting import split_words
from analyzer.templates.value_forms import REGISTERED

_WORD: Final = re2.compile(r"[\pL\pN_]+(?:[.'’-][\pL\pN_]+)*")
_NAMED: Final = frozenset({"claim", "claims", "field", "fields"})
_PROVEN: Final = 3  # different words in one place make it a value's place
_PROVEN_NUMBERED: Final = 2  # order-17, order-18
_PROVEN_CODE: Final = 12  # IDX10214, invalid_request, TokenError: each may be a cause of its own


def pieces(literal: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands between words, and the words: one separator more than words; joined they are the literal."""
    between, words, at = [], [], 0
    for match in _WORD.finditer(literal):
        low, high = match.span()
        between.append(literal[at:low])
        words.append(literal[low:high])
        at = high
    return (*between, literal[at:]), tuple(words)


@lru_cache(maxsize=16_384)
def is_vocabulary(word: str) -> bool:
    """Every part of it is a word that verifiers use: "not", "TokenExpired", "invalid_audience"."""
    said = [part.text for part in split_words(word)]
    return bool(said) and all(part in _vocabulary() for part in said)


def proof(words: Collection[str]) -> int:
    """How many different words it takes to call their place a value's."""
    if 2 * sum(map(_is_code, words)) > len(words):
        return _PROVEN_CODE
    return _PROVEN_NUMBERED if all(map(_is_numbered, words)) else _PROVEN


def is_named(word: str, before: str, after: str) -> bool:
    """Beside "claim" or "field" stands the name of one: a value, unless it is registered (values.py) or a verb."""
    if before.lower() not in _NAMED and after.lower() not in _NAMED:
        return False
    return word.lower() not in REGISTERED and not any(part.text in _predicates() for part in split_words(word))


@cache
def _vocabulary() -> frozenset[str]:
    known = lexicon()
    return known.filler.union(*known.phrases)


@cache
def _predicates() -> frozenset[str]:
    """Words of states, negations and the like: all that is said of things."""
    known = lexicon()
    said = (
        phrase
        for phrase, senses in known.phrases.items()
        if any(sense.role not in ("thing", "noise") for sense in senses)
    )
    return known.filler.union(*said)


def _is_code(word: str) -> bool:
    """An error's name or number by its form: snake_case, CamelCase, capitals."""
    letters = [char for char in word if char.isalpha()]
    inner = any(char.isupper() and before.islower() for before, char in itertools.pairwise(word))
    return "_" in word or inner or (len(letters) > 1 and all(map(str.isupper, letters)))


def _is_numbered(word: str) -> bool:
    return any(char.isdigit() or char in "-." for char in word)
