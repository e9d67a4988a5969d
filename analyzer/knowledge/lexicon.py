"""Text into words, and meaning.toml into what words mean: what analyzer.knowledge.meaning reads with (docs/meaning.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from analyzer.knowledge.load import KnowledgeError
from analyzer.taxonomy import CODES

ANY_STATE: Final = "*"
NO_STATE: Final = "-"
# Words that it reaches forward, and the state of the thing that it meets there.
ABSENCE: Final = {"absence": (2, "missing"), "absence_next": (1, "unlike")}
_LONGEST_WORD: Final = 40  # a longer run of letters is a token or a hash, not a word
_NAME: Final = 4  # pieces of a name that is a sentence of its own: an error code, a class
_CLASS_NAMES: Final = ("Error", "Exception", "Fault")
_OPENERS: Final = frozenset("'\"`[(<{‘“")
_CLOSERS: Final = frozenset("'\"`])>}’”")
_BREAKS: Final = frozenset(".;\n:,|{}")
_VALUES: Final = frozenset("'\"[{-0123456789tfn")  # what a JSON value begins with
_SPEAKING: Final = frozenset(
    {"error", "error_description", "reason", "message", "msg", "code", "detail", "description"}
)
_SCHEMES: Final = frozenset({"bearer", "dpop", "basic", "digest"})
_FILE: Final = "meaning.toml"


@dataclass(frozen=True, slots=True)
class Word:
    """A lower-case word; `quoted` stands alone between quotes or brackets, `named` is a part of an error's name."""

    text: str
    clause: int
    quoted: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Sense:
    """What a phrase may be: `role` is thing, state, denied, negation, absence, demand, got, type or noise."""

    role: str
    name: str = ""
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """meaning.toml; `phrases` has words without fillers, `means` is (thing, state) -> codes, best first."""

    phrases: Mapping[tuple[str, ...], tuple[Sense, ...]]
    longest: int
    filler: frozenset[str]
    weights: Mapping[str, float]  # of things and states
    rightward: frozenset[str]  # states that speak of what follows them
    needs: Mapping[str, str]  # thing -> the thing without which it is not meant
    kinds: Mapping[str, tuple[str, ...]]  # thing or state -> itself and what it is
    means: Mapping[tuple[str, str], tuple[str, ...]]
    about: Mapping[tuple[str, str], tuple[str, ...]]


def split_words(text: str) -> Iterator[Word]:
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
        parameter = text[end : end + 2] == '="'
        if parameter and text[at:end] not in _SPEAKING:
            end = _parameter_end(text, end + 2)
        elif not (parameter or any(silent(text, at, end) for silent in _SILENT)):
            yield from _parts(text[at:end], clause, enclosed=_enclosed(text, at, end))
        at = end


def _in_name(text: str, at: int) -> bool:
    char = text[at]
    return (
        char.isalnum()
        or char == "_"
        or (char == "'" and text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha())
    )


def _name_end(text: str, at: int) -> int:
    while at < len(text) and _in_name(text, at):
        at += 1
    return at


