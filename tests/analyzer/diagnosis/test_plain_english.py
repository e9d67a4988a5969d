"""What a verdict says is plain technical English: no retired phrase, a value beside what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from analyzer.knowledge.signatures import titles
from analyzer.taxonomy import CODES
from analyzer.verdicts import Diagnosis
from tests.analyzer.diagnosis.fixture_verdicts import fixture_verdicts
from tests.retired_phrases import RETIRED

_CODE_OR_QUOTE = re.compile(r'`[^`]*`|"[^"\n]*"')


def shown(diagnosis: Diagnosis) -> Iterator[str]:
    """What people read of a diagnosis but for the fixes, without code and without what a gateway is quoted with."""
    yield diagnosis.title
    yield diagnosis.near_miss
    yield from (evidence.says.partition(' (reported: "')[0] for evidence in diagnosis.evidence)
    yield from (rival.why_not for rival in diagnosis.rivals)
    yield from diagnosis.missing


def sentences() -> set[str]:
    found = {text for code in CODES.values() for text in (code.when, *code.settles)} | set(titles().values())
    for configured in (False, True):
        for verdict in fixture_verdicts(configured=configured).values():
            found |= set(shown(verdict.diagnosis)) if verdict.diagnosis else set()
    return {_CODE_OR_QUOTE.sub(" ", text) for text in found}


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.instead)
def test_no_verdict_contains_a_retired_phrase(retired) -> None:
    """Titles, definitions, evidence, rivals, near misses and what is missing, over all fixtures."""
    end = r"\b" if retired.pattern[-1].isalnum() else ""
    found = re.compile(rf"(?i)\b(?:{retired.pattern}){end}")

    assert [] == sorted(text for text in sentences() if found.search(text)), retired.instead


def test_the_fixtures_say_something() -> None:
    """The test above has enough to read, and a retired phrase among it would be found."""
    texts = sentences()
    pattern = next(retired.pattern for retired in RETIRED if "gateway's message" in retired.instead)

    assert len(texts) > 200
    assert re.search(pattern, "the token refutes the verifier's words")


@pytest.mark.parametrize("word", ["verifier", "lapse", "mends", "whom"])
def test_no_verdict_contains_a_private_term(word: str) -> None:
    """The field says gateway or validator."""
    assert [] == [text for text in sentences() if word in text.lower()]
