"""The ridge regression on n-grams, its solution without any one family, and both as the bytes of learned.bin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from scipy import linalg, sparse

from analyzer.knowledge import compiled
from analyzer.knowledge.learned import BIAS, PAIR, buckets, pieces
from analyzer.knowledge.lexicon import lexicon
from analyzer.knowledge.opinion import without_numbers
from analyzer.knowledge.splitting import split_words
from analyzer.taxonomy import CODES
from benchmarks.labelled import Labelled

BUCKETS: Final = 1 << 17
RIDGE: Final = 0.3
QUANTILE: Final = 0.9999  # of the weights; what is larger is cut, so that the others keep their digits
STEPS: Final = 127
VAGUE: Final = {
    "invented": 4.0,
    "neutral": 4.0,
    "patterns": 4.0,
}  # how often one counts: libraries give vague words meanings of their own
ROWS: Final = 42_000  # at most, so that the file stays under MAX_FILE
FLOOR: Final = 3  # steps; rows without a larger weight are left out
GENERAL: Final = frozenset(
    {
        "api",
        "auth",
        "jwt",
        "jws",
        "jose",
        "oauth2",
        "oidc",
        "openid",
        "resource",
        "server",
        "service",
        "runtime",
        "proxy",
        "gateway",
        "cloud",
        "management",
        "access",
        "security",
        "http",
        "https",
        "web",
        "net",
        "connect",
        "verify",
        "rsa",
        "identity",
        "plus",
        "oss",
        "core",
        "any",
        "simple",
        "secure",
        "go",
    }
)
Matrix = Any  # numpy and scipy arrays of floats


@dataclass(frozen=True)
class Trained:
    """A fitted regression: `features` has a row per message, `dual` a column per code, `inverse` is that of the kernel."""

    messages: tuple[Labelled, ...]
    codes: tuple[str, ...]
    silent: frozenset[str]
    features: Matrix
    dual: Matrix
    inverse: Matrix

    def rows_of(self, family: str) -> Matrix:
        """The messages of a family."""
        return np.flatnonzero([message.family == family for message in self.messages])

    def without(self, family: str) -> bytes:
        """The array that would have been learned without a family."""
        rows = self.rows_of(family)
        dual = self.dual.copy()
        if len(rows):
            block = self.inverse[np.ix_(rows, rows)]
            dual -= self.inverse[:, rows] @ np.linalg.solve(block, self.dual[rows])
            dual[rows] = 0
        return packed(self.features.T @ dual, self.codes, self.silent)

    def held_out(self) -> Matrix:
        """The scores of each message by what was learned without its family."""
        scores = targets(self.messages, self.codes)
        for family in {message.family for message in self.messages}:
            rows = self.rows_of(family)
            scores[rows] -= np.linalg.solve(self.inverse[np.ix_(rows, rows)], self.dual[rows])
        return scores

    def packed(self) -> bytes:
        """The array of everything."""
        return packed(self.features.T @ self.dual, self.codes, self.silent)


def train(messages: Sequence[Labelled]) -> Trained:
    """Fit on all messages."""
    codes = tuple(code for code in CODES)
    silent = names()
    features = matrix([message.text for message in messages], silent)
    weight = np.array([VAGUE.get(m.origin, 1.0) if m.codes == ("unclassified",) else 1.0 for m in messages])
    kernel = (features @ features.T).toarray() + np.diag(RIDGE / weight)
    inverse = linalg.inv(kernel, check_finite=False, overwrite_a=True)
    return Trained(tuple(messages), codes, silent, features, inverse @ targets(messages, codes), inverse)


def targets(messages: Sequence[Labelled], codes: Sequence[str]) -> Matrix:
    """1 for the best code of a message."""
    column = {code: at for at, code in enumerate(codes)}
    wanted = np.zeros((len(messages), len(codes)))
    for row, message in enumerate(messages):
        wanted[row, column[message.codes[0]]] = 1.0
    return wanted


def names() -> frozenset[str]:
    """The words of products' names, but for those that messages are made of ("token", "claim") and GENERAL ones."""
    folders = {path.split("/")[1] for path in compiled.tables() if path.count("/") == 2}
    spoken = {word for phrase in lexicon().phrases for word in phrase}
    words = {word.text for folder in folders for word in split_words(folder.replace("-", " ").replace("_", " "))}
    return frozenset(words - spoken - GENERAL)


def matrix(texts: Sequence[str], silent: frozenset[str]) -> Matrix:
    """A row per text, of length 1 but for what its words share."""
    rows, columns, values = [], [], []
    for row, text in enumerate(texts):
        parts = [
            (buckets(piece, BUCKETS), 1 if len(piece) == 1 else PAIR) for piece in pieces(without_numbers(text), silent)
        ]
        length = np.sqrt(sum(times * times * len(found) for found, times in parts) or 1)
        for found, times in parts:
            rows += [row] * len(found)
            columns += found
            values += [times / length] * len(found)
    return sparse.csr_matrix((values, (rows, columns)), shape=(len(texts), BUCKETS))


def packed(weights: Matrix, codes: Sequence[str], silent: Iterable[str]) -> bytes:
    """The weights as learned.bin: only buckets that a message has."""
    width = -(-len(codes) // 4) * 4
    used = np.flatnonzero(np.abs(weights).max(axis=1) > 0)
    scale = float(np.quantile(np.abs(weights[used]), QUANTILE)) / STEPS
    kept = np.clip(np.rint(weights[used] / scale), -STEPS, STEPS)
    largest = np.abs(kept).max(axis=1)
    some = np.sort(np.argsort(-largest, kind="stable")[:ROWS])
    some = some[largest[some] >= FLOOR]
    used, kept = used[some], kept[some]
    index = np.zeros(BUCKETS, dtype="<u2")
    index[used] = np.arange(1, len(used) + 1)
    rows = np.full((len(used), width), BIAS, dtype=np.uint8)
    rows[:, : len(codes)] = kept + BIAS
    header = {"codes": list(codes), "buckets": BUCKETS, "rows": len(used), "scale": scale, "silent": sorted(silent)}
    return orjson.dumps(header) + b"\n" + index.tobytes() + rows.tobytes()
