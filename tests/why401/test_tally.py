"""The summary of a stream: totals, codes and reasons, bounded."""

from __future__ import annotations

from benchmarks.traffic import envoy_json
from collector.settings import Settings
from why401 import tally
from why401.explainer import Explainer
from why401.tally import Tally


def summary(*texts: str) -> list[str]:
    counted = Tally()
    for verdict in Explainer(Settings()).explain_all(texts):
        counted.add(verdict)
    return list(counted.lines())


def test_everything_is_counted_once() -> None:
    """Refused by code, passed, and unread by reason; the total is the number of records."""
    lines = [*envoy_json(5, tokens=2), *envoy_json(3, tokens=2, denied=False), "hello", "", "hello again"]

    first, *rest = summary(*lines)
    assert "11 records: 5 refused, 3 passed, 3 not about a request" == first
    assert [2, 1] == [int(line.split()[0]) for line in rest if "unread" in line]
    assert 5 == sum(int(line.split()[0]) for line in rest if "unread" not in line)


def test_the_summary_is_bounded(monkeypatch) -> None:
    """Many codes: the most frequent, and how many remain."""
    monkeypatch.setattr(tally, "MOST_SHOWN", 2)

    assert summary(*envoy_json(5, tokens=2))[3:] == ["        3  3 more codes"]
