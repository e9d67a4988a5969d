"""Services that were driven live: their answers, beside the token that caused them (tests/fixtures/answers)."""

from __future__ import annotations

from benchmarks.accuracy import calibration
from benchmarks.accuracy.answers import Answer
from benchmarks.accuracy.services import of_services


def surely_wrong(found: list[Answer]) -> list[Answer]:
    """But for a browser that is sent to the login page."""
    return [one for one in found if not one.is_right and one.confidence >= calibration.SURE and one.name != "absent"]


def test_beside_their_words() -> None:
    """Nine of ten, over all products; what is wrong is not believed."""
    found = list(of_services(with_words=True, with_token=True))

    assert (len(found) > 400, calibration.right(found) / len(found) >= 0.9) == (True, True)
    assert surely_wrong(found) == []


def test_beside_nothing_but_status_and_challenge() -> None:
    """Most cannot be known without words or configuration; none of them is claimed."""
    found = list(of_services(with_words=False, with_token=True))

    assert calibration.right(found) / len(found) >= 0.6
    assert surely_wrong(found) == []


def test_words_without_the_token() -> None:
    """Six of ten can be known; of those that are told as sure, hardly any is wrong."""
    found = list(of_services(with_words=True, with_token=False))

    assert calibration.right(found) / len(found) >= 0.6
    assert len(surely_wrong(found)) / len(found) < 0.03
