"""docs/install.md: the units, the hook and the completion are what the program understands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Final

import click
import pytest
import yaml
from click.testing import CliRunner

from collector.settings import entries
from why401.cli import COMMANDS, main
from why401.cli.completions import SHELLS

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / "compose" / "systemd"
UNITS: Final = sorted(FOLDER.glob("*.service"))
HARDENING: Final = FOLDER / "why401-.service.d" / "hardening.conf"
PAGE: Final = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
TOKEN: Final = "authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU"
RATING: Final = 20  # tenths; systemd calls up to 2.0 "OK"


def service(path: Path) -> dict[str, str]:
    """A unit's [Service]; a key that stands twice is an error."""
    parser = RawConfigParser(delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    parser.read_string(path.read_text(encoding="utf-8"))
    return dict(parser["Service"])


def parsed(words: list[str]) -> str:
    """The command's name; raises what click raises for an option that it does not have."""
    command = main.get_command(click.Context(main), words[1])
    assert command is not None
    command.make_parser(click.Context(command)).parse_args(words[2:])
    return words[1]


def test_every_unit_starts_a_command_and_is_hardened() -> None:
    """The folder's name makes the drop-in that of all units with the prefix."""
    started = {path.name: parsed(shlex.split(service(path)["ExecStart"])) for path in UNITS}

    assert started == {f"why401-{name}.service": name for name in ("analyze", "collect", "dashboard", "up")}
    assert all(f"why401-{name}" in PAGE for name in started.values())


def test_the_environment_is_settings() -> None:
    """A misspelled name would be ignored."""
    names = {word.partition("=")[0] for word in service(HARDENING)["Environment"].split()}
    known = {entry.env for entry in entries()} | {"WHY401_CONFIG", "HOME", "PYTHONUNBUFFERED"}

    assert {"WHY401_CONFIG", "WHY401_DATA_DIR"} <= names <= known


def test_no_token_can_leave_by_a_dump_or_another_process() -> None:
    """What the process asks of itself, too (why401/process.py)."""
    assert {"LimitCORE": "0", "UMask": "0077", "NoNewPrivileges": "yes", "CapabilityBoundingSet": ""}.items() <= (
        service(HARDENING).items()
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    """It knows every directive, and rates the exposure."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "units"))
    for path in folder.glob("*.service"):
        path.write_text(path.read_text(encoding="utf-8").replace("/opt/why401/bin/why401", "/bin/true"))
    units, environ = sorted(map(str, folder.glob("*.service"))), {"SYSTEMD_UNIT_PATH": f"{folder}:"}
    asked = (["verify", *units], ["security", "--offline=yes", f"--threshold={RATING}", *units])
    verified, rated = (
        subprocess.run(
            ["systemd-analyze", *words], env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        for words in asked
    )

    assert (0, "", "") == (verified.returncode, verified.stdout, verified.stderr)
    assert rated.returncode == 0, rated.stdout


def test_the_hook_fails_for_a_token_and_does_not_repeat_it(tmp_path: Path) -> None:
    """pre-commit appends the files' names to the entry."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    bad, good = tmp_path / "bad.log", tmp_path / "good.log"
    bad.write_text(f"{TOKEN}\n")
    good.write_text("GET /orders 401\n")
    words = shlex.split(hook["entry"])
    dirty, clean = (CliRunner().invoke(main, [*words[1:], str(path)]) for path in (bad, good))

    assert words[0] == "why401"
    assert f"id: {hook['id']}" in PAGE
    assert (1, 0) == (dirty.exit_code, clean.exit_code)
    assert "bad.log:1" in dirty.output
    assert "eyJ" not in dirty.output


@pytest.mark.parametrize("shell", SHELLS)
def test_the_completion_is_what_the_shell_takes(shell: str) -> None:
    """The script is click's own, whatever the command is called by; the shell itself finds no fault in it."""
    script = CliRunner().invoke(main, ["completions", shell], prog_name="other").stdout
    asked = CliRunner().invoke(main, [], prog_name="why401", env={"_WHY401_COMPLETE": f"{shell}_source"})

    assert f"why401 completions {shell}" in PAGE
    assert asked.stdout.rstrip() == script.rstrip()
    if shutil.which(shell):
        read = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, timeout=60, check=False)
        assert (0, "") == (read.returncode, read.stderr)


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff on this machine")
def test_groff_reads_the_manual() -> None:
    """Every request and escape is known; what a reader sees has the examples as they are typed."""
    pages = sorted(map(str, (ROOT / "why401" / "man").iterdir()))
    checked, shown = (
        subprocess.run(["groff", "-Kutf8", "-man", *words], capture_output=True, text=True, timeout=60, check=False)
        for words in (["-ww", "-z", *pages], ["-Tutf8", "-rLL=200n", str(ROOT / "why401" / "man" / "why401-redact.1")])
    )

    assert (0, "") == (checked.returncode, checked.stderr)
    assert 'why401 redact --check --ignore ip build.log || echo "the log holds a secret"' in shown.stdout


def test_completion_knows_the_recipes() -> None:
    """A name that is an argument, not a choice."""
    asked = {"_WHY401_COMPLETE": "bash_complete", "COMP_WORDS": "why401 recipe ng", "COMP_CWORD": "2"}

    assert CliRunner().invoke(main, [], prog_name="why401", env=asked).output == "plain,nginx\n"


def test_every_number_has_a_range() -> None:
    """A negative rate or a timeout of 0 is a mistake, and found before anything starts."""
    commands = {name: main.get_command(click.Context(main), name) for name in COMMANDS}
    numbers = [
        (name, parameter.name, parameter.type)
        for name, command in commands.items()
        for parameter in (command.params if command else ())
        if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType)
    ]
    free = [one[:2] for one in numbers if not isinstance(one[2], click.IntRange | click.FloatRange)]

    assert len(numbers) >= 8
    assert free == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("demo --rate -5", "-5.0 is not in the range x>0"),
        ("demo --rate 0", "0.0 is not in the range x>0"),
        ("demo --rate nan", "nan is not a finite number"),
        ("demo --seconds inf", "inf is not a finite number"),
        ("sql --timeout -1 'SELECT 1'", "-1.0 is not in the range x>0"),
        ("tail -n -3", "-3 is not in the range x>=0"),
    ],
)
def test_a_number_that_makes_no_sense_is_a_sentence(words: str, said: str) -> None:
    """Only parsed: without the range, `demo` would start."""
    name, *arguments = shlex.split(words)
    command = main.get_command(click.Context(main), name)

    assert command is not None
    with pytest.raises(click.BadParameter, match=re.escape(said)):
        command.make_context(name, arguments)
