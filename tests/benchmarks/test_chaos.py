"""The chaos test's own promises: its log holds every line once, and a report that found something does not pass."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.chaos.logs import KEPT, Log
from benchmarks.chaos.report import Report


def test_rotating_loses_and_doubles_no_line(tmp_path: Path) -> None:
    """Whatever the order of renames, copies and compressions; else a reader would be blamed."""
    log, chance = Log(tmp_path / "logs"), random.Random(7)
    for _ in range(40):
        log.write(chance.randint(0, 3))
        log.rotate(chance)
    found: Counter[str] = Counter()
    for file in log.folder.iterdir():
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        found.update(json.loads(line)["request_id"] for line in text.splitlines())
    assert (log.written, {1}) == (len(found), set(found.values()))

    log.delete(log.rotated())
    assert KEPT == len(log.rotated())


@pytest.mark.parametrize(
    ("report", "is_kept"),
    [(Report(records=9), True), (Report(lost=1), False), (Report(doubled=1), False), (Report(broken=["sums"]), False)],
)
def test_what_was_found_is_told(report: Report, is_kept: bool) -> None:
    """One line with all figures, and one for each broken promise."""
    told = list(report.lines("service"))

    assert (is_kept, 1 + len(report.broken)) == (report.is_kept, len(told))
    assert f"lost {report.lost}, doubled {report.doubled}" in told[0]
