"""meaning.toml, checked: what the words mean that analyzer.knowledge.meaning reads (docs/meaning.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from analyzer.knowledge.products import table
from analyzer.knowledge.signatures import KnowledgeError
from analyzer.knowledge.splitting import split_words, stem
from analyzer.taxonomy import CODES

ANY_STATE: Final = "*"
NO_STATE: Final = "-"
# Words that it reaches forward, and the state of the thing that it meets there.
ABSENCE: Final = {"absence": (2, "missing"), "absence_next": (1, "unlike")}
ROLES: Final = ("negation", *ABSENCE, "demand", "got", "noise", "cause", "attempt")
_FILE: Final = "meaning.toml"


@dataclass(frozen=True, slots=True)
class Sense:
    """What a phrase may be: `role` is thing, state, type, or a name of ROLES."""

    role: str
    name: str = ""
    quoted: bool = False
    general: bool = False  # not before a part of what it names: "invalid JWT string", and not "invalid JWT issuer"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """meaning.toml; `phrases` has words without fillers."""

    phrases: Mapping[tuple[str, ...], tuple[Sense, ...]]
    lengths: Mapping[
        str, tuple[int, ...]
    ]  # first word of a phrase -> words of the phrases that begin so, longest first
    filler: frozenset[str]
    places: frozenset[str]  # fillers before the thing in which another is looked for
    weights: Mapping[str, float]  # of things and states
    rightward: frozenset[str]  # states that speak of what follows them
    needs: Mapping[str, str]  # thing -> the thing without which it is not meant
    plurals: Mapping[str, str]  # thing -> what several of them are
    kinds: Mapping[str, tuple[str, ...]]  # thing or state -> itself and what it is
    means: Mapping[tuple[str, str], tuple[tuple[str, ...], int]]  # codes, best first, and of what so many steps up
    about: Mapping[tuple[str, str], tuple[str, ...]]
    contexts: frozenset[str]  # things that `about` speaks of


@cache
def lexicon() -> Lexicon:
    """meaning.toml. Raises KnowledgeError."""
    return checked(table(_FILE))


def checked(raw: Mapping[str, Any]) -> Lexicon:
    """A lexicon of the content of meaning.toml, checked as a whole. Raises KnowledgeError."""
    things, states, grammar = raw["thing"], raw["state"], raw["grammar"]
    _check_means(raw)
    filler = frozenset(map(stem, grammar["filler"]))
    phrases = _phrases(things, states, grammar, filler)
    places = frozenset(grammar["place"])
    if not places <= filler:
        raise KnowledgeError(_FILE, "place", f"needs fillers, not {sorted(places - filler)}")
    kinds = {name: _chain(name, entries) for entries in (things, states) for name in entries}
    return Lexicon(
        phrases=phrases,
        lengths=_lengths(phrases),
        filler=filler,
        places=places,
        weights={name: entry.get("weight", 1.0) for name, entry in (*things.items(), *states.items())},
        rightward=frozenset(name for name, entry in states.items() if entry.get("looks") == "right"),
        needs=_named(things, "needs"),
        plurals=_named(things, "plural"),
        kinds=kinds,
        means=_meanings(_table(raw["means"]), things, states, kinds),
        about=_table(raw["about"]),
        contexts=frozenset(raw["about"]),
    )


def _phrases(
    things: Mapping[str, Any], states: Mapping[str, Any], grammar: Mapping[str, Any], filler: frozenset[str]
) -> dict[tuple[str, ...], tuple[Sense, ...]]:
    found: dict[tuple[str, ...], tuple[Sense, ...]] = {}
    for phrase, sense in _entries(things, states, grammar):
        words = tuple(word.text for word in split_words(phrase))
        _check_phrase(words, phrase, filler)
        found[words] = tuple(dict.fromkeys((*found.get(words, ()), sense)))
    return found


def _named(entries: Mapping[str, Any], key: str) -> dict[str, str]:
    """Of the entries that have it, the value of a key."""
    return {name: entry[key] for name, entry in entries.items() if key in entry}


def _lengths(phrases: Mapping[tuple[str, ...], object]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for words in phrases:
        found.setdefault(words[0], set()).add(len(words))
    return {first: tuple(sorted(sizes, reverse=True)) for first, sizes in found.items()}


def _meanings(
    table: Mapping[tuple[str, str], tuple[str, ...]],
    things: Mapping[str, Any],
    states: Mapping[str, Any],
    kinds: Mapping[str, tuple[str, ...]],
) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
    """What is said of a pair, or else of what its thing or its state is: every pair that means anything."""
    found = {}
    for thing in ("", *things):
        for state in (NO_STATE, *states):
            ups = (*kinds.get(state, (state,)), *(() if state == NO_STATE else (ANY_STATE,)))
            for steps, kind in enumerate(kinds.get(thing, (thing,))):
                codes = next((table[kind, up] for up in ups if (kind, up) in table), None)
                if codes:
                    found[thing, state] = (codes, steps)
                    break
    return found


def _entries(
    things: Mapping[str, Any], states: Mapping[str, Any], grammar: Mapping[str, Any]
) -> Iterator[tuple[str, Sense]]:
    """Every phrase with what it may be."""
    rows = [
        *((entry.get("words", ()), Sense("thing", name)) for name, entry in things.items()),
        *((entry.get("quoted", ()), Sense("thing", name, quoted=True)) for name, entry in things.items()),
        *((entry.get("words", ()), Sense("state", name)) for name, entry in states.items()),
        *((entry.get("denied", ()), Sense("denied", name)) for name, entry in states.items()),
        *((entry.get("general", ()), Sense("state", name, general=True)) for name, entry in states.items()),
        *((grammar[role], Sense(role)) for role in ROLES),
        (grammar["types"], Sense("type", "wrong_type")),
    ]
    for phrases, sense in rows:
        yield from ((phrase, sense) for phrase in phrases)


def _chain(name: str, entries: Mapping[str, Any]) -> tuple[str, ...]:
    chain = [name]
    while parent := entries[chain[-1]].get("is"):
        if parent not in entries or parent in chain:
            raise KnowledgeError(_FILE, name, f"is {parent!r}: needs another entry, and no circle")
        chain.append(parent)
    return tuple(chain)


def _table(raw: Mapping[str, Mapping[str, list[str]]]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(row, column): tuple(codes) for row, cells in raw.items() for column, codes in cells.items()}


def _check_phrase(words: tuple[str, ...], phrase: str, filler: frozenset[str]) -> None:
    """A filler is gone before phrases are looked for: "could not" would be a bare "not"."""
    if not words or filler & set(words):
        raise KnowledgeError(_FILE, phrase, f"needs words, and none of the fillers {sorted(filler & set(words))}")


def _check_means(raw: Mapping[str, Any]) -> None:
    things, states = raw["thing"], raw["state"]
    pairs = {f"{thing}.{state}" for thing in things for state in states}
    for section, columns in (("means", {*states, ANY_STATE, NO_STATE}), ("about", {*CODES, *pairs})):
        for row, cells in raw[section].items():
            if (row and row not in things) or not cells.keys() <= columns:
                raise KnowledgeError(
                    _FILE, f"{section}.{row}", "names a thing, and in it states, or (about) pairs and codes"
                )
            _check_cells(f"{section}.{row}", cells)


def _check_cells(entry: str, cells: Mapping[str, Any]) -> None:
    for column, codes in cells.items():
        if not codes or not set(codes) <= CODES.keys():
            raise KnowledgeError(_FILE, f"{entry}.{column}", "needs codes of the taxonomy")
