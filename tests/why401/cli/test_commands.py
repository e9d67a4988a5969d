"""The other commands: check, init, sql, snapshot, tail, doctor, and a whole run of `up` over files."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from benchmarks.traffic import envoy_json
from collector.settings import load
from tests.brokers import free_ports
from tests.waiting import HANG_S, eventually
from why401.cli import COMMANDS, main


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=text, catch_exceptions=False)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose lake holds what `why401 up` made of a log file: refusals, passes, and lines nobody can read."""
    folder = tmp_path_factory.mktemp("lake")
    lines = [*envoy_json(300, tokens=20), *envoy_json(100, tokens=5, denied=False), "garbage", "{broken", ""]
    (folder / "access.log").write_text("\n".join(lines) + "\n")
    config = folder / "why401.toml"
    config.write_text(f'data_dir = "{folder}/data"\n[otlp]\ngrpc = ""\nhttp = ""\n[telemetry]\nprometheus = ""\n')
    command = [
        sys.executable,
        "-m",
        "why401",
        "up",
        "--config",
        str(config),
        "--file",
        str(folder / "access.log"),
        "--no-follow",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_S)
    assert 0 == done.returncode, done.stderr
    return config


def metric(text: str, name: str, attribute: str = "") -> float:
    """The value of one series in Prometheus' text format."""
    lines = [line for line in text.splitlines() if line.startswith(name) and attribute in line]
    return float(lines[0].rpartition(" ")[2])


def sql(config: Path, query: str) -> list[dict[str, object]]:
    result = run("sql", "--config", str(config), "--json", query)
    assert 0 == result.exit_code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_received_is_stored_plus_dropped(lake: Path) -> None:
    """Every line of the file is accounted for, by reason."""
    rows = {
        (row["counter"], row["reason"]): row["n"]
        for row in sql(lake, "SELECT counter, reason, sum(value)::INT n FROM pipeline GROUP BY ALL")
    }

    assert {
        ("received", ""): 402,
        ("stored", ""): 400,
        ("dropped", "no_parser"): 1,
        ("dropped", "broken_json"): 1,
    } == rows


def test_an_unreadable_line_is_kept_as_a_template(lake: Path) -> None:
    """Counted and shown, not hidden."""
    assert {"garbage"} <= {row["template"] for row in sql(lake, "SELECT template FROM unclassified")}


def test_sql_prints_tables_and_csv(lake: Path) -> None:
    """For people and for spreadsheets."""
    table = run("sql", "--config", str(lake), "SELECT code, failures FROM groups ORDER BY code")
    csv = run("sql", "--config", str(lake), "--csv", "SELECT '=1+1' AS x")

    assert ("code", '"\'=1+1"') == (table.stdout.split()[0], csv.stdout.splitlines()[1])


@pytest.mark.parametrize(
    "query",
    [
        "DROP VIEW failures",
        "SELECT 1; SELECT 2",
        "SELECT * FROM nothing",
        "COPY (SELECT 1) TO 'x.csv'",
        "ATTACH 'x.db'",
    ],
)
def test_sql_refuses_what_is_no_query(lake: Path, query: str) -> None:
    """Exit status 1 and a sentence."""
    result = run("sql", "--config", str(lake), query)

    assert (1, True) == (result.exit_code, bool(result.stderr.strip()))


def test_sql_without_a_query_is_a_shell(lake: Path) -> None:
    """Statements end with a semicolon; Ctrl-D leaves."""
    result = run("sql", "--config", str(lake), text="SELECT count(*) AS n\nFROM failures;\n")

    assert (0, True) == (result.exit_code, "300" in result.stdout)


def test_any_duckdb_attaches_with_the_printed_lines(lake: Path) -> None:
    """`why401 sql --attach` prints what a user pastes."""
    con = duckdb.connect()
    for line in run("sql", "--config", str(lake), "--attach").stdout.splitlines():
        if not line.startswith(("INSTALL", "LOAD")):
            con.execute(line)
        elif line.startswith("INSTALL"):  # no download in a test: the packaged extensions are the same binaries
            _load_packaged(con)

    assert (300,) == con.execute("SELECT count(*) FROM lake.failures").fetchone()


