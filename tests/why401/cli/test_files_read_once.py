"""Old logs: `why401 up --no-follow` ends with a summary, and `why401 explain` reads several files as one stream."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.traffic import envoy_json
from tests.waiting import HANG_S
from why401.cli import main

LINES = "\n".join([*envoy_json(8, tokens=2), *envoy_json(3, tokens=2, denied=False), "hello world"]) + "\n"
ERROR = '2026/03/03 10:00:0{n} [error] 7#7: *{n} JWT verification failed: "exp" claim expired, client: 192.0.2.{n}, server: _, request: "GET /a HTTP/1.1"'
ACCESS = '192.0.2.{n} - - [03/Mar/2026:10:00:0{n} +0000] "GET /a HTTP/1.1" 401 12 "-" "curl/8"'


def up(folder: Path, *arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Without any configuration: with a default OTLP receiver it would never end."""
    command = [sys.executable, "-m", "why401", "up", "--data-dir", "lake", *arguments, "--no-follow"]
    return subprocess.run(command, cwd=folder, input=text, capture_output=True, check=False, timeout=HANG_S)


@pytest.mark.parametrize("kind", ["file", "gzip", "stdin"])
def test_up_ends_with_the_files_and_sums_up(tmp_path: Path, kind: str) -> None:
    """Exit status 0, and a count of everything that was read."""
    path = tmp_path / ("access.log.gz" if kind == "gzip" else "access.log")
    path.write_bytes(gzip.compress(LINES.encode()) if kind == "gzip" else LINES.encode())
    done = up(tmp_path, "--file", "-", text=LINES.encode()) if kind == "stdin" else up(tmp_path, "--file", str(path))

    assert (0, "12 records: 8 refused, 3 passed, 1 not about a request") == (
        done.returncode,
        done.stdout.decode().splitlines()[0],
    ), done.stderr


@pytest.mark.parametrize(
    ("name", "says"), [("gone.log", "No such file"), (".", "is a folder"), ("*.txt", "matches no file")]
)
def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, name: str, says: str) -> None:
    """Exit status 2 and a sentence, before a lake is made."""
    done = up(tmp_path, "--file", str(tmp_path / name))

    assert (2, True, False) == (done.returncode, says in done.stderr.decode(), (tmp_path / "lake").exists())


def explained(*arguments: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(main, ["explain", "--json", *arguments], catch_exceptions=False)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_files_are_one_stream_in_the_order_of_time(tmp_path: Path) -> None:
    """nginx writes the reason to one file and the status to another: the lines of a request share one answer."""
    (tmp_path / "error.log").write_text("\n".join(ERROR.format(n=n) for n in range(1, 6)) + "\n")
    (tmp_path / "access.log").write_text("\n".join(ACCESS.format(n=n) for n in range(1, 6)) + "\n")
    found = explained(str(tmp_path / "error.log"), str(tmp_path / "access.log"))

    times = [each["event"]["time_unix_nano"] for each in found]  # type: ignore[index]
    assert (10, {401}) == (len(found), {each["event"]["http.response.status_code"] for each in found})  # type: ignore[index]
    assert ({"token_expired"}, sorted(times)) == ({each["code"] for each in found}, times)


def test_only_refusals_are_shown(tmp_path: Path) -> None:
    """`--failed` hides what passed and what is no record; the summary still counts them."""
    (tmp_path / "access.log").write_text(LINES)
    shown = CliRunner().invoke(main, ["explain", "--failed", str(tmp_path / "access.log")], catch_exceptions=False)

    assert 8 == len(explained("--failed", str(tmp_path / "access.log")))
    assert (False, False, True) == (
        "✓ ok" in shown.stdout,
        "not a refusal" in shown.stdout,
        "12 records: 8 refused, 3 passed, 1 not about a request" in shown.stdout,
    )
