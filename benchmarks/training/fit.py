"""The weights of the opinions: a conditional logit (McFadden 1974) over the codes, on messages of left-out families."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from analyzer.knowledge.meaning import read_meaning
from analyzer.knowledge.opinion import COLUMNS, UNDECIDED, rows, without_numbers
from benchmarks.labelled import Labelled

ROUNDS: Final = 400
STEP: Final = 0.1
COUNTS: Final = {"examples": 0.3, "neutral": 0.1, "patterns": 0.05}
SHRINK: Final = 1e-3  # a weight that helps nothing goes to 0
GOOD: Final = 0.6
PRODUCTS: Final = ("corpus", "unlisted", "examples")  # origins of messages that a product writes
AROUND: Final = 0.05  # probabilities that are looked at together
Matrix = Any  # numpy arrays of floats


def table(messages: Sequence[Labelled], codes: Sequence[str], scores: Matrix) -> Matrix:
    """messages × codes × COLUMNS."""
    said = (read_meaning(without_numbers(message.text)) for message in messages)
    return np.array([rows(codes, line, found) for line, found in zip(scores.tolist(), said, strict=True)])


def accepted(messages: Sequence[Labelled], codes: Sequence[str]) -> Matrix:
    """1 for every code that a message may mean."""
    return np.array([[float(code in message.codes) for code in codes] for message in messages])


def counts(messages: Sequence[Labelled]) -> Matrix:
    """How much each message counts: the grammar's words were chosen with the corpus in view, so it flatters
    the grammar there; and things in order are many and alike.
    """
    return np.array([COUNTS.get(message.origin, 1.0) for message in messages])


def fit(columns: Matrix, right: Matrix, count: Matrix) -> Matrix:
    """The weights under which the accepted codes are most likely, by Adam from a fixed start: the same on every machine."""
    weights, mean, square = np.ones(len(COLUMNS)), np.zeros(len(COLUMNS)), np.zeros(len(COLUMNS))
    for number in range(1, ROUNDS + 1):
        likely = softmax(columns, weights)
        wanted = likely * right
        wanted /= wanted.sum(axis=1, keepdims=True) + 1e-12
        slope = (
            np.einsum("n,nk,nkf->f", count, likely - wanted, columns, optimize=True) / count.sum() + SHRINK * weights
        )
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope * slope
        weights = weights - STEP * (mean / (1 - 0.9**number)) / (np.sqrt(square / (1 - 0.99**number)) + 1e-8)
    return weights


def softmax(columns: Matrix, weights: Matrix) -> Matrix:
    """messages × codes."""
    sums = columns @ weights
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def decided(likely: Matrix, right: Matrix, codes: Sequence[str], messages: Sequence[Labelled]) -> float:
    """The least probability, in steps of 0.01, from which on GOOD of the answers about as likely are right, each origin counting the same.

    A wrong guess costs more time than a right one saves.
    """
    named = np.array([code != UNDECIDED for code in codes])
    best, sure = (likely * named).argmax(axis=1), (likely * named).max(axis=1)
    is_right = right[np.arange(len(best)), best] > 0
    origins = [np.array([message.origin == origin for message in messages]) for origin in PRODUCTS]
    least = 90
    for step in range(90, 10, -1):
        near = np.abs(sure - step / 100) <= AROUND
        shares = [is_right[near & some].mean() for some in origins if (near & some).any()]
        if not shares or np.mean(shares) < GOOD:
            break
        least = step
    return least / 100
