"""Which part of a text says why: the last cause of a chain, or the most telling column of a line."""

from __future__ import annotations

import pytest

from analyzer.diagnosis.columns import MAX_COLUMNS, columns
from collector.settings import Settings
from why401.explainer import Explainer


def code(text: str) -> str:
    found = Explainer(Settings()).explain(text).diagnosis
    return found.code if found else ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "could not verify message using any of the signatures or keys: provider 1: failed to find key with key ID q7",
            "key_not_found",
        ),
        (
            "Error: Signature verification failed\n\nCaused by:\n    0: no key matches the kid of this token",
            "key_not_found",
        ),
        ("Error: Signature verification failed\n\nCaused by:\n    0: quay closed", "signature_invalid"),
        ("could not verify message using any of the signatures or keys", "signature_invalid"),
    ],
)
def test_the_last_cause_decides_what_a_known_sentence_leaves_open(text: str, expected: str) -> None:
    """A chain ends with what went wrong; an end that says nothing changes nothing."""
    assert expected == code(text)


@pytest.mark.parametrize(
    "line",
    [
        "10.5.5.5 ~ 29/05/26 10:46:00 ~ 401 ~ GET /p ~ the access token has expired ~ partner=quay",
        'when=05:25:00 st=401 why="the access token has expired" pier=4',
        "quay-7;401;GET /p;the access token has expired;partner quay",
    ],
)
def test_one_column_says_why(line: str) -> None:
    """In a layout that nobody knows the line is one sentence, of which a few words tell."""
    assert "token_expired" == code(line)


def test_columns_are_bounded_and_hold_words() -> None:
    """Addresses, requests and numbers are none; a sentence has no columns."""
    assert len(columns("|".join(["one two three"] + [f"word{n} other{n} and" for n in range(50)]))) <= MAX_COLUMNS
    assert [] == columns("10.0.0.1|GET /a/b|401|https://id.example/x y")
    assert [] == columns("the access token has expired")
