"""The OpenTelemetry Collector to measure against: put together by its own builder, once, and kept in `$WHY401_CACHE` (`~/.cache/why401`).

Its modules are fetched by `go build`, not by the builder: that would fetch the tests' modules, too, of which one cannot be had.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final

from benchmarks.live.golang import BUILD_S, BuildFailed, go

CORE: Final = "v0.165.0"
CONTRIB: Final = "v0.165.1"
_BUILDER: Final = f"go.opentelemetry.io/collector/cmd/builder@{CORE}"
_THEIRS: Final = "github.com/open-telemetry/opentelemetry-collector-contrib"
_MANIFEST: Final = f"""
dist: {{name: otelcol, output_path: ./made}}
receivers:
  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver {CORE}
  - gomod: {_THEIRS}/receiver/kafkareceiver {CONTRIB}
processors:
  - gomod: go.opentelemetry.io/collector/processor/batchprocessor {CORE}
  - gomod: {_THEIRS}/processor/redactionprocessor {CONTRIB}
exporters:
  - gomod: {_THEIRS}/exporter/fileexporter {CONTRIB}
"""


def otelcol() -> Path:
    """The program, built when it is not there. Raises BuildFailed."""
    digest = hashlib.sha256(_MANIFEST.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("WHY401_CACHE", Path.home() / ".cache" / "why401"))
    binary = cache / f"otelcol-{CORE[1:]}-{digest}" / "otelcol"
    if not binary.exists():
        _build(binary)
    return binary


def _build(binary: Path) -> None:
    folder = binary.parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.yaml").write_text(_MANIFEST, encoding="utf-8")
    (folder / "go.mod").write_text("module peer\n", encoding="utf-8")
    go(folder, "get", _BUILDER)
    go(folder, "build", "-o", "builder", _BUILDER.partition("@")[0])
    command = ("./builder", "--config", "manifest.yaml", "--skip-get-modules", "--skip-compilation")
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_S, check=False)
    if made.returncode != 0:
        raise BuildFailed(f"the Collector's builder failed: {made.stderr[-500:]}")
    go(folder / "made", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(binary), ".")
