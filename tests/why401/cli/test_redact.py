"""`why401 redact`: a filter that can stand in any pipe."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.redaction import generated, samples
from tests.waiting import HANG_S
from why401 import filter as module
from why401.cli import main

SECRET = samples.make(4)["opaque"][0]
LINE = f"GET /orders token={SECRET} 401"
COMMAND = [sys.executable, "-m", "why401", "redact"]


def run(*arguments: str, data: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["redact", *arguments], input=data, catch_exceptions=False)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command with pipes on all sides."""
    process = subprocess.Popen(
        [*COMMAND, "--report"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    yield process
    process.kill()
    process.communicate(timeout=HANG_S)


def test_generated_lines_leak_nothing_and_stay_as_many() -> None:
    """Hard lines of every kind go through the command itself."""
    lines = [line for kind in generated.KINDS for line in generated.lines(kind, 9) if "\n" not in line[0]]
    shown = run(data="\n".join(raw for raw, _, _ in lines).encode()).stdout_bytes.decode().split("\n")

    assert len(lines) == len(shown)
    assert [] == [gone for text, (_, gone, _) in zip(shown, lines, strict=True) if any(part in text for part in gone)]


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_as_many_lines_after_as_before(lines: list[bytes], ended: bool) -> None:
    """Invalid UTF-8, NUL and carriage returns included; a last line without a line feed gets none."""
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    shown = run(data=data).stdout_bytes

    assert data.count(b"\n") == shown.count(b"\n")
    assert data.endswith(b"\n") == shown.endswith(b"\n")


def test_what_is_no_secret_comes_out_as_it_went_in() -> None:
    """Bytes that are no UTF-8, line ends of Windows, tabs and colours."""
    data = b"caf\xe9 \xff\xfe\r\n\ttabs  and spaces \r\n\x1b[31mred\x1b[0m\r\n\xe2\x82"

    assert data == run(data=data).stdout_bytes


def test_a_line_comes_out_while_the_next_is_not_there_yet(started: subprocess.Popen[bytes]) -> None:
    """`tail -f | why401 redact | grep` shows a line as soon as it is written."""
    assert started.stdin is not None
    assert started.stdout is not None
    for _ in range(3):
        started.stdin.write(LINE.encode() + b"\n")
        started.stdin.flush()
        assert b"GET /orders token=[secret] 401\n" == started.stdout.readline()


def test_a_terminal_gets_every_line_at_once() -> None:
    """Standard output may be a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=theirs) as process:
        assert process.stdin is not None
        process.stdin.write(LINE.encode() + b"\n")
        process.stdin.flush()
        shown = os.read(ours, 1000)
        process.stdin.close()
        assert 0 == process.wait(HANG_S)
    os.close(ours)
    os.close(theirs)

    assert b"GET /orders token=[secret] 401" == shown.strip()


def test_ctrl_c_ends_quietly_with_the_report(started: subprocess.Popen[bytes]) -> None:
    """No traceback; what was counted until then is told."""
    assert started.stdin is not None
    assert started.stdout is not None
    started.stdin.write(LINE.encode() + b"\n")
    started.stdin.flush()
    started.stdout.readline()
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=HANG_S)

    assert 130 == started.returncode
    assert b"1 found in 1 lines" in errors
    assert b"Traceback" not in errors


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    """As in `why401 redact big.log | head`."""
    shell = f"yes '{LINE}' | {' '.join(COMMAND)} | head -n 2; echo ${{PIPESTATUS[1]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, check=False, timeout=HANG_S)

    assert b"GET /orders token=[secret] 401\n" * 2 + b"141\n" == done.stdout
    assert b"" == done.stderr


def test_check_tells_lines_and_rules_but_no_secret(tmp_path: Path) -> None:
    """For other projects' CI: exit status 1, `file:line: rules`, nothing of the text."""
    file = tmp_path / "build.log"
    file.write_text(f"fine\n{LINE}\nfrom 203.0.113.9 for a@b.example\n")
    other = tmp_path / "other.log"
    other.write_text("fine\nfrom 203.0.113.9 - -\n")

    result = run("--check", str(file), str(other))

    assert 1 == result.exit_code
    assert [f"{file}:2: field", f"{file}:3: email, ip", f"{other}:2: ip"] == result.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "data", "status"),
    [
        ((), b"fine\n", 0),
        ((), b"", 0),
        (("--ignore", "ip"), b"from 203.0.113.9 - -\n", 0),
        (("--ignore", "ip"), b"from 203.0.113.9 token=" + SECRET.encode(), 1),
        (("--ignore", "nonsense"), b"", 2),
        (("/does/not/exist",), b"", 2),
        (("--unknown",), b"", 2),
        (("--records", "json"), b'"token=' + SECRET.encode() + b'"\n', 1),
    ],
)
def test_exit_status_of_check(arguments: tuple[str, ...], data: bytes, status: int) -> None:
    """0 when clean, 1 when anything was found, 2 when the command is wrong."""
    assert status == run("--check", *arguments, data=data).exit_code


