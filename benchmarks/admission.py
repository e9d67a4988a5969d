"""Trains the table by which a log line is admitted: `python -m benchmarks.admission TREE… [--lines FILE…] [--write]`.

Sentences about refused credentials are the examples and patterns of analyzer/knowledge, and benchmarks/refusals.txt. Harmless ones are the log and
error texts in the source trees that are given (programs that have little to do with authentication; files and sentences about it are
left out), log lines of FILE, benchmarks/harmless.txt, and everyday things with everyday faults (benchmarks/everyday.toml).
What comes out is a logistic regression over words, their beginnings and pairs, written to collector/gateways/reading/admission.toml. It is deterministic. Nothing of the trees is copied but weights of words.

The table in the repository was trained on prometheus/prometheus, redis/redis, apache/zookeeper, etcd-io/etcd, Cisco-Talos/clamav, killbill/killbill,
apache/fineract, the packages of this project's own environment, and the templates of logpai/loghub.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from analyzer.knowledge.products import facts
from collector.gateways.reading.admission import FILE, features

HERE: Final = Path(__file__).parent
_SUFFIXES: Final = frozenset((".go", ".c", ".java", ".py", ".ts", ".js", ".rb", ".php", ".rs"))
_CALL: Final = re.compile(
    r"(?:[Ee]rror|[Ww]arn|[Ii]nfo|[Dd]ebug|[Ll]og|[Ff]atal|[Pp]anic|[Ee]xception|Errorf|New|serverLog|raise \w+|throw new \w+)\w*"
    r'\((?:\w+, ?){0,2}f?"((?:[^"\\\n]|\\.){10,240})"'
)
_ABOUT_AUTH: Final = re.compile(
    r"auth|jwt|jose|jw[sket]|oidc|oauth|token|acl|rbac|secur|sasl|scram|session|login|credential|cert|tls|ssl|sign|crypt|passw|key", re.IGNORECASE
)  # fmt: skip
_AUTH_WORDS: Final = re.compile(
    r"jwt|jwk|bearer|oauth|oidc|unauthori|authoriz|authentic|credential|access denied|audience|issuer|signature|forbidden|login"
    r"|token (?:is|has|was|not|exp|inv)|(?:invalid|expired|bad|missing|no) token|permission denied|api key",
    re.IGNORECASE,
)
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}|%[-+# 0-9.]*[a-zA-Z]")
# What a language's runtime says of any connection or number is no refusal by itself.
RUNTIMES: Final = frozenset(("go-runtime", "node-runtime", "python-runtime"))
_SURE: Final = 0.7
# What is wrong there is mostly no token: programs say such things of other matters, too.
_OF_THE_OPERATOR: Final = frozenset(("auth_not_configured", "gateway_error", "caller_blocked", "login_flow_failed"))
_FAULTS_EACH: Final = 9  # shares no divisor with their number, so that each thing begins with another one
_SEEN: Final = 2  # a word met once teaches nothing
_EPOCHS: Final = 300
_DECAY: Final = 2e-4
_LEAST: Final = 0.12  # weights nearer to zero than this are left out of the table


def refusals(which: str) -> Iterator[str]:
    """Sentences of the knowledge base, examples and patterns: "sure", "doubtful", or "runtime" (of a language's runtime)."""
    for kind in ("gateway", "library"):
        for path, content in facts(kind, "words"):
            for signature in content["signature"]:
                if _class_of(path, signature) == which:
                    yield from signature.get("examples", ())
                    yield _PLACEHOLDER.sub("x", signature["pattern"])
    if which == "sure":
        yield from _own("refusals.txt")


def _class_of(path: str, signature: dict[str, Any]) -> str:
    if path.split("/")[1] in RUNTIMES:
        return "runtime"
    is_sure = signature["certainty"] >= _SURE and signature["code"] not in _OF_THE_OPERATOR
    return "sure" if is_sure else "doubtful"


def harmless(trees: Iterable[str], files: Iterable[str]) -> Iterator[str]:
    """Log and error texts of programs that are about something else."""
    for tree in trees:
        for path in sorted(Path(tree).rglob("*")):
            if path.suffix in _SUFFIXES and path.is_file() and not _ABOUT_AUTH.search(str(path.relative_to(tree))):
                yield from _texts(path.read_text(encoding="utf-8", errors="replace"))
    for file in files:
        yield from (
            line for line in Path(file).read_text(encoding="utf-8").splitlines() if not _AUTH_WORDS.search(line)
        )


def _texts(source: str) -> Iterator[str]:
    for found in _CALL.finditer(source):
        text = _PLACEHOLDER.sub("x", found[1])
        if " " in text and not _AUTH_WORDS.search(text):
            yield text


def _own(name: str) -> list[str]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def everyday() -> list[str]:
    """Faults of things that are no credentials, of everyday.toml: each thing with a share of the faults, in turn."""
    table = tomllib.loads((HERE / "everyday.toml").read_text(encoding="utf-8"))
    things = [thing.strip() for thing in table["things"].replace("\n", " ").split(",")]
    faults = [fault for fault in table["faults"].splitlines() if fault]
    return [
        faults[(at * _FAULTS_EACH + one) % len(faults)].replace("X", thing)
        for at, thing in enumerate(things)
        for one in range(_FAULTS_EACH)
    ]


def train(sets: Sequence[tuple[Sequence[str], bool, float]]) -> tuple[dict[str, float], float]:
    """(weight of each feature, bias) of sets of sentences: whether they speak of refusals, and how much each of them counts."""
    rows = [features(text) for texts, _, _ in sets for text in texts]
    counts = Counter(feature for row in rows for feature in row)
    names = sorted(feature for feature, count in counts.items() if count >= _SEEN)
    index, row_of = _matrix(rows, names)
    sizes = [len(texts) for texts, _, _ in sets]
    wanted = np.repeat([float(is_refusal) for _, is_refusal, _ in sets], sizes)
    importance = np.repeat([counts_for for _, _, counts_for in sets], sizes)
    weights, bias = _fitted(index, row_of, wanted, importance, len(names))
    return _told(names, weights), bias


def _told(names: Sequence[str], weights: Any) -> dict[str, float]:
    return {name: round(float(w), 2) for name, w in zip(names, weights, strict=True) if abs(w) >= _LEAST}


def _matrix(rows: Sequence[frozenset[str]], names: Sequence[str]) -> tuple[Any, Any]:
    """The places of ones in a sparse matrix: (column, row) of each."""
    column = {name: n for n, name in enumerate(names)}
    columns = [np.array([column[f] for f in sorted(row) if f in column], dtype=np.int64) for row in rows]
    return np.concatenate(columns), np.repeat(np.arange(len(rows)), [len(each) for each in columns])


def _fitted(index: Any, row_of: Any, wanted: Any, importance: Any, width: int) -> tuple[Any, float]:
    """Logistic regression by gradient descent with momentum of second order (Adam), over the whole set at once."""
    weights = np.zeros(width + 1)
    first, second = np.zeros(width + 1), np.zeros(width + 1)
    scale = importance / importance.sum()
    for step in range(1, _EPOCHS + 1):
        score = np.bincount(row_of, weights[index], len(wanted)) + weights[-1]
        error = (1 / (1 + np.exp(-score)) - wanted) * scale
        gradient = np.r_[np.bincount(index, error[row_of], width), error.sum()] + _DECAY * np.r_[weights[:-1], 0] / 10
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        weights -= 0.05 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-9)
    return weights[:-1], round(float(weights[-1]), 2)