def _address_end(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace() and text[at] not in _CLOSERS:
        at += 1
    return at


def _parameter_end(text: str, start: int) -> int:
    """Behind the value of `algs="ES256"`: a challenge's parameter that is no sentence."""
    end = text.find('"', start)
    return len(text) if end < 0 else end


def _ends_clause(text: str, at: int) -> bool:
    """A dot or a colon inside a name (`jwt.ValidationError`) ends nothing."""
    return text[at] not in ".:" or not text[at + 1 : at + 2].isalnum()


def _enclosed(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start] in _OPENERS and text[end : end + 1] in _CLOSERS


def _is_json_key(text: str, start: int, end: int) -> bool:
    """The `"iss"` of `{"iss":"https://…"}`: data that a message quotes."""
    quote = text[end : end + 1]
    if quote not in ("'", '"') or text[start - 1 : start] != quote or text[end + 1 : end + 2] != ":":
        return False
    return text[end + 2 : end + 4].lstrip()[:1] in _VALUES


def _is_challenge(text: str, start: int, end: int) -> bool:
    """The `Bearer` of `Bearer realm="…"`, which heads every refusal."""
    name, equals, _ = text[end : end + _LONGEST_WORD].partition('="')
    return text[start:end].casefold() in _SCHEMES and bool(equals) and name[:1] == " " and name[1:].isidentifier()


def _is_package(text: str, start: int, end: int) -> bool:
    """The `java` and the `lang` of `java.lang.String`; the `claims` of `claims.aud`."""
    return text[end : end + 1] == "." and text[end + 1 : end + 2].isalpha() and text[start:end].islower()


_SILENT: Final = (_is_json_key, _is_challenge, _is_package)


def _parts(name: str, clause: int, *, enclosed: bool) -> Iterator[Word]:
    pieces = [piece for run in name.split("_") for piece in _humps(run)]
    named = len(pieces) >= _NAME or (len(pieces) > 1 and name.endswith(_CLASS_NAMES))
    for piece in pieces[:-1] if named and name.endswith(_CLASS_NAMES) else pieces:
        if len(piece) <= _LONGEST_WORD:
            yield Word(_stem(piece), clause, quoted=enclosed and len(pieces) == 1, named=named)


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


@cache
def lexicon() -> Lexicon:
    """meaning.toml. Raises KnowledgeError."""
    return parse(files("analyzer.knowledge").joinpath(_FILE).read_text(encoding="utf-8"))


def parse(text: str) -> Lexicon:
    """A lexicon from TOML, checked as a whole. Raises KnowledgeError."""
    raw = tomllib.loads(text)
    things, states, grammar = raw["thing"], raw["state"], raw["grammar"]
    _check_means(raw)
    filler = frozenset(map(_stem, grammar["filler"]))
    phrases: dict[tuple[str, ...], tuple[Sense, ...]] = {}
    for phrase, sense in _entries(things, states, grammar):
        words = tuple(word.text for word in split_words(phrase))
        _check_phrase(words, phrase, filler)
        phrases[words] = tuple(dict.fromkeys((*phrases.get(words, ()), sense)))
    return Lexicon(
        phrases=phrases,
        longest=max(map(len, phrases)),
        filler=filler,
        weights={name: entry.get("weight", 1.0) for name, entry in (*things.items(), *states.items())},
        rightward=frozenset(name for name, entry in states.items() if entry.get("looks") == "right"),
        needs={name: entry["needs"] for name, entry in things.items() if "needs" in entry},
        kinds={name: _chain(name, entries) for entries in (things, states) for name in entries},
        means=_table(raw["means"]),
        about=_table(raw["about"]),
    )


def _entries(
    things: Mapping[str, Any], states: Mapping[str, Any], grammar: Mapping[str, Any]
) -> Iterator[tuple[str, Sense]]:
    """Every phrase with what it may be."""
    rows = [
        *((entry.get("words", ()), Sense("thing", name)) for name, entry in things.items()),
        *((entry.get("quoted", ()), Sense("thing", name, quoted=True)) for name, entry in things.items()),
        *((entry.get("words", ()), Sense("state", name)) for name, entry in states.items()),
        *((entry.get("denied", ()), Sense("denied", name)) for name, entry in states.items()),
        *((grammar[role], Sense(role)) for role in ("negation", *ABSENCE, "demand", "got", "noise")),
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
    for table, columns in (("means", {*states, ANY_STATE, NO_STATE}), ("about", {*CODES, *pairs})):
        for row, cells in raw[table].items():
            if (row and row not in things) or not cells.keys() <= columns:
                raise KnowledgeError(
                    _FILE, f"{table}.{row}", "names a thing, and in it states, or (about) pairs and codes"
                )
            for column, codes in cells.items():
                if not codes or not set(codes) <= CODES.keys():
                    raise KnowledgeError(_FILE, f"{table}.{row}.{column}", "needs codes of the taxonomy")
