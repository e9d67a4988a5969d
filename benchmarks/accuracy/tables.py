"""Answers as tables in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from analyzer.taxonomy import CAUSES
from benchmarks.accuracy import calibration
from benchmarks.accuracy.answers import Answer, cause

SUMMARY: Final = (
    "## Summary\n\n| | cases | right | not decided | expected calibration error | wrong at 0.8 or more |\n"
    "|---|---|---|---|---|---|\n"
)
REFUSALS: Final = ("live", "services")  # sources of refusals whose fault is known; of the others, what the words say
TOKENLESS: Final = ("no token in the log", "taken out of the record", "words alone", "without the token")
SHOWN: Final = 80  # wrong answers by name


def section(title: str, answers: Sequence[Answer], *, note: str = "") -> Iterator[str]:
    """Score, per source, confusion of causes, calibration, and every case that is wrong."""
    yield f"## {title}\n\n{note}{score(answers)}\n\n"
    if not answers:
        return
    yield from by_source(answers)
    yield from confusion(answers)
    yield from calibration.table(answers)
    yield from wrong(answers)


def score(answers: Sequence[Answer]) -> str:
    """Codes and causes that are right, in bold."""
    if not answers:
        return "Not run: the cases are not on this machine."
    right, causes, count = calibration.right(answers), sum(a.has_right_cause for a in answers), len(answers)
    return f"**{right} of {count} codes ({right / count:.1%}), {causes} causes ({causes / count:.1%}).**"


def by_source(answers: Iterable[Answer]) -> Iterator[str]:
    """A row for who wrote the records."""
    answers = list(answers)
    failed = Counter(a.of for a in answers if not a.is_right)
    total = Counter(a.of for a in answers)
    yield "| of | cases | right |\n|---|---|---|\n"
    yield from (f"| {of} | {n} | {n - failed[of]} |\n" for of, n in sorted(total.items()))
    yield "\n"


def confusion(answers: Iterable[Answer]) -> Iterator[str]:
    """Causes, true and answered."""
    pairs = Counter(
        (cause(a.accepted[0]), cause(a.code) if not a.has_right_cause else cause(a.accepted[0])) for a in answers
    )
    names = [*CAUSES, "ok"]
    yield "Rows: the true cause; columns: the answer.\n\n| | " + " | ".join(names) + " |\n"
    yield "|---" * (len(names) + 1) + "|\n"
    for true in CAUSES:
        if any(pairs[true, said] for said in names):
            yield f"| {true} | " + " | ".join(str(pairs[true, said] or "") for said in names) + " |\n"
    yield "\n"


def wrong(answers: Iterable[Answer]) -> Iterator[str]:
    """Every wrong answer by the case's name."""
    failed = [a for a in answers if not a.is_right]
    if failed:
        more = f" … and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
        shown = "; ".join(f"`{a.name}` {a.accepted[0]} → {a.code}" for a in failed[:SHOWN])
        yield f"Wrong, by id: {shown}{more}.\n\n"


def summary(title: str, answers: Sequence[Answer]) -> str:
    """A row of the table at the head of the page."""
    if not answers:
        return f"| {title} | not run | | | | |\n"
    count, wrong = len(answers), calibration.surely_wrong(answers)
    undecided = sum(a.code == "unclassified" for a in answers)
    error = calibration.expected_calibration_error(answers)
    return (
        f"| {title} | {count} | {calibration.right(answers) / count:.1%} | {undecided / count:.1%} | {error:.3f} | "
        f"{wrong / count:.1%} |\n"
    )


def unseen(sources: Mapping[str, Sequence[Answer]]) -> Iterator[str]:
    """How true the confidence is of products that it was not fitted to, by source, and in two tables: with the token and without."""
    yield (
        "## Confidence of products that it was not fitted to\n\n"
        "Every answer, with the confidence that it gets from weights that were fitted without its product and those that "
        f"share its words.\n\n| of | {SUMMARY.partition('| | ')[2]}"
    )
    yield from (summary(name, answers) for name, answers in sources.items())
    yield "\n"
    refusals = {name: answers for name, answers in sources.items() if name.startswith(REFUSALS)}
    for title, is_tokenless in (("With the token in the record", False), ("Without the token", True)):
        told = [answers for name, answers in refusals.items() if name.endswith(TOKENLESS) is is_tokenless]
        if some := [one for answers in told for one in answers]:
            yield f"### {title}\n\n{score(some)}\n\n"
            yield from calibration.table(some)
