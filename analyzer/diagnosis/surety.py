"""How sure an answer is: the probability that its code is the true one, by how it was found and what the record shows.

A row of features per answer, a weight for each in analyzer/knowledge/confidence.toml, and the logistic function of their sum.
Words that are written for several root causes are not sure of one, however clear they are: where the log shows nothing of
the credential, a code that was too often a symptom stays under SURE. Both are fitted by `python -m benchmarks.accuracy --fit`
to refusals whose fault is known (docs/decisions/0027). Nothing here changes a code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from analyzer.diagnosis.findings import Case, Strength
from analyzer.diagnosis.weigh import CAUSES, Decision, Found, Weights
from analyzer.knowledge import Reading
from analyzer.knowledge.opinion import is_opinion
from analyzer.knowledge.products import relatives, table
from analyzer.taxonomy import CODES
from collector.events import Verification

SURE: Final = 0.8
SYMPTOM: Final = 0.79  # at most, of words that are too often written for another cause
LEAST: Final = 0.05
NOTHING: Final = 0.2  # of "unclassified", which promises nothing
MOST: Final = 0.98  # no record proves more than a log can
_MOST_RIVALS: Final = 3
_MOST_ALSO: Final = 2
_FOUND: Final = {found: f"found.{found.value}" for found in Found}
_UNSEEN: Final = {code: f"unseen.{code}" for code in CODES}
_CAUSES: Final = {code: math.log1p(len(CAUSES.get(code, ()))) for code in CODES}
_STRENGTH: Final = {strength: f"strength.{strength.name.lower()}" for strength in Strength}
_LONG: Final = 40  # literal characters of a wording that hardly fits by chance
_AS_SAID: Final = (Found.REPORTED, Found.LEFT)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A weight per feature; and of refusals that were reported as a code, the log not showing the credential, the share whose fault it was."""

    weights: Mapping[str, float]
    roots: Mapping[str, float]


def probability(case: Case, decision: Decision, facts: Weights) -> float:
    """The probability that a decision's code is the true one."""
    if decision.found is Found.NOTHING:
        return NOTHING
    return likely(decision.code, features(case, decision, facts), fitted())


def likely(code: str, row: Mapping[str, float], by: Fitted) -> float:
    """The logistic function of a row's weighted sum, within what a log can prove; a feature without a weight counts nothing."""
    total, weights = 0.0, by.weights
    for name, value in row.items():  # a loop: it runs for every diagnosis
        total += weights.get(name, 0.0) * value
    is_symptom = "unseen" in row and by.roots.get(code, 1.0) < SURE
    return min(SYMPTOM if is_symptom else MOST, max(LEAST, 1 / (1 + math.exp(-total))))


def features(case: Case, decision: Decision, facts: Weights) -> dict[str, float]:
    """What the answer rests on, by the name of its weight.

    `found.*`: the step that decided. `said*`: the log-odds of what the words mean, by a signature or by opinion.
    `unseen*`: the words name a code, and the log shows nothing of the credential that would tell it from its causes.
    """
    found = {_FOUND[decision.found]: 1.0}
    reading = decision.reading
    if decision.found is Found.FACTS:
        found[_STRENGTH[facts.strength(decision.code)]] = 1.0
    elif reading is not None:
        _add_words(found, case, reading)
    if decision.found in _AS_SAID:
        _add_unseen(found, case, decision.code)
        if facts.strength(decision.code) is Strength.LIKELY:
            found["likely"] = 1.0
    if case.expected is not None:
        found["configured"] = 1.0
    if case.event.token.verification is Verification.VERIFIED:
        found["verified"] = 1.0
    if rivals := _rivals(decision, facts):
        found["rivals"] = float(min(_MOST_RIVALS, rivals))
    return found


def _add_words(found: dict[str, float], case: Case, reading: Reading) -> None:
    """A few letters of another product's words fit by chance."""
    kind = "opinion" if is_opinion(reading) else "said"
    found[kind], found[f"{kind}.itself"] = _log_odds(reading.certainty), 1.0
    if reading.also:
        found[f"{kind}.also"] = float(min(_MOST_ALSO, len(reading.also)))
    if 0 < reading.matched < _LONG:
        found["said.short"] = 1 - reading.matched / _LONG
    if reading.matched and reading.gateway not in ("", *relatives("gateway", case.event.gateway.kind)):
        found["said.foreign"] = 1.0


def _add_unseen(found: dict[str, float], case: Case, code: str) -> None:
    if case.is_unseen:
        found["unseen"], found[_UNSEEN[code]], found["unseen.causes"] = 1.0, 1.0, _CAUSES[code]
        return
    found["seen"] = 1.0
    if case.event.token.verification is Verification.NOT_CHECKED:
        found["unchecked.causes"] = _CAUSES[code]


def _rivals(decision: Decision, facts: Weights) -> int:
    """Strong facts for other codes."""
    found = 0
    for code, finding in facts.best.items():
        found += finding.strength >= Strength.STRONG and code != decision.code and facts.is_possible(code)
    return found


@cache  # a signature's certainty is one of few, an opinion's has two digits
def _log_odds(certainty: float) -> float:
    bounded = min(0.99, max(0.01, certainty))
    return math.log(bounded / (1 - bounded))


@cache
def fitted() -> Fitted:
    """What the package was fitted to."""
    found = table("confidence.toml")
    return Fitted(found["weights"], found["roots"])
