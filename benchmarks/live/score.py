"""The answers of why401 to what a live gateway wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from click.testing import CliRunner

from analyzer.verdicts import Verdict
from benchmarks.live import newcomer
from benchmarks.live.contract import Crowd, LiveGateway, Refusal
from benchmarks.live.crowd import stored
from benchmarks.live.drive import Driven, drive
from collector.settings import Settings, load
from why401.cli import main
from why401.expectations.inputs import read
from why401.explainer import Explainer, Explanation
from why401.trace.prediction import Credential, predict
from why401.trace.walked import asked


@dataclass(frozen=True, slots=True)
class Scored:
    """One refusal and the verdict on it."""

    refusal: Refusal
    verdict: Explanation
    code_by_config: str = ""  # what is answered with `why401 init --from` the gateway's own configuration

    @property
    def code(self) -> str:
        """What was answered."""
        return self.verdict.diagnosis.code if self.verdict.diagnosis else "unclassified"

    @property
    def is_right(self) -> bool:
        """The true code was answered."""
        return self.code == self.refusal.code


@dataclass(frozen=True, slots=True)
class Counted:
    """Refusals by code: as the clients count those that were asked for at once, and as the store does."""

    name: str
    asked: Counter[str]
    stored: Counter[str]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What `why401 trace` says of a request by the gateway's configuration, beside what the gateway did."""

    fault: str
    did: str  # the true code of a refusal, or "ok"
    said: str  # "": the configuration does not decide


# What was driven, each refusal, those that were asked for at once, and codes in the store of a newcomer; None without a recipe.
Score: TypeAlias = tuple[Driven, tuple[Scored, ...], tuple[Counted, ...], Counter[str] | None, tuple[Predicted, ...]]


def score(gateway: LiveGateway, folder: Path) -> Score:
    """Drive it and judge every refusal with the configuration that an operator would have."""
    with drive(gateway, folder) as driven:
        settings = load(driven.config, {})
        explainer = Explainer(settings)
        by_config = _by_config(driven)
        scored = tuple(Scored(one, judge(explainer, one.lines), by_config.get(one.fault, "")) for one in driven.refused)
        counted = tuple(_counted(crowd, scored, settings) for crowd in driven.crowds)
        in_store = newcomer.found(driven.recipe, folder) if driven.recipe else None
        return driven, scored, counted, in_store, tuple(predicted(driven))


def _by_config(driven: Driven) -> Mapping[str, str]:
    """The codes by fault, with the settings that `why401 init --from` makes of what the gateway was started with."""
    if driven.gateway_config is None:
        return {}
    written = driven.config.with_name("from-config.toml")
    result = CliRunner().invoke(main, ["init", str(written), "--from", str(driven.gateway_config)])
    if result.exit_code:
        raise RuntimeError(result.output)
    explainer = Explainer(load(written, {}))
    return {one.fault: Scored(one, judge(explainer, one.lines)).code for one in driven.refused}


def predicted(driven: Driven) -> Iterator[Predicted]:
    """Every request, walked through what the gateway was started with while its issuer's keys can be fetched."""
    if driven.gateway_config is None:
        return
    found = read([str(driven.gateway_config)])
    for one, did in (*((one, one.code) for one in driven.refused), *((one, "ok") for one in driven.accepted)):
        credential = Credential(value=", ".join(one.sent))
        *_, last = predict(found, asked(one.request.replace('"', "")), credential, fetch=True)
        is_open = last.code == "ok" and any(says.startswith("the signature") for says in last.unknown)
        yield Predicted(one.fault, did, "" if is_open else last.code)


def _counted(crowd: Crowd, scored: Sequence[Scored], settings: Settings) -> Counted:
    """A request counts under the code that it gets alone; one of which nothing is logged, not at all."""
    codes = {one.refusal.fault: one.code for one in scored if one.verdict.diagnosis and one.verdict.is_read}
    asked = Counter[str]()
    for fault, times in crowd.sent.items():
        if fault in codes:
            asked[codes[fault]] += times
    return Counted(name=crowd.name, asked=asked, stored=stored(crowd, settings))


def judge(explainer: Explainer, lines: Sequence[str]) -> Explanation:
    """The verdict on all lines about one request: the surest one."""
    verdicts = explainer.explain_all(lines or [""])
    return max(verdicts, key=_sureness)


def _sureness(verdict: Verdict) -> tuple[bool, float]:
    """A line that no parser took is read as an application's; the gateway's own answer goes before it."""
    diagnosis = verdict.diagnosis
    sure = diagnosis.confidence if diagnosis and diagnosis.code not in ("ok", "unclassified") else 0.0
    return sure > 0 and verdict.event.gateway.kind != "application", sure
