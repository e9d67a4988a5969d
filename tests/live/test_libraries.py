"""Real JWT libraries refuse broken tokens: what they say is answered rightly, with the token in the record and without."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import pytest

from benchmarks.live.libraries.contract import TOKEN_ONLY, Library
from benchmarks.live.libraries.registry import LIBRARIES
from benchmarks.live.libraries.score import Asked, Scored, score

AT_LEAST: Final = 25  # a library that refuses fewer faults proves little
WORDS_ALONE: Final = 0.98  # of a listed library's records, by the codes that its words can carry
BY_MEANING: Final = 0.85  # of an unlisted library's messages
# What is answered wrongly, each with its reason: (library, fault, form).
KNOWN_WRONG: Final[Mapping[tuple[str, str, str], str]] = {
    **{
        ("cryptojwt", "token-header-not-json", form): "Python's JSONDecodeError is a key set's as often as a token's"
        for form in ("bare", "typed", "python_line")
    },
    ("cryptojwt", "iss-missing", "with token"): "it reads keys by issuer: its kid is ours, and it says that it is not",
    **{
        ("@hapi/jwt", "token-standard-base64", form): "another library's whole message is the beginning of its own"
        for form in ("bare", "typed", "pino")
    },
    ("@hapi/jwt", "token-header-not-json", "pino"): '"Invalid token missing header" reads as "token missing"',
    ("jwskate", "exp-text", "typed"): "the name in its AttributeError reads as the claim that has expired",
}


@cache
def scored(library: Library) -> Scored:
    """The library's answers, verified once for all tests."""
    if lacking := library.missing():
        pytest.skip(f"{library.name}: {lacking}")
    return score(library)


@pytest.fixture(params=LIBRARIES, ids=lambda library: library.name)
def answers(request: pytest.FixtureRequest) -> Scored:
    """One library's answers."""
    return scored(request.param)


def test_the_library_refuses_most_faults(answers: Scored) -> None:
    """At least AT_LEAST faults are refused; what passes is named by the fault, and nothing is lost."""
    assert len(answers.with_token) >= AT_LEAST, answers.passed
    assert {one.fault for one in answers.with_token} | set(answers.passed) == set(TOKEN_ONLY)


def test_words_alone_give_what_they_can_carry(answers: Scored) -> None:
    """Without the token, each record has the true code or the one that the library's words say, but for the known ones."""
    assert _wrong(answers, answers.without_token) == {}
    if answers.library.listed:
        assert _rate(answers.without_token) >= WORDS_ALONE


def test_the_token_in_the_record_gives_the_true_code(answers: Scored) -> None:
    """With the Authorization header logged beside the message, the true code comes out, whatever the words say."""
    assert _wrong(answers, answers.with_token) == {}


def test_words_of_a_library_nobody_listed_are_read_by_meaning(answers: Scored) -> None:
    """The fallback alone reads at least BY_MEANING of what each library says, listed or not, its signatures unseen."""
    assert _rate(answers.by_meaning) >= BY_MEANING, [one for one in answers.by_meaning if not one.is_right]


def test_every_known_wrong_answer_is_still_wrong() -> None:
    """What has become right is taken out of the list."""
    ran = {library.name: scored(library) for library in LIBRARIES if not library.missing()}
    wrong = {
        (name, one.fault, one.form)
        for name, answers in ran.items()
        for one in (*answers.without_token, *answers.with_token)
        if not one.is_right
    }
    assert sorted(key for key in KNOWN_WRONG if key[0] in ran and key not in wrong) == []


def _wrong(answers: Scored, asked: tuple[Asked, ...]) -> dict[tuple[str, str], str]:
    name = answers.library.name
    return {
        (one.fault, one.form): f"{one.code}, not {sorted(one.accepted)}: {one.words}"
        for one in asked
        if not one.is_right and (name, one.fault, one.form) not in KNOWN_WRONG
    }


def _rate(asked: tuple[Asked, ...]) -> float:
    return sum(one.is_right for one in asked) / len(asked)
