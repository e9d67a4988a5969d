"""One message that lists several errors: its parts, and which of them decides.

A validator that goes on after the first fault lists all of them: the check that comes first decides. A chain of
authenticators lists why each of them did not accept the credential: the one that got farthest knew its kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import re2
from msgspec.structs import replace

from analyzer.diagnosis.weigh import ORDER
from analyzer.knowledge import Reading

PARTS: Final = 8
_LEAST_WORDS: Final = 2  # of a part: a list of single words is one of values
_OPENERS: Final = "([{"
_CLOSERS: Final = ")]}"
# A number and the word, or the word in the plural: "Error: a, b" is one sentence.
_HEAD: Final = re2.compile(
    r"(?i)\b(?:(?:[0-9]{1,2}|multiple|several|two|three) (?:[a-z]+ ){0,2}errors?|errors|failures|problems|violations|reasons|invalid claims)"
    r"(?: occurred| found| were found)?(?: \([0-9]{1,2}\))?:"
)
_ITEM: Final = re2.compile(r"\n[ \t]*(?:[*•-]|[0-9]{1,2}[.)]|\([0-9]{1,2}\))?[ \t]*")
_NUMBERED: Final = re2.compile(r"(?:^|[ ,;])\(?[0-9]{1,2}[.)] ")
_SEPARATORS: Final = (";", " | ", ",")
_AT_SIGNATURE: Final = ORDER.index("signature_invalid")
_RANK: Final = {code: rank for rank, code in enumerate(ORDER)}


def parts(text: str) -> tuple[tuple[str, ...], bool]:
    """The errors that a message lists, in its order, and whether they are of a chain; none when it is no list.

    >>> parts("2 errors: invalid issuer; token is expired")
    (('invalid issuer', 'token is expired'), False)
    >>> parts("[invalid bearer token, oidc: token is expired]")
    (('invalid bearer token', 'oidc: token is expired'), True)
    >>> parts('expected audience "a", got ["b", "c"]')
    ((), False)
    """
    head = _HEAD.search(text)
    listed = text[head.end() :] if head else ""
    bracket = listed.strip() if head else text[max(0, text.find("[")) :].strip()
    if bracket.startswith("[") and bracket.rstrip(". \"'").endswith("]"):
        inside = bracket.rstrip(". \"'")[1:-1]
        found = _several(_split(inside, ","))
        return found, bool(found) and not head
    return (_several(_items(listed.replace("\\n", "\n").replace("\\t", "\t"))), False) if head else ((), False)


def deciding(readings: Sequence[Reading], *, is_chain: bool) -> Iterator[Reading]:
    """The parts' readings, the deciding one first; what the others report are its other meanings."""
    ranked = sorted(readings, key=lambda reading: _rank(reading.code))
    if is_chain and any(_rank(reading.code) > _AT_SIGNATURE for reading in ranked):
        ranked.sort(key=lambda reading: _rank(reading.code) <= _AT_SIGNATURE)
    if ranked:
        first, *others = ranked
        also = dict.fromkeys((*(one.code for one in others), *first.also))
        yield replace(first, also=tuple(code for code in also if code != first.code))
        yield from others


def _rank(code: str) -> int:
    return _RANK.get(code, len(ORDER))


def _items(listed: str) -> list[str]:
    """The first way of listing that gives more than one part."""
    lines = _ITEM.split(listed) if "\n" in listed else []
    ways = (lines, _NUMBERED.split(listed), *(_split(listed, separator) for separator in _SEPARATORS))
    return next((way for way in ways if len(_several(way)) > 1), [])


def _split(text: str, separator: str) -> list[str]:
    """At separators that stand in no bracket or quotation."""
    found, start, depth, quote, at = [], 0, 0, "", 0
    while at < len(text):
        letter = text[at]
        if quote:
            quote = "" if letter == quote else quote
        elif letter == '"':
            quote = letter
        elif letter in _OPENERS:
            depth += 1
        elif letter in _CLOSERS:
            depth -= 1
        elif depth == 0 and text.startswith(separator, at):
            found.append(text[start:at])
            start = at = at + len(separator)
            continue
        at += 1
    return [*found, text[start:]]


def _several(found: Sequence[str]) -> tuple[str, ...]:
    """Two to PARTS sentences, or none."""
    kept = tuple(bare for part in found if (bare := part.strip(" \t\n\r\"'.,;")))
    is_list = 2 <= len(kept) <= PARTS and all(len(part.split(None, _LEAST_WORDS)) >= _LEAST_WORDS for part in kept)
    return kept if is_list else ()
