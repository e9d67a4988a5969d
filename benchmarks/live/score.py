"""The answers of why401 to what a live gateway wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.verdicts import Verdict
from benchmarks.live.contract import LiveGateway, Refusal
from benchmarks.live.drive import Driven, drive
from collector.settings import load
from why401.explainer import Explainer


@dataclass(frozen=True, slots=True)
class Scored:
    """One refusal and the verdict on it."""

    refusal: Refusal
    verdict: Verdict

    @property
    def code(self) -> str:
        """What was answered."""
        return self.verdict.diagnosis.code if self.verdict.diagnosis else "unclassified"

    @property
    def is_right(self) -> bool:
        """The true code was answered."""
        return self.code == self.refusal.code


def score(gateway: LiveGateway, folder: Path) -> tuple[Driven, tuple[Scored, ...]]:
    """Drive it and judge every refusal with the configuration that an operator would have."""
    with drive(gateway, folder) as driven:
        explainer = Explainer(load(driven.config, {}))
        return driven, tuple(Scored(one, judge(explainer, one.lines)) for one in driven.refused)


def judge(explainer: Explainer, lines: Sequence[str]) -> Verdict:
    """The verdict on all lines about one request: the surest one."""
    verdicts = explainer.explain_all(lines or [""])
    return max(verdicts, key=_sureness)


def _sureness(verdict: Verdict) -> tuple[bool, float]:
    """A line that no parser took is read as an application's; the gateway's own answer goes before it."""
    diagnosis = verdict.diagnosis
    sure = diagnosis.confidence if diagnosis and diagnosis.code not in ("ok", "unclassified") else 0.0
    return sure > 0 and verdict.event.gateway.kind != "application", sure
