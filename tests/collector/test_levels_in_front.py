"""What a line says of its level survives what is peeled off in front of it."""

from __future__ import annotations

import pytest

from collector.events import Origin
from collector.records import RawRecord
from collector.shippers import peel

ARRIVED = 1_772_532_005 * 10**9  # 2026-03-03T10:00:05Z


def peeled(text: str) -> RawRecord:
    """The record behind its prefixes."""
    return peel(RawRecord(Origin("file"), ARRIVED, text=text))


@pytest.mark.parametrize("level", ["WARN", "ERROR", "info", "CRITICAL"])
def test_a_level_is_not_a_host(level: str) -> None:
    """`TIME WARN auth: …` is a logger's layout, `TIME web-1 auth: …` is journald's."""
    line = f"2026-03-03T10:00:00Z {level} auth: the jti was used before"

    assert line == peeled(line).text
    assert "the jti was used before" == peeled(line.replace(level, "web-1")).text
