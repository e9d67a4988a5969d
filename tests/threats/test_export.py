"""Threats of what leaves: CSV that a spreadsheet runs, text that a terminal obeys, files that others read, names in options."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import ConfigurationError
from dashboard import frame_csv
from tests.threats.hostile import PAYLOADS, lines
from tests.waiting import HANG_S
from why401.cli import main

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "  @")
STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def run(config: Path, *arguments: str) -> Result:
    command, *rest = arguments
    return CliRunner().invoke(main, [command, "--config", str(config), *rest], catch_exceptions=False)


def steering(text: str) -> set[str]:
    """Characters that move a cursor, turn the direction of writing, or hide; a line break and what colours are is ours."""
    return {char for char in text if unicodedata.category(char) in STEERING} - {"\n"}


@pytest.mark.parametrize("start", STARTS)
def test_no_cell_is_a_formula(start: str, hostile: Path) -> None:
    """Each dangerous start, from the page and from the command line, parses back as text behind an apostrophe."""
    payload = f'{start}cmd|"/c calc"!A1'
    escaped = payload.replace("'", "''")
    frame = pd.DataFrame({"x": [payload], "list": [[payload]]})
    page = list(csv.reader(io.StringIO(frame_csv.to_csv(frame), newline="")))[1]
    printed = run(hostile, "sql", "--csv", f"SELECT '{escaped}' AS x").stdout_bytes.decode()
    terminal = list(csv.reader(io.StringIO(printed, newline="")))[1]

    assert ["'", "'"] == [page[0][0], terminal[0][0]]
    assert [] == [cell for cell in (*page, *terminal) if cell.lstrip(" ").startswith(STARTS)]


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_csv_comes_back_cell_by_cell(values: list[str]) -> None:
    """Whatever the text, one row stays one row of as many cells, none a formula, none with a steering character."""
    table = list(csv.reader(io.StringIO(frame_csv.to_csv(pd.DataFrame([values])), newline="")))

    assert (2, len(values)) == (len(table), len(table[1]))
    assert [] == [cell for cell in table[1] if cell.lstrip(" ").startswith(STARTS) or steering(cell)]


def test_the_real_export_of_hostile_data_is_harmless(hostile: Path) -> None:
    """Every string of every failure, as CSV."""
    printed = run(hostile, "sql", "--csv", "SELECT * FROM failures").stdout_bytes.decode()
    rows = list(csv.reader(io.StringIO(printed, newline="")))

    assert {len(rows[0])} == {len(row) for row in rows}
    assert [] == [cell for row in rows for cell in row if cell[:1] in ("=", "@", "+") or steering(cell)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("tail", "--no-follow", "-n", "100"),
        ("tail", "--no-follow", "-n", "100", "--json"),
        ("sql", "SELECT * FROM failures"),
        ("sql", "--json", "SELECT * FROM failures"),
        ("sql", "--csv", "SELECT * FROM failures"),
        ("sql", "SELECT issuers, title, evidence, parts FROM groups"),
        ("sql", "SELECT template FROM unclassified"),
    ],
    ids=" ".join,
)
def test_no_terminal_obeys_what_was_stored(arguments: tuple[str, ...], hostile: Path) -> None:
    """CRLF, ANSI, C1, OSC 8 links, bidirectional and zero-width characters are written as codes; look-alikes too."""
    shown = run(hostile, *arguments)

    assert (0, set()) == (shown.exit_code, steering(shown.stdout))
    assert shown.stdout.strip()
    assert "--json" in arguments or "ex\u0430mple" not in shown.stdout


def test_json_keeps_the_values(hostile: Path) -> None:
    """Escaped for the terminal, and still the exact value for a program."""
    rows = [
        json.loads(line)
        for line in run(hostile, "sql", "--json", "SELECT DISTINCT issuer FROM failures").stdout.splitlines()
    ]

    assert "https://id.ex\u0430mple.com" in {row["issuer"] for row in rows}


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["words", "json"])
def test_explain_shows_hostile_records_as_text(form: tuple[str, ...], tmp_path: Path) -> None:
    """The same for records that are explained and never stored."""
    (tmp_path / "access.log").write_text("\n".join(lines(1)) + "\n")
    result = CliRunner().invoke(main, ["explain", *form, str(tmp_path / "access.log")], catch_exceptions=False)

    assert (0, set()) == (result.exit_code, steering(result.stdout))
    assert len(PAYLOADS) <= len([line for line in result.stdout.splitlines() if line.strip()])


def test_a_hostile_column_name_is_text(hostile: Path) -> None:
    """An alias is what the asker wrote; it may have been pasted."""
    for form in ("--table", "--csv", "--json"):
        shown = run(hostile, "sql", form, 'SELECT 1 AS "=1+\x1b[31m\u202e"').stdout

        assert set() == steering(shown)
        assert form != "--csv" or shown.startswith("\"'=")


def test_an_error_message_steers_nothing(hostile: Path) -> None:
    """DuckDB quotes the statement in its errors."""
    shown = run(hostile, "sql", 'SELECT * FROM "\x1b]0;title\x07\u202e"')

    assert (1, set()) == (shown.exit_code, steering(shown.stderr))


@pytest.mark.parametrize("option", ["--data-dir", "--grant", "--revoke", "--client", "--address"])
@pytest.mark.parametrize(
    "value", ["'; DROP VIEW failures; --", "x' AS lake; ATTACH ':memory:' AS other; --", "../../x", "\x1b[31m"]
)
def test_options_are_values(option: str, value: str, hostile: Path, tmp_path: Path) -> None:
    """SQL injection and path tricks in options of `why401 sql`: refused or harmless, and the lake answers as before."""
    where = ["--data-dir", str(tmp_path / "quoted'dir")] if option != "--data-dir" else []
    serve = ["--serve"] if option in ("--client", "--address") else []
    result = CliRunner().invoke(
        main,
        ["sql", *where, *serve, option, value, *([] if serve or option in ("--grant", "--revoke") else ["SELECT 1"])],
    )

    assert result.exit_code != 0 or option == "--revoke"
    assert not (tmp_path / "x").exists()
    assert 0 == run(hostile, "sql", "SELECT count(*) FROM failures").exit_code


def test_a_quote_in_a_path_is_part_of_the_path(hostile: Path, tmp_path: Path) -> None:
    """`why401 snapshot "it's here.duckdb"` writes that file, private, whatever the umask."""
    file = tmp_path / "it's; DETACH lake; --.duckdb"
    before = os.umask(0)
    try:
        assert 0 == run(hostile, "snapshot", str(file)).exit_code
    finally:
        os.umask(before)

    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert duckdb.connect(str(file), read_only=True).execute("SELECT count(*) FROM failures").fetchone() != (0,)


def test_the_log_of_a_hostile_run_is_plain_text(hostile: Path, tmp_path: Path) -> None:
    """Our own log says nothing of what came in: no steering character, no line that a record brought."""
    (tmp_path / "access.log").write_text("\n".join(lines(1)) + "\n")
    command = [
        sys.executable,
        "-m",
        "why401",
        "up",
        "--config",
        str(hostile),
        "--data-dir",
        str(tmp_path / "data"),
    ]
    done = subprocess.run(
        [*command, "--file", str(tmp_path / "access.log"), "--no-follow"],
        capture_output=True,
        check=False,
        timeout=HANG_S,
    )

    assert (0, set()) == (done.returncode, steering(done.stderr.decode()))
    assert "forged" not in done.stderr.decode()


def test_a_client_name_is_a_name() -> None:
    """What stands in the audit log and in a terminal is a plain word."""
    from why401.sql_server.client_tokens import ClientTokens

    for name in ("", "a b", "x" * 65, "ё", "a\nb", "=1"):
        with pytest.raises(ConfigurationError):
            ClientTokens(Path("never-written")).grant(name, 1)
    assert not Path("never-written").exists()