def test_report_counts_by_rule() -> None:
    """On standard error, after the text, with lines and bytes."""
    data = f"{LINE}\n203.0.113.9 - - x\n203.0.113.9 - - x\n".encode()
    result = run("--report", data=data)

    assert f"3 found in 3 lines, {len(data)} bytes\n  ip                2\n  field             1\n" == result.stderr
    assert 3 == result.stdout.count("\n")


def test_files_are_read_in_order_with_standard_input_among_them(tmp_path: Path) -> None:
    """`-` is standard input."""
    (tmp_path / "a").write_text("one\n")
    (tmp_path / "b").write_text("three\n")

    assert "one\ntwo\nthree\n" == run(str(tmp_path / "a"), "-", str(tmp_path / "b"), data=b"two\n").stdout


def test_a_very_long_line_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; the word at the cut goes, since it may be half a secret; the next line is whole."""
    monkeypatch.setattr(module, "MAX_LINE", 1000)
    monkeypatch.setattr(module, "CHUNK", 64)
    result = run("--report", data=b"word " * 198 + b"x" * 5000 + b" end\nnext\n")

    assert "word " * 198 + "[line too long: the rest was dropped]\nnext" == result.stdout.replace("  [", " [").strip()
    assert "(cut)             1" in result.stderr


def test_blocks_and_lines_are_cut_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """How the input happens to arrive changes nothing."""
    data = "\n".join(line for line, _, _ in generated.lines("headers", 2)).encode()
    whole = run(data=data).stdout_bytes
    monkeypatch.setattr(module, "CHUNK", 7)

    assert whole == run(data=data).stdout_bytes


def test_it_holds_no_more_than_a_block(tmp_path: Path) -> None:
    """A stream without end takes no more memory after 60 MB than after 6."""
    script = "import resource,sys;from why401.cli import main\ntry: main(['redact'])\nexcept SystemExit: pass\n"
    script += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    peaks = []
    for count in (60_000, 600_000):
        shell = f"yes '203.0.113.9 - - GET /orders/4711/items HTTP/1.1 200 512 curl/8.7.1 {'x' * 20}' | head -n {count} | {sys.executable} -c \"{script}\" > /dev/null"
        done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True, timeout=HANG_S * 4)
        peaks.append(int(done.stderr.split()[-1]))

    assert peaks[1] < peaks[0] + 8_192


def test_check_annotates_for_githubs_runner(tmp_path: Path) -> None:
    """File and line, the rules' names, and nothing of the text."""
    file = tmp_path / "build.log"
    file.write_text(f"fine\n{LINE}\n")
    found = run("--check", "--format", "github", str(file))
    piped = run("--check", "--format", "github", data=LINE.encode())

    assert (1, 1) == (found.exit_code, piped.exit_code)
    assert found.stdout.startswith(f"::error file={file},line=2,title=secret::This line holds: ")
    assert piped.stdout.startswith("::error title=secret::")
    assert SECRET not in found.stdout + piped.stdout
    assert 2 == run("--format", "github", data=b"").exit_code
