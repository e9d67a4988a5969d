"""Phrases that are no longer used in text for people, and what to write instead (docs/glossary.md).

tests/test_english.py keeps them out of pages, help, settings, telemetry, titles, evidence, fixes and views. A pattern is a regular
expression that is matched without case between word boundaries. Code (`…`, blocks) and quotations (*…*, "…") are not searched.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Retired(NamedTuple):
    """A phrase and what to write instead."""

    pattern: str
    instead: str


# What "token", "request" and the like did when they "came".
_SENT: Final = "tokens?|credentials?|requests?|answers?|users?|records?|headers?|proofs?|one|none|something|what|40[13]"

RETIRED: Final = (
    Retired(r"verifiers?'s? words?|words of the verifier", "the gateway's message"),
    Retired(
        r"the words (fit|say|name|mean|alone|show)s?|fits? it less", "the gateway's message; less consistent with …"
    ),
    Retired(r"readings? (says?|said|of the words)|(another|first|second|its|best) readings?", "interpretation"),
    Retired(
        r"stands? (in|there|beside|behind|before|twice|for nothing|by itself|as|at|under|alone)|where \w+ stood",
        "is",
    ),
    Retired(
        r"(is|are|be|been|was|were|unless|until|otherwise) told|told (apart|why401|so)", "say, report, distinguish"
    ),
    Retired(r"tells? (of|apart|why401|which|why|whether|in)", "says, reports, identifies, distinguishes"),
    Retired(r"(never|until|first|credentials|issuers|words|sights) met", "seen"),
    Retired(r"mend|mends|mended|mending", "fix"),
    Retired(r"lapse|lapses|lapsed", "expire"),
    Retired(r"whose side", "who has to change something"),
    Retired(r"(and|or) (the|its|their) like", "and similar"),
    Retired(r"as ever", "as before"),
    Retired(r"(and|but|or|yet|so)? ?\w+ at that(?=[.,;:)]|$)", "(leave it out)"),
    Retired(rf"({_SENT}) came", "was sent, arrived"),
    Retired(
        r"(?<!there )(is|was|are) no (?!longer|more|less|different|other|key|need|way|setting|token|user|reason|secret)\w+",
        "is not a",
    ),
    Retired(
        r"(gateway|library|plugin|receiver|receivers|page|specification|route|rule|driver|provider|module) wants?",
        "requires",
    ),
    Retired(r"bore", "had, carried"),
    Retired(r"whom it (hits|hit)", "who is affected"),
    Retired(r"by its own words?", "according to its own claims"),
    Retired(r"writ(es|ten|e) (it |the question |each question )?down", "audited, recorded"),
    Retired(r"names no reason", "the cause is not determined"),
    Retired(r"what would be right", "what is expected"),
    Retired(r"nobody but|somebody else('s)?", "another …"),
)
