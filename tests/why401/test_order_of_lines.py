"""What a program says of one request is not said of the request before: reasons stay with their own access lines."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from tests.why401.test_one_refusal import of_explain, of_up

TEXT: Final = 'time=2026-03-03T10:00:0{at}.{ms}Z level={level} msg="{said}"{more}'


def said(at: int, text: str, ms: int = 100) -> str:
    return TEXT.format(at=at, ms=ms, level="WARN", said=text, more="")


def ended(at: int, ms: int = 101, path: str = "/v1/parcels/7") -> str:
    return TEXT.format(at=at, ms=ms, level="INFO", said="request", more=f" method=GET path={path} status=401")


EXPIRED: Final = "token rejected: token is expired"
VAGUE: Final = "authentication failed: invalid token"


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        pytest.param(
            [said(0, EXPIRED), ended(0), said(0, VAGUE, 200), ended(0, 201)],
            {"token_expired": 1, "token_malformed": 1},
            id="a vague one behind a clear one",
        ),
        pytest.param(
            [said(0, VAGUE), ended(0), said(0, EXPIRED, 200), ended(0, 201)],
            {"token_expired": 1, "token_malformed": 1},
            id="a clear one behind a vague one",
        ),
    ],
)
def test_reasons_stay_with_their_requests(lines: list[str], codes: dict[str, int]) -> None:
    """In a program that says first and ends with the access line."""
    assert Counter(codes) == of_explain(lines) == of_up(lines)


def test_a_program_that_says_last_keeps_its_reasons() -> None:
    """Access line first, then the reason: as many refusals as requests, each with its reason."""
    lines = [line for at in range(5) for line in (ended(at), said(at, EXPIRED, 130))]

    assert {"token_expired": 5} == of_explain(lines) == of_up(lines)
