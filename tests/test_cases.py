"""One pass over many cases loses no name, and notices when there is nothing to pass over."""

from __future__ import annotations

import pytest

from tests.cases import failing


def is_even(number: int) -> None:
    assert number % 2 == 0, f"{number} is odd"


def test_every_failing_case_is_named() -> None:
    """The first failure does not hide the next, and each says what is wrong."""
    found = failing([(f"case {n}", n) for n in range(4)], is_even)

    assert ["case 1", "case 3"] == list(found)
    assert "3 is odd" in found["case 3"]


def test_an_emptied_list_of_cases_fails() -> None:
    """A glob that finds nothing is a failure, not a success."""
    with pytest.raises(AssertionError, match="0 cases"):
        failing([], is_even)
    with pytest.raises(AssertionError, match="there were 3"):
        failing([("case 0", 0), ("case 2", 2)], is_even, at_least=3)
