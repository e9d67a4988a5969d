"""Incidents that people posted: all lines of one, with the configuration that was posted with them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from analyzer.verdicts import Diagnosis
from benchmarks.accuracy.answers import Answer
from collector.settings import Settings, load
from why401.explainer import Explainer

_SAYS_LITTLE: Final = ("unclassified", "ok")


def of_public(file: Path) -> Iterator[Answer]:
    """The surest answer to the lines of each incident; none where the file is not on this machine."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        case = json.loads(line)
        code, confidence = _surest(case)
        yield Answer(case["product"], case["id"], tuple(case["codes"]), code, confidence)


def _surest(case: Mapping[str, Any]) -> tuple[str, float]:
    said = [verdict.diagnosis for verdict in Explainer(_settings(case)).explain_all(case["raw"]) if verdict.diagnosis]
    telling = [diagnosis for diagnosis in said if diagnosis.code not in _SAYS_LITTLE] or said
    best: Diagnosis | None = max(telling, key=lambda diagnosis: diagnosis.confidence, default=None)
    return (best.code, best.confidence) if best else ("unclassified", 0.0)


def _settings(case: Mapping[str, Any]) -> Settings:
    if not case.get("config"):
        return Settings()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "why401.toml")
        path.write_text(case["config"], encoding="utf-8")
        return load(path, {})