def written(weights: dict[str, float], bias: float, sizes: tuple[int, int]) -> str:
    """The table as TOML: a line a feature."""
    lines = "\n".join(f"{name}\t{weight}" for name, weight in sorted(weights.items()))
    return (
        "# How much each word, beginning of a word (*) and pair of words speaks for a refused credential. Made by\n"
        f"# `python -m benchmarks.admission` from {sizes[0]} sentences about refusals and {sizes[1]} others; not edited by hand.\n"
        f'bias = {bias}\nweights = """\n{lines}\n"""\n'
    )


def main(arguments: Sequence[str]) -> int:
    """Train, report on the sentences it was trained on, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.admission")
    parser.add_argument("trees", nargs="*")
    parser.add_argument("--lines", action="append", default=[])
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(arguments)
    sure, doubtful, runtime = (list(dict.fromkeys(refusals(which))) for which in ("sure", "doubtful", "runtime"))
    negatives = list(dict.fromkeys(harmless(asked.trees, asked.lines)))
    own, terse = _own("harmless.txt"), _own("refusals.txt")
    common = everyday()
    balance = len(sure) / max(len(negatives), 1)
    # What a runtime says decides little: it says it of other things too. Sentences written for this count more than found ones.
    weights, bias = train(
        (
            (sure, True, 1.0),
            (terse, True, 4.0),
            (doubtful, True, 0.4),
            (runtime, True, 0.25),
            (negatives, False, 1.4 * balance),
            (common, False, 1.5),
            (own, False, 12.0),
        )
    )
    sizes = (len(sure) + len(doubtful) + len(runtime), len(negatives) + len(common) + len(own))
    print(f"{sizes[0]} refusals, {sizes[1]} harmless, {len(weights)} weights")
    if asked.write:
        FILE.write_text(written(weights, bias, sizes), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
