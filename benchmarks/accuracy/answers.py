"""One case and the answer to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analyzer.taxonomy import CODES
from collector.settings import Settings
from why401.explainer import Explainer


@dataclass(frozen=True)
class Answer:
    """One case: who wrote the record, what is accepted, what was said and how surely."""

    of: str
    name: str
    accepted: tuple[str, ...]
    code: str
    confidence: float

    @property
    def is_right(self) -> bool:
        """The code is one of the accepted."""
        return self.code in self.accepted

    @property
    def has_right_cause(self) -> bool:
        """The cause is that of an accepted code."""
        return cause(self.code) in {cause(code) for code in self.accepted}


def cause(code: str) -> str:
    """The cause of a code; "ok" for a passing one."""
    return CODES[code].cause if code in CODES else "ok"


def of_corpus(file: Path) -> Iterator[Answer]:
    """Answers to a corpus file, without any configuration."""
    explainer = Explainer(Settings())
    for line in file.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield answer(explainer, case.get("gateway") or case["library"], case["id"], tuple(case["codes"]), case["raw"])


def answer(explainer: Explainer, of: str, name: str, accepted: tuple[str, ...], raw: str) -> Answer:
    """One answer; a record that cannot be read is unclassified."""
    diagnosis = explainer.explain(raw).diagnosis
    code, confidence = (diagnosis.code, diagnosis.confidence) if diagnosis else ("unclassified", 0.0)
    return Answer(of, str(name), accepted, code, confidence)
