"""How certain an answer may be, by what the record does not show. Codes are not changed here, and nothing is made surer.

A status that has other meanings is no refusal by itself; words about a missing credential are said of other schemes, of
two credentials and of other headers too, unless the record shows the place and it is empty; what causes a reported symptom
is named where the log does not show the credential; that an upstream refused without a word is no reason. How likely an
answer is within these limits, surety.py says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from analyzer.diagnosis import zone
from analyzer.diagnosis.findings import Case, Strength
from analyzer.diagnosis.weigh import CAUSES, VAGUE, Decision, Found, Weights
from analyzer.knowledge.opinion import is_opinion
from analyzer.taxonomy import CODES
from collector.events import TokenKind

# A refusal by the standard, or one whose status says so by itself. 0: an error log's line has none.
_OF_REFUSALS: Final = frozenset((0, 401, 403, 407, 429, 431, 494))
_OF_BAD_REQUESTS: Final = frozenset((400, 422))  # what validators of a request answer, credentials among it
BAD_REQUEST: Final = 0.85
ANY_STATUS: Final = 0.7
UNSEEN: Final = 0.8
SAID: Final = 0.5
NO_REASON: Final = 0.7
GUESS: Final = 0.5
ELIMINATED: Final = 0.5
NO_ZONE: Final = 0.75
_SAID_ALSO: Final = "the same words are said of it, and the log does not show the header"
_ALIKE_TOO: Final = "reported in the same words, and the log does not show the credential"
_CAUSES: Final = {code: tuple((cause, _ALIKE_TOO) for cause in CAUSES.get(code, ())) for code in CODES}
_AS_SAID: Final = (Found.REPORTED, Found.LEFT)
_NAMED: Final = 4  # rivals, with those that the message names itself
_ALIKE: Final = ("scheme_invalid", "credential_ambiguous")


def tempered(case: Case, decision: Decision, facts: Weights) -> Decision:
    """The decision with the confidence that the record allows."""
    for temper in _TEMPERS:
        decision = temper(case, decision)
    return _of_words_alone(_of_another_meaning(decision, facts), facts)


def _of_words_alone(decision: Decision, facts: Weights) -> Decision:
    """An opinion on words that no signature knows is as sure as the reader is of them, where no fact shows the same."""
    reading = decision.reading
    if reading is None or decision.found not in _AS_SAID or not is_opinion(reading):
        return decision
    return decision if facts.strength(decision.code) >= Strength.LIKELY else _at_most(decision, reading.certainty)


def _of_another_meaning(decision: Decision, facts: Weights) -> Decision:
    """Of words whose first meaning is ruled out another one is left: by elimination, not by evidence."""
    reading = decision.reading
    if reading is None or decision.code == reading.code or facts.strength(decision.code) >= Strength.LIKELY:
        return decision
    return _at_most(decision, min(ELIMINATED, reading.certainty))


def _at_most(decision: Decision, most: float) -> Decision:
    return decision if decision.confidence <= most else replace(decision, confidence=most)


def _by_status(case: Case, decision: Decision) -> Decision:
    """Where nothing but the token speaks, and the status is any other fault's too."""
    status = case.event.request.status
    if decision.reading is not None or status in _OF_REFUSALS:
        return decision
    return _at_most(decision, BAD_REQUEST if status in _OF_BAD_REQUESTS else ANY_STATUS)


def _of_unseen_credential(case: Case, decision: Decision) -> Decision:
    if decision.code != "token_missing" or case.event.token.kind is not TokenKind.UNKNOWN:
        return decision
    if (
        decision.reading is not None and decision.reading.certainty < SAID
    ):  # words that mean many things name them themselves
        return decision
    there = {code for code, _ in decision.lost}
    added = tuple((code, _SAID_ALSO) for code in _ALIKE if code not in there)
    return replace(_at_most(decision, UNSEEN), lost=(*decision.lost, *added))


def _of_symptom(case: Case, decision: Decision) -> Decision:
    """What the message reports has causes that only the credential would show."""
    if not case.is_unseen or decision.found not in _AS_SAID:
        return decision
    added, lost = _CAUSES[decision.code], decision.lost
    if lost and added:
        there = [code for code, _ in lost]
        added = tuple(one for one in added if one[0] not in there)
    return replace(decision, lost=lost + added[: max(0, _NAMED - len(lost))]) if added else decision


def _of_silent_upstream(case: Case, decision: Decision) -> Decision:
    if decision.code not in ("upstream_rejected", "credential_stripped") or decision.reading is not None:
        return decision
    is_guess = decision.code == "credential_stripped" and bool(case.passed.issuers)  # credentials arrive on this route
    return _at_most(decision, GUESS if is_guess else NO_REASON)


def _of_a_clock_without_zone(case: Case, decision: Decision) -> Decision:
    """That a token has expired, or is not valid yet, by a clock whose zone nobody knows, and by no words."""
    if decision.code not in ("token_expired", "clock_skew") or _names(decision):
        return decision
    return _at_most(decision, NO_ZONE) if zone.explains(case) else decision


def _names(decision: Decision) -> bool:
    reading = decision.reading
    return reading is not None and reading.code == decision.code and reading.certainty >= VAGUE


_TEMPERS: Final[tuple[Callable[[Case, Decision], Decision], ...]] = (
    _by_status,
    _of_unseen_credential,
    _of_symptom,
    _of_silent_upstream,
    _of_a_clock_without_zone,
)
