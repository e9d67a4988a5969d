from __future__ import annotations

import gzip
import os
import socket
import threading
from pathlib import Path

import pytest

from collector.errors import SinkUnavailable
from collector.events import Origin
from collector.settings import FileSettings
from collector.sources import file
from collector.sources.file import FileSource, expand
from collector.sources.lines import MAX_LINE_BYTES
from collector.telemetry import Telemetry
from tests.intakes import LedgerIntake, running
from tests.traces import TRACES
from tests.waiting import eventually

TRACE = TRACES["python, chained, below uvicorn's line"]


def _read(*paths: Path | str, telemetry: Telemetry | None = None) -> LedgerIntake:
    """Everything that the paths hold now."""
    intake, settings = LedgerIntake(), FileSettings(paths=tuple(map(str, paths)), follow=False, gateway="nginx")
    source = FileSource(settings, telemetry or Telemetry())
    with running(source, intake) as stop:
        eventually(lambda: source.is_done, "the end of the files")
        assert not stop.is_set()
    return intake


def _follow(path: Path | str, intake: LedgerIntake, telemetry: Telemetry | None = None):
    return running(FileSource(FileSettings(paths=(str(path),)), telemetry or Telemetry()), intake)


def _texts(intake: LedgerIntake) -> list[str]:
    return [item.text for item in intake.items]


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"one\ntwo\n", [("one", 0), ("two", 4)]),
        (b"one\r\n\r\n  \ntwo", [("one", 0), ("two", 10)]),
        (b'{"a":1}\n{"b":2}\n', [('{"a":1}', 0), ('{"b":2}', 8)]),
        (b"a\xffb\n", [("a\ufffdb", 0)]),
        (b"", []),
    ],
    ids=["lines", "no last line break, CRLF, blanks", "JSON lines", "invalid UTF-8", "empty"],
)
def test_a_record_is_a_line_with_its_byte_offset(tmp_path: Path, content: bytes, expected: list[tuple[str, int]]):
    """The offset leads an operator to the line."""
    path, telemetry = tmp_path / "a.log", Telemetry()
    path.write_bytes(content)
    intake = _read(path, telemetry=telemetry)
    assert [(item.text, item.origin) for item in intake.items] == [
        (text, Origin("file", str(path), offset=offset)) for text, offset in expected
    ]
    assert telemetry.value("why401.records.received", source="file") == len(expected)


def test_globs_and_gzip_are_read(tmp_path: Path):
    """In the order of the names; offsets in a .gz count decompressed bytes."""
    (tmp_path / "b.log").write_bytes(b"b\n")
    (tmp_path / "a.log").write_bytes(b"a\n")
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"c1\n") + gzip.compress(b"c2\n"))
    intake = _read(tmp_path / "*.log", tmp_path / "c.gz")
    assert sorted((item.text, item.origin.offset) for item in intake.items) == [
        ("a", 0),
        ("b", 0),
        ("c1", 0),
        ("c2", 3),
    ]
    assert {item.gateway for item in intake.items} == {"nginx"}


def test_paths_are_named_once_and_folders_never(tmp_path: Path):
    """Overlapping globs do not read a file twice; an absent path is kept, for it may come."""
    (tmp_path / "a.log").touch()
    (tmp_path / "sub.log").mkdir()
    absent = str(tmp_path / "absent.log")
    assert expand((str(tmp_path / "*.log"), str(tmp_path / "a.log"), absent, "-")) == [
        str(tmp_path / "a.log"),
        absent,
        "-",
    ]


@pytest.mark.parametrize(("extra", "cut"), [(0, 0), (1, 1), (700_000, 1)])
def test_a_line_too_long_keeps_its_beginning_and_is_counted(tmp_path: Path, extra: int, cut: int):
    """Memory stays bounded, and the offset of the next line is right."""
    path, telemetry = tmp_path / "a.log", Telemetry()
    path.write_bytes(b"x" * (MAX_LINE_BYTES + extra) + b"\nnext\n")
    intake = _read(path, telemetry=telemetry)
    assert [(len(item.text), item.origin.offset) for item in intake.items] == [
        (MAX_LINE_BYTES, 0),
        (4, MAX_LINE_BYTES + extra + 1),
    ]
    assert telemetry.value("why401.errors", stage="file", kind="record_cut") == cut


def test_absent_and_broken_files_are_counted_and_the_others_read(tmp_path: Path):
    """One bad file does not stop the rest; what could be read of it stays."""
    broken = gzip.compress(b"kept\n" * 100_000)
    (tmp_path / "broken.gz").write_bytes(broken[: len(broken) - 4])
    (tmp_path / "good.log").write_bytes(b"good\n")
    telemetry = Telemetry()
    intake = _read(tmp_path / "absent.log", tmp_path / "broken.gz", tmp_path / "good.log", telemetry=telemetry)
    assert telemetry.by("why401.errors", "kind") == {"FileNotFoundError": 1, "EOFError": 1}
    assert "good" in _texts(intake)
    assert _texts(intake).count("kept") > 0


