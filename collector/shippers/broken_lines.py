"""A line that Python's rich broke to the width of a terminal, made whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MAX_HEAD: Final = 512  # characters in which a first line ends that rich broke
MAX_BROKEN: Final = 100  # lines of one sentence
_COLUMN: Final = " " * 9  # what rich indents the rest of a sentence by at least: the width of its level


def made_whole(text: str) -> str:
    """The sentence in one line; any other text as it is.

    The sentence stands in a column of its own, the source file in one behind it, on the first line only.
    """
    if "\n" not in text or ".py:" not in text[:MAX_HEAD]:
        return text
    first, *rest = (line for line in text.split("\n") if line.strip())
    sentence, _, place = first.rstrip().rpartition(" ")
    if not sentence or not place.rpartition(".py:")[2].isdigit() or not _is_in_column(rest):
        return text
    return f"{' '.join([sentence.rstrip(), *map(str.strip, rest)])}  {place}"


def _is_in_column(lines: Sequence[str]) -> bool:
    return len(lines) <= MAX_BROKEN and all(line.startswith(_COLUMN) for line in lines)
