"""Files across a restart: what was committed is not read again, what was not is, at any place, and no content is kept."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from pathlib import Path

import pytest

from collector.settings import FileSettings
from collector.sources import file
from collector.sources.file import FileSource
from collector.sources.kept_places import KeptPlaces
from collector.sources.tails import Tail
from collector.telemetry import Telemetry
from tests.intakes import LedgerIntake

KEY = b"a key of this machine"
LINES = [b"2026-11-30T10:00:%02dZ refused %06d%s\n" % (n % 60, n, b"\n  at frame" * (n % 3)) for n in range(3_000)]


def source(path: Path, intake: LedgerIntake, key: bytes = KEY) -> FileSource:
    """A process that begins, with what was committed."""
    made = FileSource(FileSettings(paths=(f"{path}*",)), Telemetry())
    made._kept = KeptPlaces(key, intake.places.values())
    return made


def read(started: FileSource, intake: LedgerIntake, *, to_end: bool = False) -> None:
    stop = threading.Event()
    started._open_new()
    for _ in range(4):
        for tail in started._all():
            started._read(tail, intake, stop)
    if to_end:
        started._last_lines(intake)
    for tail in started._all():
        tail.close()


@pytest.mark.parametrize("committed", range(5))
def test_a_process_that_dies_between_two_commits_loses_and_doubles_nothing(tmp_path: Path, committed: int) -> None:
    """After any number of batches, in the middle of what was read at once, also within a record of several lines."""
    log, intake = tmp_path / "a.log", LedgerIntake(manual=True)
    log.write_bytes(b"".join(LINES))
    read(source(log, intake), intake)
    del intake.waiting[committed:]
    intake.commit_waiting()
    intake.manual = False
    read(source(log, intake), intake, to_end=True)

    found = Counter(item.text for item in intake.items)
    assert Counter(line.decode().rstrip("\n") for line in LINES) == found


@pytest.mark.parametrize("how", ["renamed", "copied", "packed", "grown", "replaced"])
def test_what_happened_to_a_file_meanwhile(tmp_path: Path, how: str) -> None:
    """Its content is known again under any name; another content under the same name is read."""
    log, rotated, intake = tmp_path / "a.log", tmp_path / "a.log.1", LedgerIntake()
    log.write_bytes(b"".join(LINES[:100]))
    read(source(log, intake), intake, to_end=True)
    if how == "renamed":
        log.rename(rotated)
    elif how == "copied":
        rotated.write_bytes(log.read_bytes())
    elif how == "packed":
        (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    with log.open("ab" if how == "grown" else "wb") as out:
        out.writelines(LINES[100:250])
    read(source(log, intake), intake, to_end=True)

    assert Counter(line.decode().rstrip("\n") for line in LINES[:250]) == Counter(item.text for item in intake.items)


def test_nothing_behind_a_gap_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is stopped while it waits for room hands over no last line: the place would be behind what it left out."""
    monkeypatch.setattr(file, "MAX_IN_FLIGHT", 0)
    log, intake, stop = tmp_path / "a.log", LedgerIntake(), threading.Event()
    log.write_bytes(b"".join(LINES[:3]) + b"no line break")
    started = source(log, intake)
    started._open_new()
    stop.set()
    for tail in started._all():
        started._read(tail, intake, stop)
    monkeypatch.undo()
    started._last_lines(intake)

    assert ([], {}) == (intake.items, intake.places)


def test_places_hold_nothing_of_the_content(tmp_path: Path) -> None:
    """Digests differ by key: without it nobody can try which secret a line held."""
    log = tmp_path / "a.log"
    log.write_bytes(b"otp=123456\n")
    tail = Tail(str(log))
    tail.read()
    places = [KeptPlaces(key).place(tail, 11) for key in (KEY, b"another")]
    tail.close()

    assert 4 == len({digest for place in places for digest in (place.head + "h", place.last + "l")})
    assert {(32, 32)} == {(len(place.head), len(place.last)) for place in places}
