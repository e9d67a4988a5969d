"""The weights of an answer's features (analyzer/diagnosis/surety.py), and what they promise of products that they never saw.

A logistic regression with a ridge, by Newton's method: the same on every machine. Each source of answers counts the same,
however many answers it has. What is reported of a product is by the weights that were fitted without it and its family.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

import analyzer.knowledge
from analyzer.diagnosis.surety import Fitted, likely
from analyzer.diagnosis.weigh import CAUSES
from analyzer.taxonomy import CODES
from benchmarks.accuracy.answers import Answer
from benchmarks.accuracy.tables import REFUSALS

FILE: Final = Path(analyzer.knowledge.__file__).with_name("confidence.toml")
HEAD: Final = """# How sure an answer is (analyzer/diagnosis/surety.py says what the names are).
# Fitted by `python -m benchmarks.accuracy --fit` to refusals whose fault is known. Not edited by hand.
"""
WEIGHTS: Final = "\n# What each thing that an answer rests on adds to the log-odds.\n[weights]\n"
ROOTS: Final = "\n# Of refusals that were reported so, the log not showing the credential: the share whose fault it was.\n[roots]\n"
SOURCE: Final = 300.0  # what the answers of one source count together
RIDGE: Final = 0.5
CODE_RIDGE: Final = 2.0  # of one code's own weight: few answers say little of it
_OF_CODE: Final = "unseen."
_OF_ALL: Final = "unseen.causes"
ROUNDS: Final = 40
BEFORE: Final = 3.0  # answers that a code is taken to have had before any was seen
UNKNOWN_ROOT: Final = 0.9
UNKNOWN_SYMPTOM: Final = 0.7
MANY: Final = 20
Sources = Mapping[str, Sequence[Answer]]
Matrix = Any  # numpy arrays of floats


class Table:
    """Every answer that decided something: a row of features, whether it is right, and how much it counts."""

    def __init__(self, sources: Sources) -> None:
        told = _decided(sources)
        self.sources, self.answers = [name for name, _ in told], [one for _, one in told]
        sizes = Counter(self.sources)
        self.names = sorted({name for one in self.answers for name in _row(one)})
        self.rows = np.array([[_row(one).get(name, 0.0) for name in self.names] for one in self.answers])
        self.right = np.array([float(one.is_right) for one in self.answers])
        self.counts = np.array([SOURCE / sizes[name] for name in self.sources])
        self.ridge = np.array([_ridge(name) for name in self.names])

    def fit(self, kept: Matrix) -> Fitted:
        """What follows from the rows that are kept."""
        return Fitted(self._weights(kept), self._roots(kept))

    def _roots(self, kept: Matrix) -> dict[str, float]:
        """Of each source a code counts MANY answers at most; before any, a code with several causes is taken for a symptom."""
        found: dict[str, dict[str, list[bool]]] = {code: {} for code in CODES if code in CAUSES}
        for row in np.flatnonzero(kept):
            one, source = self.answers[row], self.sources[row]
            if source.startswith(REFUSALS) and one.basis and "unseen" in one.basis.features:
                found[one.code].setdefault(source, []).append(one.is_right)
        return {code: _share(code, list(told.values())) for code, told in found.items()}

    def _weights(self, kept: Matrix) -> dict[str, float]:
        rows, right, counts = self.rows[kept], self.right[kept], self.counts[kept]
        weights = np.zeros(len(self.names))
        for _ in range(ROUNDS):
            said = 1 / (1 + np.exp(-rows @ weights))
            slope = rows.T @ (counts * (said - right)) + self.ridge * weights
            bend = (rows * (counts * said * (1 - said))[:, None]).T @ rows + np.diag(self.ridge)
            step = np.linalg.solve(bend, slope)
            weights -= step
            if np.abs(step).max() < 1e-6:
                break
        return {name: float(weight) for name, weight in zip(self.names, weights, strict=True)}


def _decided(sources: Sources) -> list[tuple[str, Answer]]:
    return [(name, one) for name, answers in sources.items() for one in answers if one.basis]


def _share(code: str, told: Sequence[Sequence[bool]]) -> float:
    first = UNKNOWN_SYMPTOM if len(CAUSES[code]) > 1 else UNKNOWN_ROOT
    counts = [min(MANY, len(some)) for some in told]
    right = sum(count * sum(some) / len(some) for count, some in zip(counts, told, strict=True))
    return (BEFORE * first + right) / (BEFORE + sum(counts))


def fit(sources: Sources) -> Fitted:
    """What follows from everything."""
    table = Table(sources)
    return table.fit(np.ones(len(table.answers), bool))


def left_out(sources: Sources) -> dict[str, list[Answer]]:
    """Every answer with the confidence that weights give it which were fitted without its product."""
    table = Table(sources)
    products = np.array([one.product for one in table.answers])
    fitted = {product: table.fit(products != product) for product in sorted(set(products))}
    return {name: [_anew(one, fitted) for one in answers] for name, answers in sources.items()}


def write(found: Fitted) -> None:
    """Keep it."""
    weights = [f'"{name}" = {weight:.2f}\n' for name, weight in sorted(found.weights.items()) if abs(weight) >= 0.005]
    roots = [f"{code} = {share:.2f}\n" for code, share in sorted(found.roots.items())]
    FILE.write_text("".join([HEAD, WEIGHTS, *weights, ROOTS, *roots]), encoding="utf-8")


def _anew(one: Answer, fitted: Mapping[str, Fitted]) -> Answer:
    if one.basis is None:
        return one
    return replace(one, confidence=min(one.basis.most, likely(one.code, _row(one), fitted[one.product])))


def _row(one: Answer) -> Mapping[str, float]:
    return one.basis.features if one.basis else {}


def _ridge(name: str) -> float:
    return CODE_RIDGE if name.startswith(_OF_CODE) and name != _OF_ALL else RIDGE
