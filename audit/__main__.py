"""`python -m audit`: is our code, are our licences and dependencies well?

Exit 0 when all is well, 1 on a finding in our code or licences, 2 on a known vulnerability of a dependency, 3 when nothing
was found but not everything could be checked.
CI stops at 1 only: an advisory that was published over night is no fault of the change that meets it first.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from audit import licences, vulnerabilities

ROOT: Final = Path(__file__).parent.parent
SHIPPED: Final = ROOT / "requirements" / "run.txt"
LOCKED: Final = (SHIPPED, ROOT / "requirements" / "dev.txt")
PACKAGES: Final = ("collector", "analyzer", "dashboard")
_ANSWERED: Final = "S101,S603,S607"  # asserts and our own commands; pyproject.toml says why
WELL, FOUND, ADVISED, NOT_CHECKED = 0, 1, 2, 3


def main() -> int:
    """All three parts; the worst answer."""
    answers = {_code(), _licences(), *(_vulnerabilities(file) for file in LOCKED)}
    return next(answer for answer in (FOUND, ADVISED, NOT_CHECKED, WELL) if answer in answers)


def _code() -> int:
    """Ruff's rules after bandit, on what we ship."""
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "--select", "S", "--ignore", _ANSWERED, *PACKAGES]
    done = subprocess.run(command, cwd=ROOT, check=False)
    print(f"code             {'no finding of the S rules' if done.returncode == 0 else 'see above'}")
    return WELL if done.returncode == 0 else FOUND


def _licences() -> int:
    names = licences.locked(SHIPPED)
    wrong = list(licences.complaints(names, licences.rules()))
    print(f"licences         {len(names)} packages, {len(wrong)} not allowed", *wrong, sep="\n    ")
    return FOUND if wrong else WELL


def _vulnerabilities(requirements: Path) -> int:
    report = vulnerabilities.check(requirements)
    print(f"{requirements.name:<16} ", end="")
    if report.why:
        print(f"NOT CHECKED for vulnerabilities: {report.why}")
        return NOT_CHECKED
    print(f"{report.checked} packages, {len(report.findings)} known vulnerabilities", *report.findings, sep="\n    ")
    if report.skipped:
        print(f"    {report.skipped} packages could not be checked")
    return ADVISED if report.findings else NOT_CHECKED if report.skipped else WELL


if __name__ == "__main__":
    sys.exit(main())
