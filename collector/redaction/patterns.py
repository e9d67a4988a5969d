"""RE2 patterns over views: one byte is one character, and no text makes a search slower than linear."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import re2

_MEMORY: Final = 64 << 20  # for automata; beyond it RE2 falls back to a slower (still linear) search


def compiled(pattern: bytes) -> Any:
    """A pattern over Latin-1 bytes."""
    return re2.compile(pattern, _options())


def any_of(patterns: Iterable[bytes]) -> Any:
    """A set whose `Match(data)` gives, in one pass, the indexes of the patterns that occur."""
    patterns_set = re2.Set.SearchSet(_options())
    for pattern in patterns:
        patterns_set.Add(pattern)
    patterns_set.Compile()
    return patterns_set


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    return options
