"""Answers that viewers share: asked once, kept for a while, asked ahead, and forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from dashboard.answers import MAX_KEPT, Answers, Keep
from tests.waiting import HANG_S, eventually

KEEP = Keep(fresh_s=5)


class Lake:
    """Counts what it is asked; `answer` is what it says."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Callable[[], str] = lambda: "first"

    def __call__(self) -> str:
        self.asked += 1
        return self.answer()


@pytest.fixture
def now() -> list[float]:
    return [100.0]


@pytest.fixture
def answers(now: list[float]) -> Answers[str]:
    return Answers(2, clock=lambda: now[0])


def test_an_answer_is_given_again_until_it_is_old(answers: Answers[str], now: list[float]) -> None:
    """Within its time it costs nothing, and then it is asked for anew."""
    lake = Lake()
    asked = []
    for at in (100.0, 104.0, 106.0):
        now[0] = at
        answers.get("k", lake, KEEP)
        asked.append(lake.asked)

    assert [1, 1, 2] == asked


def test_many_viewers_ask_once(answers: Answers[str]) -> None:
    """Whoever comes while a statement runs waits for it, and does not run it again."""
    lake, may_end, found = Lake(), threading.Event(), list[str]()
    lake.answer = lambda: "late" if may_end.wait(HANG_S) else "never"
    viewers = [threading.Thread(target=lambda: found.append(answers.get("k", lake, KEEP))) for _ in range(10)]
    for viewer in viewers:
        viewer.start()
    may_end.set()
    for viewer in viewers:
        viewer.join(HANG_S)

    assert (1, ["late"] * 10) == (lake.asked, found)


def test_an_old_answer_is_given_while_a_newer_one_is_made(answers: Answers[str], now: list[float]) -> None:
    """Nobody waits for the newer one; beyond the limit the old one is not given any more."""
    lake, keep = Lake(), Keep(fresh_s=5, stale_s=30)
    answers.get("k", lake, keep)
    lake.answer = lambda: "second"
    now[0] += 20

    assert "first" == answers.get("k", lake, keep)
    eventually(lambda: answers.get("k", lake, keep) == "second", "the newer answer")
    now[0] += 36
    lake.answer = lambda: "third"
    assert ("third", 3) == (answers.get("k", lake, keep), lake.asked)


def test_a_newer_answer_that_fails_leaves_the_old_one(answers: Answers[str], now: list[float]) -> None:
    """Until its time is over; then the error is told."""
    lake, keep = Lake(), Keep(fresh_s=5, stale_s=30)
    answers.get("k", lake, keep)

    def fails() -> str:
        raise OSError("gone")

    lake.answer = fails
    now[0] += 20
    assert "first" == answers.get("k", lake, keep)
    eventually(lambda: lake.asked == 2, "the second question")
    assert "first" == answers.get("k", lake, keep)
    now[0] += 20
    with pytest.raises(OSError, match="gone"):
        answers.get("k", lake, keep)


def test_an_error_is_not_kept(answers: Answers[str]) -> None:
    """The next one asks anew."""
    lake = Lake()

    def fails() -> str:
        raise OSError("gone")

    lake.answer = fails
    with pytest.raises(OSError, match="gone"):
        answers.get("k", lake, KEEP)
    lake.answer = lambda: "there"

    assert "there" == answers.get("k", lake, KEEP)


def test_what_was_forgotten_while_it_ran_is_asked_again(answers: Answers[str]) -> None:
    """A decision shows at once: what was asked before it does not answer what is asked after it."""
    lake, may_end, begun = Lake(), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        may_end.wait(HANG_S)
        return "before"

    lake.answer = slow
    future = answers.ahead("k", lake, KEEP)
    begun.wait(HANG_S)
    answers.clear()
    lake.answer = lambda: "after"

    assert "after" == answers.get("k", lake, KEEP)
    may_end.set()
    assert ("before", "after") == (future.result(HANG_S), answers.get("k", lake, KEEP))


def test_whether_an_answer_is_there_is_known(answers: Answers[str]) -> None:
    """Not before it was asked for, and not while it is made."""
    may_end = threading.Event()
    before = answers.has("k")
    future = answers.ahead("k", lambda: str(may_end.wait(HANG_S)), KEEP)
    during = answers.has("k")
    may_end.set()
    future.result(HANG_S)
    eventually(lambda: answers.has("k"), "the answer")

    assert (False, False) == (before, during)


def test_waiting_ends(answers: Answers[str]) -> None:
    """A statement that does not come back is waited for no longer than was said."""
    may_end = threading.Event()
    with pytest.raises(TimeoutError):
        answers.get("k", lambda: str(may_end.wait(HANG_S)), KEEP, timeout_s=0.01)
    may_end.set()


def test_few_answers_are_kept(answers: Answers[str]) -> None:
    """The ones that were used last."""
    for n in range(MAX_KEPT + 10):
        answers.get(n, lambda: "x", KEEP)
        answers.get(0, lambda: "x", KEEP)

    assert [True, False, True] == [answers.has(n) for n in (0, 1, MAX_KEPT + 9)]


def test_an_answer_that_is_over_holds_no_memory(answers: Answers[str], now: list[float]) -> None:
    """The next question lets go of it, whoever asks what."""
    answers.get("old", lambda: "x", KEEP)
    now[0] += 6
    answers.get("new", lambda: "x", KEEP)

    assert (False, True) == (answers.has("old"), answers.has("new"))
    assert ["new"] == list(answers._entries)