def _load_packaged(con: duckdb.DuckDBPyConnection) -> None:
    from analyzer.lake.attach import load_extension

    for name in ("ducklake", "sqlite_scanner"):
        load_extension(con, name)


def test_a_snapshot_opens_in_plain_duckdb(lake: Path, tmp_path: Path) -> None:
    """Tables and views, no extension."""
    file = tmp_path / "copy.duckdb"
    assert 0 == run("snapshot", "--config", str(lake), str(file)).exit_code

    assert (300,) == duckdb.connect(str(file), read_only=True).execute("SELECT count(*) FROM failures").fetchone()


def test_tail_prints_refusals(lake: Path) -> None:
    """The newest, oldest first."""
    rows = [
        json.loads(line)
        for line in run("tail", "--config", str(lake), "--no-follow", "--json", "-n", "5").stdout.splitlines()
    ]

    assert 5 == len(rows)
    assert {"code", "route", "says"} <= set(rows[0])


def test_init_writes_a_file_that_loads_with_the_defaults(tmp_path: Path) -> None:
    """Every setting stands in it, commented out; it never overwrites."""
    file = tmp_path / "why401.toml"
    assert 0 == run("init", str(file)).exit_code

    assert load(file, {}).store == load(None, {}).store
    assert 1 == run("init", str(file)).exit_code


def test_check_names_what_is_wrong(tmp_path: Path) -> None:
    """Exit status 2; file, key, value and remedy in one line."""
    file = tmp_path / "why401.toml"
    file.write_text("[store]\ncommit_rws = 5\n")

    result = run("check", "--config", str(file))

    assert 2 == result.exit_code
    assert f"{file}: store.commit_rws = 5: unknown setting; did you mean commit_rows?" in result.stderr


def test_a_wrong_format_name_stops_the_start(tmp_path: Path) -> None:
    """Before any record is taken."""
    file = tmp_path / "why401.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n[otlp]\ngateway = "envoi"\n[telemetry]\nprometheus = ""\n')

    result = run("up", "--config", str(file))

    assert (2, True) == (result.exit_code, "otlp.gateway = 'envoi'" in result.stderr)


def test_doctor_finds_what_is_needed() -> None:
    """On this machine everything is there."""
    result = run("doctor")

    assert (0, True) == (result.exit_code, "ducklake" in result.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """--help works without starting anything."""
    assert 0 == run(command, "--help").exit_code


def test_help_lists_every_command() -> None:
    """The table of contents."""
    shown = run("--help").stdout

    assert [] == [name for name in COMMANDS if name not in shown]


def test_up_serves_metrics_and_shows_a_record_within_two_seconds(tmp_path: Path) -> None:
    """OTLP in, visible in SQL soon; Prometheus tells the same counts; SIGTERM ends it with status 0."""
    grpc, http, prometheus = free_ports(3)
    config = tmp_path / "why401.toml"
    config.write_text(
        f'data_dir = "{tmp_path}/data"\n[otlp]\ngrpc = "127.0.0.1:{grpc}"\nhttp = "127.0.0.1:{http}"\n'
        f'[telemetry]\nprometheus = "127.0.0.1:{prometheus}"\n'
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "why401", "up", "--config", str(config)], stderr=log)
    try:
        eventually(lambda: b"ready" in (tmp_path / "log").read_bytes(), "up is ready")
        body = {
            "resourceLogs": [
                {"scopeLogs": [{"logRecords": [{"body": {"stringValue": line}} for line in envoy_json(50, tokens=5)]}]}
            ]
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{http}/v1/logs",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=HANG_S) as answer:
            assert 200 == answer.status
        eventually(lambda: sql(config, "SELECT count(*) AS n FROM failures")[0]["n"] == 50, "the records are visible")
        with urllib.request.urlopen(f"http://127.0.0.1:{prometheus}/metrics", timeout=HANG_S) as answer:
            metrics = answer.read().decode()
        assert 50 == metric(metrics, "why401_records_received_total", 'source="otlp_http"')
        assert 50 == metric(metrics, "why401_events_stored_total")
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(HANG_S)

    assert 0 == status
