"""Safe texts that no record has a part in: literals of ours, members of closed sets, the operator's own names."""

from __future__ import annotations

from collections.abc import Collection

from collector.safe import Safe


def fixed(literal: str) -> Safe:
    """A literal of ours; tests/test_layout.py holds that every argument is one."""
    return Safe(literal)


def member_of(text: str, allowed: Collection[str]) -> Safe:
    """A member of a closed set of ours, which a constant names. Raises ValueError for any other text."""
    if text not in allowed:
        raise ValueError("not a member of the closed set")
    return Safe(text)


def configured(name: str) -> Safe:
    """A topic or path of the operator's settings, unchanged: positions are found again by it.

    Never for what a record holds; tests/test_layout.py holds where it may be called.
    """
    return Safe(name)


def lower(text: Safe) -> Safe:
    """In lower case."""
    return Safe(text.lower())


def dotted(first: Safe, second: Safe) -> Safe:
    """Two names as a path."""
    return Safe(f"{first}.{second}")


def labelled(label: Safe, text: Safe) -> Safe:
    """`label:text`."""
    return Safe(f"{label}:{text}")
