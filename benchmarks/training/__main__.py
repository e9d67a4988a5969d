"""Writes the array and the weights, and says what families that were left out can expect of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import analyzer.knowledge
from analyzer.knowledge.learned import FILE
from analyzer.knowledge.opinion import COLUMNS
from benchmarks.labelled import CORPUS, Labelled
from benchmarks.training.array import Matrix, train
from benchmarks.training.fit import accepted, counts, decided, fit, softmax, table
from benchmarks.training.messages import everything

FOLDER = Path(analyzer.knowledge.__file__).parent
HEAD = """# How much each opinion counts where no signature knows a message (analyzer/knowledge/opinion.py says what the columns are).
# Fitted by `python -m benchmarks.training` on messages of products that were left out of what was learned. Not edited by hand.

# The probability from which on three of five answers are right.
decided = {decided:.2f}

[weights]
"""


def main(arguments: Sequence[str]) -> None:
    """Train, write, report."""
    trained = train(everything(Path(arguments[0]) if arguments else CORPUS))
    data = trained.packed()
    (FOLDER / FILE).write_bytes(data)
    columns = table(trained.messages, trained.codes, trained.held_out())
    right = accepted(trained.messages, trained.codes)
    weights = fit(columns, right, counts(trained.messages))
    lines = [f"{name} = {weight:.3f}\n" for name, weight in zip(COLUMNS, weights, strict=True)]
    likely = softmax(columns, weights)
    head = HEAD.format(decided=decided(likely, right, trained.codes, trained.messages))
    (FOLDER / "opinion.toml").write_text(head + "".join(lines), encoding="utf-8")
    print(f"{len(trained.messages)} messages, {len(data):,} bytes\n{''.join(lines)}")
    report(trained.messages, right, likely)


def report(messages: Sequence[Labelled], right: Matrix, likely: Matrix) -> None:
    """Per origin: how many of the left-out messages are right, and at 0.8 or more wrong."""
    best, sure = likely.argmax(axis=1), likely.max(axis=1)
    is_right = right[np.arange(len(messages)), best] > 0
    for origin in ("corpus", "unlisted", "examples", "invented", "patterns"):
        some = np.array([message.origin == origin for message in messages])
        wrong = (some & (sure >= 0.8) & ~is_right).sum()
        if some.any():
            print(
                f"{origin}: {is_right[some].mean():.1%} of {some.sum()} right, {wrong / some.sum():.1%} wrong at 0.8 or more"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
