"""The fuzzer's targets without a fuzzer: every seed, every input it kept and every crash it found keeps its promises."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from collector.redaction import Redacted
from fuzz.engine import FOLDER, MAX_INPUT
from fuzz.stages import MAX_SEED, PLANTED, leaked
from fuzz.targets import TARGETS
from tests.waiting import HANG_S

MAX_FILES = 300


def target(name: str) -> ModuleType:
    return import_module(f"fuzz.targets.{name}")


def kept(folder: str, name: str = "") -> list[Path]:
    return sorted(path for path in (FOLDER / folder / name).rglob("*") if path.is_file())


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_keeps_its_promises(name: str) -> None:
    """Seeds and kept inputs of a target."""
    module = target(name)
    inputs = [*module.seeds(), *(path.read_bytes() for path in kept("corpus", name))]
    assert inputs
    for data in inputs:
        module.check(data[:MAX_INPUT])


@pytest.mark.parametrize("path", kept("crashes"), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_crash_stays_mended(path: Path) -> None:
    """What once broke a promise does not any more."""
    target(path.parent.name).check(path.read_bytes())


def test_every_target_is_listed_and_nothing_else_is_kept() -> None:
    """A target's file, its corpus and its crashes have its name; what is kept is little and small."""
    modules = {path.stem for path in (FOLDER / "targets").glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in [*kept("corpus"), *kept("crashes")]}
    files = [*kept("corpus"), *kept("crashes")]

    assert set(TARGETS) == modules
    assert folders <= modules
    assert (True, []) == (len(files) < MAX_FILES, [path for path in files if path.stat().st_size > MAX_SEED])


def test_a_planted_token_would_be_seen() -> None:
    """The promise can be broken: the token's own parts are found in what still has them."""
    assert leaked(f"x {PLANTED} y")
    assert leaked(f'{{"a": "{PLANTED[-40:]}"}}'.encode())
    assert [] == leaked("Bearer [token]")


@pytest.mark.parametrize("name", ["events", "redact"])
def test_a_broken_promise_is_reported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target is not empty: with the thing it checks broken, it raises."""
    module = target(name)
    broken = {"events": ("to_json", lambda _: b"{}"), "redact": ("redact", Redacted)}
    data = next(iter(module.seeds()))
    monkeypatch.setattr(module, *broken[name])
    with pytest.raises((AssertionError, ValueError)):
        module.check(data)


def test_the_fuzzer_runs() -> None:
    """Three seconds of one target under atheris, where it is installed."""
    pytest.importorskip("atheris")
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", "--seconds", "3", "encodings"],
        capture_output=True,
        text=True,
        timeout=2 * HANG_S,
        check=False,
    )

    assert (0, True) == (done.returncode, "nothing found" in done.stdout), done.stdout


def test_an_unknown_target_is_named() -> None:
    """With the list of those that exist."""
    done = subprocess.run([sys.executable, "-m", "fuzz", "nonsense"], capture_output=True, text=True, check=False)

    assert (2, True) == (done.returncode, "no target nonsense; there are: otlp_json" in done.stderr)
