"""The sink: what it was given is judged, committed and acknowledged; what cannot be judged is counted and passes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from analyzer.pipeline import Analyzer
from analyzer.store import open_store
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
