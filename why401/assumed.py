"""Text that no parser knows: whether it is a refusal's message, before anybody is told why.

`why401 explain` is also asked about a sentence alone, cut out of its log. What says that something was refused is taken for
an application's message; a stack frame, a line of source code, a start-up line or a greeting is not.
"""

from __future__ import annotations

from typing import Final

from analyzer.verdicts import Diagnosis
from collector.gateways.application import is_quiet
from collector.gateways.reading.admission import is_admitted, is_negative, probability
from collector.gateways.reading.fragments import advises, announces
from collector.gateways.reading.log_lines import is_exception, names_refusal
from collector.gateways.reading.other_matters import is_of_program
from collector.gateways.reading.topic import is_auth

LEAST: Final = 0.5  # certainty from which a sentence without a word of refusal is taken for one
_READ_CHARS: Final = 2048
_NONE: Final = ("ok", "unclassified")
# What breaks or limits any service: a refusal only where the text speaks of credentials at all.
_ANYONES: Final = frozenset(
    {"jwks_unreachable", "introspection_failed", "gateway_error", "caller_blocked", "header_too_large"}
)
_ABOUT: Final = 0.2
_DOUBTLESS: Final = 0.9


def is_refusal(text: str, diagnosis: Diagnosis, *, is_doubtful: bool = False, is_alone: bool = True) -> bool:
    """Whether a text says that something was refused: in words, or by what the analyzer makes of it.

    `diagnosis` is what it would be if it were one. `is_doubtful`: a gateway's parser knows the line and leaves it out, as
    those at debug level, so that both must say it. `is_alone`: it stands in no logger's layout, so somebody asks about it.
    """
    is_thrown = is_exception(text)
    is_asked = is_alone and _is_about_nothing_else(text, diagnosis)
    if _is_of_the_program(text) or not (is_thrown or is_asked or _says_no(text, diagnosis)):
        return False
    if is_doubtful or is_quiet(text):
        return _is_doubtless(text, diagnosis)
    return is_thrown or is_admitted(text) or _is_explained(text, diagnosis)


def _is_doubtless(text: str, diagnosis: Diagnosis) -> bool:
    is_named = is_exception(text) or names_refusal(text)
    return is_named and is_admitted(text) and _is_explained(text, diagnosis)


def _is_of_the_program(text: str) -> bool:
    """Of its start, or of a part that it lacks."""
    low = text[:_READ_CHARS].lower()
    return announces(low) or advises(low) or is_of_program(text)


def _says_no(text: str, diagnosis: Diagnosis) -> bool:
    """By a word, or as a library's own sentence: "The token will be active at …" is fast-jwt's refusal."""
    return is_negative(text) or bool(diagnosis.library)


def _is_about_nothing_else(text: str, diagnosis: Diagnosis) -> bool:
    """Without a word that denies anything: "Multiple Authorization headers found", "poorly formatted jwt"."""
    return probability(text) >= _DOUBTLESS and _is_explained(text, diagnosis)


def _is_explained(text: str, diagnosis: Diagnosis) -> bool:
    if diagnosis.code in _NONE or diagnosis.confidence < LEAST:
        return False
    return diagnosis.code not in _ANYONES or is_auth(text) or probability(text) >= _ABOUT
