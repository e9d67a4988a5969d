"""pip-audit's report: findings are told, and what was not checked is never called clean."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from audit import __main__ as audit
from audit import vulnerabilities
from audit.vulnerabilities import Report

VULNERABLE = {
    "name": "a",
    "version": "1",
    "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}, {"id": "CVE-2", "fix_versions": []}],
}
CLEAN = {"name": "b", "version": "1", "vulns": []}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "report"),
    [
        ([CLEAN], Report((), 1)),
        ([VULNERABLE, CLEAN], Report(("a 1: CVE-1, fixed in 2", "a 1: CVE-2, fixed in no version yet"), 2)),
        ([CLEAN, UNKNOWN], Report((), 1, 1)),
    ],
)
def test_a_report_is_read(packages: list[Any], report: Report) -> None:
    """Findings with their fix; packages that the service does not know are counted apart."""
    assert report == vulnerabilities.read("Found something\n" + json.dumps({"dependencies": packages, "fixes": []}))


@pytest.mark.parametrize("output", ["", "Traceback", "{broken", json.dumps({"dependencies": [UNKNOWN, UNKNOWN]})])
def test_no_answer_is_not_clean(output: str) -> None:
    """A service that is away, or knows none of our packages, checked nothing."""
    assert "cannot be reached" in vulnerabilities.read(output).why


def test_where_the_service_is_away_one_question_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The whole list goes out only after an answer to its first package."""
    asked: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(Path(command[-1]).read_text())
        return subprocess.CompletedProcess(command, 1, "", "ConnectionError")

    monkeypatch.setattr(subprocess, "run", run)
    file = tmp_path / "run.txt"
    file.write_text("# made\na==1 \\\n    --hash=sha256:0\n    # via x\nb==2 \\\n    --hash=sha256:1\n")

    assert "cannot be reached" in vulnerabilities.check(file).why
    assert ["# made\na==1 \\\n    --hash=sha256:0\n    # via x\n"] == asked


@pytest.mark.parametrize(
    ("report", "exit_code"),
    [
        (Report((), 3), 0),
        (Report(("x",), 3), 2),
        (Report(why="away"), 3),
        (Report((), 3, 1), 3),
        (Report(("x",), 3, 1), 2),
    ],
)
def test_the_exit_code_tells_unchecked_from_clean(
    report: Report, exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 clean, 2 a known vulnerability, 3 not checked; a finding outweighs what was not checked."""
    monkeypatch.setattr(vulnerabilities, "check", lambda _: report)
    monkeypatch.setattr(audit, "_code", lambda: 0)

    assert exit_code == audit.main()
