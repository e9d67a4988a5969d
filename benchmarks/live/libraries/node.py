"""Libraries from npm: installed once into ~/.cache/why401, driven by verify.mjs over standard input and output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.live.libraries.contract import REQUIRED, Case, Complaint, Says, Trust

DRIVER: Final = Path(__file__).with_name("verify.mjs")
INSTALL_S: Final = 300
RUN_S: Final = 60


@dataclass(frozen=True, slots=True)
class NodeLibrary:
    """A library of npm; `packages` are NAME@VERSION, its own first."""

    name: str
    packages: tuple[str, ...]
    says: Says
    listed: bool = True
    language: str = "node"

    def missing(self) -> str:
        """Node, npm, or the packages."""
        if not (shutil.which("node") and shutil.which("npm")):
            return "node and npm are not installed"
        return install(self.packages)

    def verify(self, cases: Sequence[Case], trust: Trust) -> Sequence[Complaint]:
        """Run the driver once. Raises CalledProcessError when it fails."""
        asked = {
            "library": self.name,
            "jwks": trust.jwks,
            "issuer": trust.issuer.url,
            "audience": trust.issuer.audience,
            "alg": trust.alg,
            "required": ["iss", "aud", *REQUIRED],
            "cases": [{"fault": case.fault, "token": case.token} for case in cases],
        }
        command = ["node", str(DRIVER), str(folder(self.packages))]
        done = subprocess.run(
            command, input=json.dumps(asked), capture_output=True, text=True, timeout=RUN_S, check=True
        )
        return tuple(Complaint(**row) for row in json.loads(done.stdout))


def folder(packages: Sequence[str]) -> Path:
    """Where these versions are installed."""
    name = "npm-" + "-".join(package.replace("/", "-") for package in packages)
    return Path.home() / ".cache" / "why401" / name


@cache
def install(packages: tuple[str, ...]) -> str:
    """Install them unless they are there, whole or not at all; why not, in words."""
    target = folder(packages)
    if target.is_dir():
        return ""
    scratch = target.with_name(f"{target.name}.{os.getpid()}")
    options = ["--prefix", str(scratch), "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        scratch.mkdir(parents=True)
        subprocess.run(["npm", "install", *options, *packages], capture_output=True, timeout=INSTALL_S, check=True)
        scratch.rename(target)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(scratch, ignore_errors=True)
        return "" if target.is_dir() else f"npm install {' '.join(packages)}: {error}"
    return ""
