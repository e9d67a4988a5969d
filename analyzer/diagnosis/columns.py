"""The telling column of a line that was read as one sentence: what operators log between bars, quotes and semicolons.

A line in a layout that nobody knows is a message as a whole: time, address, status and path beside the few words that say why. Read together
they say little; one column alone says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

MAX_CHARS: Final = 1_000
MAX_COLUMNS: Final = 12
_LEAST_WORDS: Final = 2
_LEAST_CHARS: Final = 6
# Marks that stand between columns, and not within sentences.
_BETWEEN: Final = ("\n", "|", ";", "~", "\t", " - ", " -> ", "\u2014", "\u2192", "\uff0c")
_QUOTED: Final = re2.compile(r"\"([^\"]{6,300})\"|'([^']{6,300})'")


def columns(text: str) -> list[str]:
    """The parts of a line that hold words, quoted ones first; empty for a text that has no columns.

    >>> columns('10.5.5.5 ~ 29/05/26 10:46:00 ~ 401 ~ GET /p ~ token is too old ~ partner=acme')
    ['token is too old']
    >>> columns('ts=05:25:00 sc=401 err="audience is absent"')
    ['audience is absent']
    >>> columns("token is expired")
    []
    """
    text = text[:MAX_CHARS].replace("\\n", "\n")  # an event's texts are in one line
    found = [*_quoted(text), *_between(text)]
    return [part for part in dict.fromkeys(found) if part != text.strip()][:MAX_COLUMNS]


def _quoted(text: str) -> Iterator[str]:
    plain = text.encode("ascii", "replace").decode()  # RE2 takes no lone surrogates; as long as the text
    for match in _QUOTED.finditer(plain):
        begin, end = match.span(1) if match.group(1) is not None else match.span(2)
        if _has_words(text[begin:end]) and not _is_said_of(text[: begin - 1]):
            yield text[begin:end].strip()


def _is_said_of(before: str) -> bool:
    """A value that the sentence itself quotes: `nonce "…" is unknown`. Behind a mark, a number or a name's `=` it is a column."""
    word = before.rstrip(" ").rpartition(" ")[2]
    return word.isalpha()


def _between(text: str) -> Iterator[str]:
    mark = max(_BETWEEN, key=text.count)
    parts = text.split(mark) if text.count(mark) else []
    yield from (part.strip(" \"'*") for part in parts if _has_words(part))


def _has_words(part: str) -> bool:
    """Words, or a sentence of a language that writes none; no address, request or pair."""
    part = part.strip()
    if len(part) < _LEAST_CHARS or part.startswith(("/", "http://", "https://", "GET ", "POST ", "Mozilla/")):
        return False
    words = [word for word in part.split(None, _LEAST_WORDS + 6) if word.strip(".,:;()").isalpha()]
    return len(words) >= _LEAST_WORDS or any(char > "\u2fff" for char in part)
