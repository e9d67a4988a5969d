"""The tutorial's blocks run: its files are written, its commands executed, and what they print is what the page shows."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from benchmarks.live.recipe import Recipe
from tests.brokers import free_ports

PAGE: Final = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK: Final = re.compile(r"(?ms)^```(\w+)(?: (\S+))?\n(.*?)^```$")
PORTS: Final = ("8400", "8401", "8402")
END: Final = "--end-of-command--"
HANG_S: Final = 280


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Shell commands in the page's order, each with what it prints. A block that has a file's name is written to that file."""
    for language, name, body in BLOCK.findall(text):
        if name:
            yield f"cat > {name} <<'END-OF-FILE'\n{body}END-OF-FILE", ""
            continue
        assert language == "console", f"a block of the tutorial that nothing runs: {language}"
        for step in re.split(r"(?m)^\$ ", body)[1:]:
            command, _, printed = step.partition("\n")
            yield command, printed


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx or openssl is not installed")
def test_the_blocks_of_the_tutorial_run(tmp_path: Path) -> None:
    """Nothing but the ports is changed. A command that prints something else is shown beside what the page has."""
    page = PAGE.read_text(encoding="utf-8")
    for port, free in zip(PORTS, free_ports(len(PORTS)), strict=True):
        page = page.replace(port, str(free))
    said = list(steps(page))
    script = "".join(f"{command}\necho '{END}'\n" for command, _ in said)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    shell = ["bash", "-c", f"trap 'kill $(jobs -p) $(cat nginx.pid) 2>/dev/null' EXIT\n{script}"]
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    done = subprocess.run(
        shell, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANG_S
    )
    printed = done.stdout.split(f"{END}\n")[:-1]

    assert len(said) >= 20
    assert len(printed) == len(said), done.stderr
    wrong = [
        f"$ {command}\n{got}" for (command, want), got in zip(said, printed, strict=True) if not _is_like(want, got)
    ]
    assert wrong == [], done.stderr


def test_what_the_tutorial_logs_is_what_the_recipe_says() -> None:
    """One text of one recipe."""
    pasted = next(body for _, name, body in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if "why401.conf" in name)

    assert pasted == Recipe("nginx").block("log", Path("FOLDER")).replace("FOLDER/", "")


def _is_like(want: str, got: str) -> bool:
    """`…` stands for anything."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(want.replace("…", "..."), got.replace("…", "..."), options)
