"""Known vulnerabilities of the locked packages, as pip-audit finds them. A service that is away is no finding and no pass."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HANG_SECONDS: Final = 600
_PROBE: Final = 1  # packages asked about first: where the service is away, one question tells


@dataclass(frozen=True, slots=True)
class Report:
    """`findings` are lines for people; `checked` and `skipped` count packages. `why` says why nothing was checked."""

    findings: tuple[str, ...] = ()
    checked: int = 0
    skipped: int = 0
    why: str = ""


def check(requirements: Path) -> Report:
    """Ask about the first package, and when that is answered, about all of them."""
    probe = _asked(_first(requirements, _PROBE))
    return probe if probe.why else _asked(requirements.read_text(encoding="utf-8"))


def read(output: str) -> Report:
    """The report in pip-audit's JSON. A package that the service does not know was not checked."""
    start = output.find("{")
    try:
        packages = json.loads(output[start:])["dependencies"] if start >= 0 else []
    except (ValueError, KeyError):
        packages = []
    skipped = [package for package in packages if "skip_reason" in package]
    checked = len(packages) - len(skipped)
    if not checked:
        return Report(skipped=len(skipped), why="the vulnerability service cannot be reached from here")
    return Report(tuple(line for package in packages for line in _told(package)), checked, len(skipped))


def _told(package: dict[str, Any]) -> Iterator[str]:
    for found in package.get("vulns", ()):
        fixed = ", ".join(found.get("fix_versions", ())) or "no version yet"
        yield f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}"


def _asked(requirements: str) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text(requirements, encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--disable-pip"]
        try:
            done = subprocess.run(
                [*command, "--require-hashes", "-r", str(file)],
                capture_output=True,
                text=True,
                timeout=HANG_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Report(why=f"the vulnerability service did not answer within {HANG_SECONDS} s")
    return read(done.stdout)


def _first(requirements: Path, count: int) -> str:
    """The first packages of a locked file, with their hashes."""
    kept, packages = list[str](), 0
    for line in requirements.read_text(encoding="utf-8").splitlines():
        packages += "==" in line and not line.startswith((" ", "#"))
        if packages > count:
            break
        kept.append(line)
    return "\n".join(kept) + "\n"
