"""Threats to the store and to what runs beside it: floods of names, files that others read, dumps, clocks that tell secrets."""

from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.name_bounds import ADMIT, LIMITS
from benchmarks.flood import REAL_EVENTS, flood
from benchmarks.traffic import envoy_json
from collector.settings import Settings, StoreSettings
from tests.brokers import free_ports
from tests.threats.conftest import CONFIG
from tests.waiting import HANG_S, eventually

ROOT = Path(__file__).parents[2]
FLOOD = 20_000  # `make soak ARGS=flood` takes the full million
# Beside the limit there are names that were pushed out again and whose rows stay: one per ADMIT meetings at most.
NAMES = {
    "issuer": "issuer",
    "kid": "kid",
    "client_id": "client",
    "route": "route",
    "host": "host",
    "user_agent": "agent",
}


def test_a_flood_of_names_is_bounded_and_hides_nothing(tmp_path: Path) -> None:
    """Cardinality explosion: names, groups and memory stay bounded, every event is stored, a real new cause has its group."""
    settings = replace(Settings(), data_dir=str(tmp_path / "data"), store=StoreSettings(memory_mib=512))
    seen = flood(settings, FLOOD)

    assert FLOOD == seen.stored
    assert {} == {name: count for name, count in seen.names.items() if count > LIMITS[NAMES[name]] + 10}
    assert seen.groups <= LIMITS["issuer"] + 10
    assert seen.real_failures >= REAL_EVENTS - ADMIT
    assert seen.grown_mib < 200  # most of it is DuckDB's; the soak holds it for a million


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def modes(folder: Path) -> dict[str, str]:
    """Everything below a folder that somebody else could open, with its mode."""
    found = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in found
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    }


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_what_is_written_is_private(umask: int, tmp_path: Path) -> None:
    """File permissions: data directory 0700; catalog, Parquet, key, tokens, audit log and snapshot 0600, whatever the umask."""
    config = tmp_path / "why401.toml"
    config.write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "access.log").write_text("\n".join(envoy_json(1_500, tokens=20)) + "\n")
    here = ("--config", str(config))
    _under(umask, "up", *here, "--file", str(tmp_path / "access.log"), "--no-follow")
    _under(umask, "sql", *here, "--grant", "somebody")
    _under(umask, "sql", *here, "SELECT count(*) FROM failures")
    _under(umask, "snapshot", *here, str(tmp_path / "data" / "copy.duckdb"))

    names = {path.name for path in (tmp_path / "data").rglob("*")}
    assert {"catalog.sqlite", "pseudonym.key", "sql-tokens.json", "sql-audit.jsonl", "copy.duckdb"} <= names
    assert list((tmp_path / "data").rglob("*.parquet"))
    assert {} == modes(tmp_path / "data")


def _under(umask: int, *arguments: str) -> None:
    command = [sys.executable, "-m", "why401", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_S, umask=umask)
    assert 0 == done.returncode, done.stderr


# ── memory ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("command", ["up", "sql --serve"])
def test_no_core_dump_holds_a_token(command: str, real_lake: Path, tmp_path: Path) -> None:
    """Core dumps: RLIMIT_CORE is 0 for good in every process, children included."""
    grpc, http, remote = free_ports(3)
    arguments = command.split()
    config = real_lake
    if command == "up":
        config = tmp_path / "why401.toml"
        ports = f'[otlp]\ngrpc = "127.0.0.1:{grpc}"\nhttp = "127.0.0.1:{http}"\n[telemetry]\nprometheus = ""\n'
        config.write_text(f'data_dir = "{tmp_path}/data"\n{ports}')
    else:
        arguments += ["--address", f"127.0.0.1:{remote}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "why401", *arguments, "--config", str(config)], stdout=log, stderr=log
        )
    try:
        eventually(lambda: "ready" in (tmp_path / "log").read_text(), f"{command} is ready")
        watched = [process.pid, *_children(process.pid)]

        assert ["0 0"] * len(watched) == [_core_limit(pid) for pid in watched]
        assert command == "up" or len(watched) == 2  # the supervisor and the server
    finally:
        process.terminate()
        process.wait(HANG_S)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _core_limit(pid: int) -> str:
    line = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if "core file" in line)
    return " ".join(line.split()[4:6])