def test_a_growing_file_is_followed_and_half_a_line_waits(tmp_path: Path):
    """A line counts when its line break is there."""
    path, intake = tmp_path / "a.log", LedgerIntake()
    path.write_bytes(b"one\ntw")
    with _follow(path, intake):
        eventually(lambda: _texts(intake) == ["one"], "the whole line")
        _append(path, b"o\nthree\n")
        eventually(lambda: len(intake.items) >= 3, "the rest")
    assert _texts(intake) == ["one", "two", "three"]


def test_rotation_by_name_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is still written to the old file is read, and the new one from its beginning."""
    monkeypatch.setattr(file, "LEAVING_SECONDS", 600.0)
    path, intake = tmp_path / "a.log", LedgerIntake()
    path.write_bytes(b"old\n")
    with _follow(path, intake):
        eventually(lambda: len(intake.items) >= 1, "the first line")
        path.rename(tmp_path / "a.log.1")
        path.write_bytes(b"new\n")
        eventually(lambda: len(intake.items) >= 2, "the first line of the new file")
        _append(tmp_path / "a.log.1", b"last of the old\n")  # the program was not told yet
        eventually(lambda: len(intake.items) >= 3, "all lines")
    assert _texts(intake) == ["old", "new", "last of the old"]


def test_truncation_in_place_begins_anew(tmp_path: Path):
    """copytruncate keeps the inode and cuts the length."""
    path, intake = tmp_path / "a.log", LedgerIntake()
    path.write_bytes(b"a long first line\n")
    with _follow(path, intake):
        eventually(lambda: len(intake.items) >= 1, "the first line")
        os.truncate(path, 0)
        _append(path, b"short\n")
        eventually(lambda: len(intake.items) >= 2, "the line after the truncation")
    assert [(item.text, item.origin.offset) for item in intake.items] == [("a long first line", 0), ("short", 0)]


def test_a_file_that_comes_later_is_found(tmp_path: Path):
    """A gateway may start after us."""
    intake = LedgerIntake()
    with _follow(tmp_path / "*.log", intake):
        (tmp_path / "late.log").write_bytes(b"late\n")
        eventually(lambda: _texts(intake) == ["late"], "the new file")


@pytest.mark.parametrize("follow", [True, False])
def test_standard_input_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch, follow: bool):
    """A pipe that closes ends the source, followed or not."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end) as stdin, os.fdopen(write_end, "wb") as writer:
        monkeypatch.setattr("sys.stdin", stdin)
        intake, source = LedgerIntake(), FileSource(FileSettings(paths=("-",), follow=follow), Telemetry())
        with running(source, intake):
            writer.write(b"one\ntwo")
            writer.flush()
            eventually(lambda: _texts(intake) == ["one"], "the whole line")
            writer.close()
            eventually(lambda: source.is_done, "the end")
    assert [(item.text, item.origin) for item in intake.items] == [
        ("one", Origin("file", "-", offset=0)),
        ("two", Origin("file", "-", offset=4)),
    ]


