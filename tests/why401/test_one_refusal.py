"""What products write about one refusal in several lines is one failure, with the reason that one of the lines gives."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from analyzer.pipeline import Analyzer
from collector.events import Origin, Outcome
from collector.joining.stage import Joining
from collector.records import Batch, RawRecord
from collector.settings import JoiningSettings, Settings
from collector.telemetry import Telemetry
from tests.collector.test_pipeline import collector
from why401.explainer import MAX_WAITING, Explainer, Explanation

FILE: Final = Path(__file__).parents[1] / "fixtures" / "joining" / "refusals.toml"
CASES: Final = tomllib.loads(FILE.read_text())["case"]
TESTED: Final = collector()
TIMES: Final = 4


def of_explain(lines: list[str]) -> Counter[str]:
    """Code -> how many verdicts `why401 explain` gives on these lines."""
    verdicts = {id(one): one for one in Explainer(Settings()).explain_all(lines)}
    return Counter(one.diagnosis.code for one in verdicts.values() if one.diagnosis and one.is_read)


def of_up(lines: list[str]) -> Counter[str]:
    """Code -> how many failures `why401 up` stores."""
    stage, analyzer = Joining(TESTED, JoiningSettings(), Telemetry(), lambda: 100.0), Analyzer(Settings())
    records = [RawRecord(Origin("file", "log"), 1_772_532_000 * 10**9, text=line) for line in lines]
    events = [event for batch in (*stage(Batch(records)), *stage.rest()) for event in batch.items]
    verdicts = [analyzer.judge(event) for event in events if event.outcome is not Outcome.UNREAD]
    return Counter(one.diagnosis.code for one in verdicts if one.diagnosis)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_lines_of_one_refusal_are_one_failure(case: dict[str, Any]) -> None:
    """In the order in which they are written."""
    assert len(case["lines"]) > 1
    assert {case["code"]: 1} == of_explain(case["lines"]) == of_up(case["lines"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_storm_of_one_token_is_as_many_failures(case: dict[str, Any]) -> None:
    """The same request several times, one after another and all at once: even where all of them name one id."""
    in_turn = case["lines"] * TIMES
    at_once = [line for line in case["lines"] for _ in range(TIMES)]

    assert {case["code"]: TIMES} == of_explain(in_turn) == of_up(in_turn)
    assert {case["code"]: TIMES} == of_explain(at_once) == of_up(at_once)


@pytest.mark.parametrize("case", CASES[:12], ids=[case["name"] for case in CASES[:12]])
def test_where_a_run_is_cut_parts_no_lines_of_one_request(case: dict[str, Any]) -> None:
    """`why401 explain` reads long input in runs: their ends change no answer, wherever they are."""
    lines = case["lines"]
    whole = Explainer(Settings()).explain_all(lines)
    for cut in range(len(lines) + 1):
        runs = Explainer(Settings()).explain_runs([(lines[:cut], True), (lines[cut:], False)])
        answers = [answer for answered in runs for answer in answered]

        assert _shape(whole) == _shape(answers)


def _shape(answers: list[Explanation]) -> list[tuple[int, str]]:
    """For each record the first one that shares its verdict, and the code."""
    first = {id(answer): at for at, answer in reversed(list(enumerate(answers)))}
    return [(first[id(answer)], answer.diagnosis.code if answer.diagnosis else "") for answer in answers]


def test_only_the_end_of_a_run_waits() -> None:
    """Of a long run all but its last records are answered at once, in order, and none is lost."""
    lines = [f"ERROR:app:token of caller {number} has expired" for number in range(3 * MAX_WAITING)]
    answered = [len(each) for each in Explainer(Settings()).explain_runs([(lines, True), (lines, True), ([], False)])]

    assert [2 * MAX_WAITING, 3 * MAX_WAITING, MAX_WAITING] == answered


SAYS = "token signature is invalid"
LOGGED = "2026-03-03 10:00:0{n} ERROR auth: " + SAYS
JSON = '{{"time":"2026-03-03T10:00:0{n}Z","level":"error","msg":"' + SAYS + '"}}'


@pytest.mark.parametrize("logged", [LOGGED, JSON], ids=["text", "json"])
@pytest.mark.parametrize("is_first", [True, False], ids=["printed first", "logged first"])
def test_what_is_printed_and_logged_is_one_refusal(logged: str, *, is_first: bool) -> None:
    """Each of three refusals is printed bare, and again through a logger."""
    lines = [
        line for n in range(3) for line in ((SAYS, logged.format(n=n)) if is_first else (logged.format(n=n), SAYS))
    ]

    assert 3 == len({id(verdict) for verdict in Explainer(Settings()).explain_all(lines)})


def test_what_is_only_printed_stays_what_it_is() -> None:
    """Three requests whose reason is printed, beside another program's refusal for another reason."""
    lines = [SAYS, SAYS, "2026-03-03 10:00:00 ERROR auth: token is expired", SAYS]

    assert 4 == len({id(verdict) for verdict in Explainer(Settings()).explain_all(lines)})
