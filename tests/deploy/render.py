"""Renders the chart: `python -m tests.deploy.render` writes deploy/kubernetes/*.yaml and the expected output of the other cases."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.live.deploy_tools import HELM
from tests.waiting import HANG_S

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "helm" / "why401"
MANIFESTS: Final = ROOT / "deploy" / "kubernetes"
CASES: Final = Path(__file__).parent / "cases"
NOTE: Final = "# Rendered from deploy/helm/why401 by `python -m tests.deploy.render`.\n"
RENDERED: Final = {
    MANIFESTS / "embedded.yaml": None,
    MANIFESTS / "distributed.yaml": MANIFESTS / "distributed.values.yaml",
} | {path.with_name(f"{path.stem}.expected.yaml"): path for path in sorted(CASES.glob("*.yaml")) if ".expected" not in path.name}  # fmt: skip
"""Rendered file → its values, None for the defaults."""


def helm(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What Helm says, with nothing of this machine's configuration."""
    with TemporaryDirectory() as home:
        environ = {"HOME": home, "PATH": os.environ["PATH"]}
        return subprocess.run(
            [HELM.binary, *words], env=environ, capture_output=True, text=True, timeout=HANG_S, check=False
        )


def rendered(*words: str | Path) -> str:
    """`helm template` of the chart, as release and namespace `why401`. Raises RuntimeError with Helm's words."""
    done = helm("template", "why401", CHART, "--namespace", "why401", *words)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def text(values: Path | None) -> str:
    """A rendered file with its note."""
    return NOTE + rendered(*(("--values", values) if values else ()))


if __name__ == "__main__":
    if lacking := HELM.missing():
        sys.exit(lacking)
    for path, values in RENDERED.items():
        path.write_text(text(values), encoding="utf-8")
