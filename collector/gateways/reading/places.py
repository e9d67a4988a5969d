"""At which place of a log format the credential stands, learned from lines that had one: where it is empty, none was sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

LEARNED: Final = 3  # lines with a credential at the same place, before its absence says anything
_MAX_FORMATS: Final = 1024  # that are remembered; the one that was learned first is forgotten
_EMPTY: Final = ("", "-")


class Places:
    """LEARNED lines must agree. A format that showed credentials at two places is left alone.

    >>> places = Places()
    >>> for _ in range(LEARNED):
    ...     places.note(("edge", 2), 1)
    >>> places.is_empty(("edge", 2), ["curl", "-"]), places.is_empty(("other", 2), ["curl", "-"])
    (True, False)
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, int], tuple[int, int]] = OrderedDict()  # -> place (-1: several), lines

    def note(self, key: tuple[str, int], at: int) -> None:
        """A line of the format `key` had a credential at that place."""
        place, lines = self._seen.get(key, (at, 0))
        self._seen[key] = (place if place == at else -1, min(lines + 1, LEARNED))
        if len(self._seen) > _MAX_FORMATS:
            self._seen.popitem(last=False)

    def is_empty(self, key: tuple[str, int], values: Sequence[str]) -> bool:
        """Whether a line of that format, known to log the credential, had none."""
        place, lines = self._seen.get(key, (-1, 0))
        return lines >= LEARNED and 0 <= place < len(values) and values[place] in _EMPTY
