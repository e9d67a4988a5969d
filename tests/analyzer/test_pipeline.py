"""The sink: what it was given is judged, committed and acknowledged; what cannot be judged is counted and passes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from analyzer.pipeline import Analyzer
from analyzer.store import Store, open_store
from analyzer.store.sink import StoreSink
from analyzer.verdicts import Verdict
from collector.events import Event, Origin, Outcome, Request, gateway
from collector.records import Batch, Position
from collector.settings import Settings
from collector.telemetry import Telemetry
from tests.waiting import HANG_S


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[StoreSink]:
    telemetry = Telemetry()
    settings = Settings(data_dir=str(tmp_path))
    sink = StoreSink(settings, open_store(settings, telemetry), telemetry)
    yield sink
    sink.close()


def event(offset: int, route: str = "/orders") -> Event:
    origin = Origin("kafka", "why401.events", 0, offset)
    return Event(
        10**18 + offset, 10**18, origin, gateway("envoy"), Outcome.DENIED, request=Request("GET", route, status=401)
    )


def test_an_event_that_breaks_a_rule_passes_as_a_failed_one(sink: StoreSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between good ones a poisonous event is stored as unread with reason `failed`, and the offset goes past it."""
    judge = Analyzer.judge

    def stumble(analyzer: Analyzer, given: Event) -> Verdict:
        if given.request.route == "/poison":
            raise ZeroDivisionError
        return judge(analyzer, given)

    monkeypatch.setattr(Analyzer, "judge", stumble)
    done: Future[None] = Future()
    sink.write(Batch([event(0), event(1, "/poison"), event(2)], (Position("why401.events", 0, 0, 3),), done))
    sink.flush()

    assert done.result(HANG_S) is None
    assert {0: 3} == sink.positions("why401.events", [0])
    rows = sink._store.rows("SELECT outcome, count(*) FROM store.events GROUP BY 1 ORDER BY 1")
    assert ("denied", 2) in rows


@dataclass(slots=True)
class SlowStore:
    """Each commit takes so long by its clock."""

    takes: float
    now: float = 0.0
    commits: int = 0

    def commit(self, *_: Any) -> None:
        """Let the time pass."""
        self.now += self.takes
        self.commits += 1


@pytest.mark.parametrize(
    ("takes", "early", "late"),
    [(0.01, 0.4, 0.51), (0.1, 0.85, 0.91), (5.0, 0.95, 1.01)],
    ids=["quick: the interval", "nine times what the last one took", "slow: a second"],
)
def test_commits_that_take_long_are_made_seldom(takes: float, early: float, late: float) -> None:
    """The share of time that goes into commits stays small, and nothing waits longer than a second for the next one."""
    slow = SlowStore(takes)
    settings = Settings()
    sink = StoreSink(settings, cast("Store", slow), Telemetry(), clock=lambda: slow.now)
    made = []
    for offset, age in enumerate((0.6, early, late)):
        done: Future[None] = Future()
        began = slow.now
        sink.write(Batch([event(offset)], (Position("why401.events", 0, offset, offset + 1),), done))
        slow.now = began + age
        sink.tick()
        made.append(slow.commits)
        slow.now = began
        if offset == 1:
            sink.flush()

    assert made == [1, 1, 3]
