"""How true is the confidence: of the answers that were given as 80 % sure, 80 % are right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from benchmarks.accuracy.answers import Answer

BINS: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)
SURE: Final = 0.8


def bands(answers: Sequence[Answer]) -> Iterator[tuple[float, float, list[Answer]]]:
    """The answers by confidence; empty bands are left out."""
    for low, high in pairwise(BINS):
        if inside := [a for a in answers if low <= a.confidence < high]:
            yield low, high, inside


def expected_calibration_error(answers: Sequence[Answer]) -> float:
    """Mean distance between confidence and share of right answers over the bands, weighted by their answers (Naeini 2015).

    What was not decided (`unclassified`) promises nothing and is left out.
    """
    decided = [a for a in answers if a.code != "unclassified"]
    apart = [abs(sum(a.confidence for a in inside) - right(inside)) for _, _, inside in bands(decided)]
    return sum(apart) / max(1, len(decided))


def right(answers: Sequence[Answer]) -> int:
    """How many are right."""
    return sum(a.is_right for a in answers)


def surely_wrong(answers: Sequence[Answer]) -> int:
    """How many are wrong with a confidence of SURE or more."""
    return sum(not a.is_right and a.confidence >= SURE for a in answers)


def table(answers: Sequence[Answer]) -> Iterator[str]:
    """A row per band, then the error."""
    yield "| confidence | answers | right | mean confidence |\n|---|---|---|---|\n"
    for low, high, inside in bands(answers):
        mean = sum(a.confidence for a in inside) / len(inside)
        yield f"| {low:.2f} to {min(high, 1):.2f} | {len(inside)} | {right(inside) / len(inside):.0%} | {mean:.0%} |\n"
    wrong, count = surely_wrong(answers), len(answers)
    yield (
        f"\nExpected calibration error {expected_calibration_error(answers):.3f}; wrong at {SURE} or more: "
        f"{wrong} of {count} ({wrong / max(1, count):.1%}).\n\n"
    )