@pytest.mark.skipif(sys.platform != "linux", reason="prctl")
def test_the_process_is_not_dumpable() -> None:
    """A core_pattern that is a pipe ignores RLIMIT_CORE, and a debugger needs no core: the kernel is told to refuse both."""
    asked = (
        "import ctypes; from why401 import process; from collector.settings import Settings\n"
        "libc = ctypes.CDLL(None); before = libc.prctl(3, 0, 0, 0, 0)\n"
        "process.start_process(Settings()); print(before, libc.prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False, timeout=HANG_S)

    assert "1 0" == done.stdout.strip(), done.stderr


def test_every_process_that_runs_on_is_started_so() -> None:
    """Each long-running command calls start_process or no_core_dumps before it reads a record."""
    commands = ("cli/up", "cli/collect", "cli/analyze", "sql_server/serve", "sql_server/server")
    sources = {name: (ROOT / f"why401/{name}.py").read_text("utf-8") for name in commands}

    assert [] == [
        name for name, text in sources.items() if "start_process(" not in text and "no_core_dumps(" not in text
    ]


# ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

SECRET_WORDS = (
    "token",
    "secret",
    "password",
    "digest",
    "sha256",
    "signature",
    "mac",
    "credential",
    "bearer",
    "presented",
)
# Comparisons of such names that compare no secret: kinds, lengths, emptiness, and digests in sets of digests.
PUBLIC = {"kind", "size", "length", "len", "token_kind"}


def test_secrets_are_compared_in_constant_time() -> None:
    """Timing: no `==` on a secret in what decides who comes in; bearer tokens meet compare_digest or a digest's lookup."""
    places = [
        "collector/sources",
        "collector/redaction/pseudonyms.py",
        "dashboard",
        "why401/sql_server",
        "why401/cli",
        "why401/whois.py",
    ]
    modules = {place: _modules(place) for place in places}

    assert [] == [place for place, paths in modules.items() if not paths]
    assert [] == sorted({hit for paths in modules.values() for path in paths for hit in _compared(path)})
    assert "compare_digest" in (ROOT / "collector/sources/otlp/senders.py").read_text("utf-8")


def _modules(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))


def _compared(path: Path) -> list[str]:
    hits = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue  # with a word of ours
        names = {_name(side) for side in sides}
        if any(word in name for name in names for word in SECRET_WORDS) and not names & PUBLIC:
            hits.append(f"{path.relative_to(ROOT)}: {ast.unparse(node)}")
    return hits


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _name(node.func)
    return (
        node.attr.lower() if isinstance(node, ast.Attribute) else node.id.lower() if isinstance(node, ast.Name) else ""
    )


def test_that_search_finds_a_planted_comparison(tmp_path: Path) -> None:
    """The rule is not empty."""
    (tmp_path / "x.py").write_text("def f(token, known):\n    return token == known.secret\n")
    planted = ast.parse((tmp_path / "x.py").read_text())
    node = next(node for node in ast.walk(planted) if isinstance(node, ast.Compare))

    assert {"token", "secret"} == {_name(node.left), _name(node.comparators[0])}


# ── readers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reader_that_never_ends_does_not_hold_the_writer(real_lake: Path, tmp_path: Path) -> None:
    """While `why401 sql` runs a cross join of the world, commits go through."""
    from tests.threats.conftest import fill

    endless = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b, (SELECT count(*) FROM failures)"
    command = [sys.executable, "-m", "why401", "sql", "--config", str(real_lake), "--timeout", "3600", "--json"]
    reader = subprocess.Popen([*command, endless], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (tmp_path / "more.log").write_text("\n".join(envoy_json(10, tokens=2, denied=False)) + "\n")
    done = threading.Event()
    writer = threading.Thread(target=lambda: (fill(real_lake, tmp_path / "more.log"), done.set()), daemon=True)
    try:
        eventually(lambda: _cpu_seconds(reader.pid) > 5 or reader.poll() is not None, "the query is running")
        assert None is reader.poll()
        writer.start()
        assert done.wait(HANG_S)
    finally:
        reader.kill()
        reader.wait(HANG_S)


def _cpu_seconds(pid: int) -> float:
    """What a process has used so far: starting takes two of them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_hostile_lake_answers_every_view(hostile: Path) -> None:
    """What outsiders wrote is stored as values: each view is read to its end, lone surrogates and NUL included."""
    from click.testing import CliRunner

    from analyzer.lake.allow_list import VIEWS
    from why401.cli import main

    for view in VIEWS:
        result = CliRunner().invoke(main, ["sql", "--config", str(hostile), "--json", f"SELECT * FROM {view}"])

        assert 0 == result.exit_code, (view, result.stderr)
        assert [] == [line for line in result.stdout.splitlines() if not isinstance(json.loads(line), dict)]