def test_silent_standard_input_does_not_hold_up_the_stop(monkeypatch: pytest.MonkeyPatch):
    """`running` fails when the source does not return."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end) as stdin, os.fdopen(write_end, "wb"):
        monkeypatch.setattr("sys.stdin", stdin)
        with running(FileSource(FileSettings(paths=("-",)), Telemetry()), LedgerIntake()):
            pass


def test_backpressure_waits_and_loses_nothing(tmp_path: Path):
    """A file does not go away; its reader waits for room."""
    path, intake = tmp_path / "a.log", LedgerIntake(manual=True, room=1)
    path.write_bytes(b"".join(b"%d\n" % n for n in range(5_000)))
    with _follow(path, intake):
        eventually(lambda: intake.refused, "backpressure")
        eventually(lambda: intake.commit_waiting() or len(intake.items) >= 5_000, "all lines")
    assert _texts(intake) == [str(n) for n in range(5_000)]


def test_a_batch_that_was_not_made_durable_is_offered_again(tmp_path: Path):
    """The end of the files is reached only when all of them are durable."""
    path, intake = tmp_path / "a.log", LedgerIntake(manual=True)
    path.write_bytes(b"one\n")
    source = FileSource(FileSettings(paths=(str(path),), follow=False), Telemetry())
    with running(source, intake):
        eventually(lambda: intake.waiting, "the batch")
        intake.fail_waiting(SinkUnavailable("store", "gone"))
        eventually(lambda: intake.waiting, "the batch again")
        assert not source.is_done
        intake.commit_waiting()
        eventually(lambda: source.is_done, "the end")
    assert _texts(intake) == ["one"]


def test_a_stack_trace_is_one_record(tmp_path: Path):
    """The lines below an exception belong to it, at the end of a file too."""
    text = (
        "2026-03-03 10:00:00 ERROR o.s.s.o.s.r.a.JwtAuthenticationProvider - failed\n"
        "org.springframework.security.oauth2.jwt.BadJwtException: Jwt expired\n"
        "\tat org.springframework.Foo.bar(Foo.java:1)\n"
        "2026-03-03 10:00:01 INFO next\n"
    )
    log = tmp_path / "app.log"
    log.write_text(text)
    intake = LedgerIntake()

    FileSource(FileSettings(paths=(str(log),), follow=False), Telemetry()).run(intake, threading.Event())

    assert [3, 1] == [len(record.text.splitlines()) for record in intake.items]


def test_a_trace_without_a_last_line_break_is_one_record(tmp_path: Path):
    """The end of a file is not the end of a record before its last line."""
    (tmp_path / "app.log").write_text(TRACE)

    assert [TRACE] == _texts(_read(tmp_path / "app.log"))


def test_a_trace_that_is_written_line_by_line_is_one_record(tmp_path: Path):
    """Neither a pause between two lines nor half a line ends it, as long as what is there goes on with it."""
    intake, path = LedgerIntake(), tmp_path / "app.log"
    path.write_text("")
    with _follow(path, intake):
        for line in TRACE.splitlines(keepends=True):
            _append(path, line[:20].encode())
            threading.Event().wait(0.02)
            _append(path, line[20:].encode())
        _append(path, b"\nINFO:     next\n")
        eventually(lambda: "INFO:     next" in _texts(intake), "the next record")

    assert [TRACE, "INFO:     next"] == _texts(intake)


def test_what_is_no_regular_file_holds_nobody_up(tmp_path: Path):
    """A FIFO without a writer, a socket and a device beside a log: the log is read, the others are told once each."""
    os.mkfifo(tmp_path / "a.log")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "b.log"))
        (tmp_path / "c.log").symlink_to("/dev/zero")
        (tmp_path / "d.log").write_bytes(b"read\n")
        telemetry = Telemetry()
        intake = _read(tmp_path / "*.log", telemetry=telemetry)

    assert ["read"] == _texts(intake)
    assert 3 == sum(telemetry.by("why401.errors", "kind").values())


def test_a_fifo_that_is_named_is_read_as_it_is_written(tmp_path: Path):
    """It waits for its writer without holding up the others."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.log").write_bytes(b"file\n")
    intake, settings = LedgerIntake(), FileSettings(paths=(str(tmp_path / "pipe"), str(tmp_path / "a.log")))
    with running(FileSource(settings, Telemetry()), intake):
        eventually(lambda: _texts(intake) == ["file"], "the file")
        (tmp_path / "pipe").write_bytes(b"pipe\n")
        eventually(lambda: _texts(intake) == ["file", "pipe"], "the pipe")


def test_a_gz_that_is_still_written_is_read_as_far_as_it_is(tmp_path: Path):
    """What is readable is stored at once, the rest when it comes, and nothing twice."""
    lines = [f"{n} {os.urandom(20).hex()}" for n in range(5_000)]
    data = gzip.compress("".join(f"{line}\n" for line in lines).encode())
    path, intake = tmp_path / "a.log.gz", LedgerIntake()
    path.write_bytes(data[: len(data) // 2])
    with _follow(path, intake):
        eventually(lambda: len(intake.items) > 1_000, "what can be read")
        _append(path, data[len(data) // 2 :])
        eventually(lambda: len(intake.items) >= len(lines), "the rest")
    assert lines == _texts(intake)


@pytest.mark.parametrize("longer", [0, 1], ids=["equal size", "larger"])
def test_a_file_that_was_rewritten_between_two_polls_is_read_anew(tmp_path: Path, longer: int):
    """Its size says nothing; what was read of it does."""
    path, intake = tmp_path / "a.log", LedgerIntake()
    path.write_bytes(b"first content\n")
    with _follow(path, intake):
        eventually(lambda: len(intake.items) >= 1, "the first line")
        path.write_bytes(b"other content\n" + b"more\n" * longer)
        eventually(lambda: len(intake.items) >= 2 + longer, "the new lines")
    assert ["first content", "other content", *["more"] * longer] == _texts(intake)


def test_the_last_line_without_a_line_break_is_stored_at_stop(tmp_path: Path):
    """Once."""
    path, intake = tmp_path / "a.log", LedgerIntake()
    path.write_bytes(b"one\nhalf a li")
    with _follow(path, intake):
        eventually(lambda: _texts(intake) == ["one"], "the whole line")
    assert ["one", "half a li"] == _texts(intake)


def test_a_name_that_another_file_has_now_is_read_again(tmp_path: Path):
    """a.log.1.gz of tomorrow is not the one of today."""
    path, intake = tmp_path / "a.log.1.gz", LedgerIntake()
    path.write_bytes(gzip.compress(b"today\n"))
    with _follow(path, intake):
        eventually(lambda: len(intake.items) >= 1, "the first file")
        (tmp_path / "new").write_bytes(gzip.compress(b"tomorrow\n"))
        (tmp_path / "new").replace(path)
        eventually(lambda: len(intake.items) >= 2, "the second file")
    assert ["today", "tomorrow"] == _texts(intake)
