"""Thousands of small cases in one test: each is checked, and every one that fails is named with what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

_LINES: Final = 4  # of an assertion's message: what it says and the two values


def failing(cases: Iterable[tuple[str, T]], check: Callable[[T], object], *, at_least: int = 1) -> dict[str, str]:
    """The cases whose `check` raises, by id, with what it said. Fewer than `at_least` cases fail: a list ran empty."""
    wrong: dict[str, str] = {}
    count = 0
    for name, case in cases:
        count += 1
        try:
            check(case)
        except Exception as error:
            wrong[name] = f"{type(error).__name__}: " + "\n".join(str(error).splitlines()[:_LINES])
    assert count >= at_least, f"{count} cases, and there were {at_least}"
    return wrong
