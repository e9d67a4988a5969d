"""One case and the answer to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from analyzer.diagnosis import weighed
from analyzer.diagnosis.doubts import tempered
from analyzer.diagnosis.surety import features
from analyzer.taxonomy import CODES
from analyzer.verdicts import Verdict
from benchmarks.labelled import family
from collector.settings import Settings
from why401.explainer import Explainer

_NO_CODE: Final = ("ok", "unclassified")


@dataclass(frozen=True)
class Basis:
    """The features of an answer, and the most that the record allows."""

    features: Mapping[str, float]
    most: float


@dataclass(frozen=True)
class Answer:
    """One case: who wrote the record, what is accepted, what was said and how surely."""

    of: str
    name: str
    accepted: tuple[str, ...]
    code: str
    confidence: float
    product: str = ""  # whose refusal it is: what is fitted is reported without it
    basis: Basis | None = None  # what the confidence rests on; None where nothing was decided

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
    return judged(explainer, of, name, accepted, explainer.explain(raw))


def judged(
    explainer: Explainer, of: str, name: str, accepted: tuple[str, ...], said: Verdict, *, product: str = ""
) -> Answer:
    """A verdict as an answer, with what it rests on."""
    diagnosis = said.diagnosis
    code, confidence = (diagnosis.code, diagnosis.confidence) if diagnosis else ("unclassified", 0.0)
    return Answer(of, str(name), accepted, code, confidence, product or family(of), basis(explainer, said))


def basis(explainer: Explainer, said: Verdict) -> Basis | None:
    """What a verdict's confidence rests on."""
    if said.diagnosis is None or said.diagnosis.code in _NO_CODE:
        return None
    case = explainer.analyzer.diagnoser.case(said.event)
    _, facts, found = weighed(case)
    most = tempered(case, replace(found, confidence=1.0), facts).confidence
    return Basis(features(case, found, facts), most)
