"""What differs between failing and passing requests, ranked by significance: pure, without a store or a page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

SIGNIFICANT: Final = 10.83  # of chi-squared with one degree of freedom: once in a thousand by chance
LEAST: Final = 0.05  # a smaller difference of the shares explains nothing, however many requests prove it
SHOWN: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A value of a field, and how many of `all_failing` and of `all_passing` requests have it."""

    field: str
    value: str
    failing: int
    all_failing: int
    passing: int
    all_passing: int

    @property
    def shares(self) -> tuple[float, float]:
        """Of the failing requests and of the passing ones, 0 to 1."""
        return self.failing / max(self.all_failing, 1), self.passing / max(self.all_passing, 1)

    @property
    def significance(self) -> float:
        """The log-likelihood ratio (G) of the two shares: 0 when they are equal, above SIGNIFICANT when chance is no explanation.

        >>> one = Difference(field="kid", value="r3", failing=90, all_failing=100, passing=1, all_passing=100)
        >>> one.significance > SIGNIFICANT
        True
        """
        rows = ((self.failing, self.all_failing), (self.passing, self.all_passing))
        both = (self.failing + self.passing) / max(self.all_failing + self.all_passing, 1)
        terms = ((n, of * both) for n, of in rows)
        others = ((of - n, of * (1 - both)) for n, of in rows)
        return 2 * sum(n * math.log(n / expected) for n, expected in (*terms, *others) if n > 0 and expected > 0)

    @property
    def matters(self) -> bool:
        """Whether it is more than chance, and large enough to be a lead."""
        failing, passing = self.shares
        return self.significance >= SIGNIFICANT and abs(failing - passing) >= LEAST


def ranked(rows: Iterable[Mapping[str, Any]]) -> list[Difference]:
    """Rows of the statement `differs` that matter, the most significant first.

    >>> row = {"field": "Claim", "all_failing": 100, "all_passing": 100}
    >>> found = ranked([row | {"value": "sub", "failing": 0, "passing": 100}, row | {"value": "iss", "failing": 100, "passing": 100}])
    >>> [one.value for one in found]
    ['sub']
    """
    fields = ("failing", "all_failing", "passing", "all_passing")
    made = (
        Difference(field=str(row["field"]), value=str(row["value"]), **{name: int(row[name]) for name in fields})
        for row in rows
    )
    return sorted(filter(lambda one: one.matters, made), key=lambda one: (-one.significance, one.field, one.value))[
        :SHOWN
    ]
