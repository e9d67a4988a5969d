"""Real gateways and libraries that refuse requests whose fault is known."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

from analyzer.verdicts import Verdict
from benchmarks.accuracy import calibration, tables
from benchmarks.accuracy.answers import Answer, cause, judged
from benchmarks.labelled import family
from benchmarks.live.contract import LiveGateway, Refusal
from benchmarks.live.registry import GATEWAYS
from collector.events import NO_TIMES, TokenFacts
from collector.settings import Settings, load
from why401.explainer import Explainer

AT_ONCE: Final = 6
CONFIGURED, PLAIN, TAKEN_OUT = "configured", "not configured", "the token taken out of the record"
Answers = Mapping[str, list[Answer]]  # by how they were asked
Sources = dict[str, list[Answer]]
_PYJWT: Final = "PyJWT"  # verifies for several gateways, whose logs quote its words


def of_envoy(*, with_token: bool, configured: bool) -> Iterator[Answer]:
    """Answers to what a real Envoy wrote of every fault of the demo."""
    from why401.demo.labels import LabelledRun, fault_of

    with tempfile.TemporaryDirectory() as folder, LabelledRun(Path(folder)) as run:
        run.send()
        explainer = Explainer(load(run.config, {}) if configured else Settings())
        for record in run.records():  # those that passed too: they are evidence
            fault = fault_of(record["request_id"])
            kept = {name: value for name, value in record.items() if with_token or "authorization" not in name}
            said = explainer.explain(json.dumps(kept))
            if fault:
                yield judged(explainer, fault.cause, fault.name, (fault.code,), said, product=family("envoy"))


def of_gateway(gateway: LiveGateway) -> Answers:
    """Answers to what another real gateway wrote of the faults that need no route of their own."""
    from benchmarks.live.drive import drive
    from benchmarks.live.score import judge

    with tempfile.TemporaryDirectory() as folder, drive(gateway, Path(folder)) as driven:
        found: dict[str, list[Answer]] = {}
        for how, settings in ((CONFIGURED, load(driven.config, {})), (PLAIN, Settings())):
            explainer = Explainer(settings)
            told = [(one, judge(explainer, one.lines)) for one in driven.refused]
            found[how] = [_answer(explainer, gateway, one, said) for one, said in told]
        if not gateway.without_token:
            found[TAKEN_OUT] = [_answer(explainer, gateway, one, tokenless(explainer, said)) for one, said in told]
        return found


def _answer(explainer: Explainer, gateway: LiveGateway, one: Refusal, said: Verdict) -> Answer:
    product = family(_PYJWT if _PYJWT in gateway.name else gateway.kind)
    return judged(explainer, cause(one.code), one.fault, (one.code,), said, product=product)


def tokenless(explainer: Explainer, said: Verdict) -> Verdict:
    """The verdict that the same record would get if the log did not show the credential."""
    if said.diagnosis is None:
        return said
    event = replace(said.event, token=TokenFacts(), times=NO_TIMES)
    return Verdict(event, explainer.analyzer.diagnoser.diagnose(event), None)


def sections(summary: list[str], sources: Sources) -> Iterator[str]:
    """Envoy with its tables, then a row per gateway and library; rows for the head of the page go to `summary`."""
    for with_token in (True, False):
        token = "token in the log" if with_token else "no token in the log"
        answers = list(of_envoy(with_token=with_token, configured=True))
        yield from tables.section(f"A live Envoy, {token}, configured", answers)
        summary.append(tables.summary(f"live Envoy, {token}, configured", answers))
        unconfigured = list(of_envoy(with_token=with_token, configured=False))
        yield f"Without configuration: {tables.score(unconfigured)}\n\n"
        summary.append(tables.summary(f"live Envoy, {token}, not configured", unconfigured))
        yield from calibration.table(unconfigured)
        _keep(sources, with_token=with_token, configured=answers, plain=unconfigured)
    yield from gateways(summary, sources)
    yield from libraries(sources)


def _keep(sources: Sources, *, with_token: bool, configured: list[Answer], plain: list[Answer]) -> None:
    """Without the token the configuration changes nothing: one of both counts."""
    if with_token:
        sources.setdefault(f"live gateways, {CONFIGURED}", []).extend(configured)
        sources.setdefault(f"live gateways, {PLAIN}", []).extend(plain)
    else:
        sources.setdefault("live gateways, no token in the log", []).extend(plain)


def gateways(summary: list[str], sources: Sources) -> Iterator[str]:
    """One row per gateway; one that this machine cannot run says what is missing."""
    yield (
        "## Other live gateways\n\n| gateway | token in the log | refused | right, configured | causes right | "
        "right, not configured | wrong, configured |\n|---|---|---|---|---|---|---|\n"
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:  # each mostly waits for its own log
        runs = {gateway.name: pool.submit(of_gateway, gateway) for gateway in GATEWAYS if not gateway.missing()}
    by_kind: dict[tuple[bool, str], list[Answer]] = {}
    for gateway in GATEWAYS:
        if lacking := gateway.missing():
            yield f"| {gateway.name} | | | | | | not run: {lacking} |\n"
            continue
        answers = runs[gateway.name].result()
        for how, some in answers.items():
            by_kind.setdefault((gateway.without_token, how), []).extend(some)
        with_token = not gateway.without_token
        _keep(sources, with_token=with_token, configured=answers[CONFIGURED], plain=answers[PLAIN])
        sources.setdefault(f"live gateways, {TAKEN_OUT}", []).extend(answers.get(TAKEN_OUT, ()))
        yield gateway_row(gateway, answers)
    yield "\n"
    for (without_token, how), some in sorted(by_kind.items()):
        what = "Without the token" if without_token else "With the token in the log"
        summary.append(tables.summary(f"other live gateways, {what.lower()}, {how}", some))
        yield f"### {what}, {how}\n\n{tables.score(some)}\n\n"
        yield from calibration.table(some)


def gateway_row(gateway: LiveGateway, answers: Answers) -> str:
    """A row of the table of live gateways, with every wrong answer by name."""
    told = answers[CONFIGURED]
    wrong = ", ".join(f"`{a.name}` {a.accepted[0]} → {a.code}" for a in told if not a.is_right)
    shown = "no" if gateway.without_token else "yes"
    causes = sum(a.has_right_cause for a in told)
    bare = calibration.right(answers[PLAIN])
    return f"| {gateway.name} | {shown} | {len(told)} | {calibration.right(told)} | {causes} | {bare} | {wrong} |\n"


def libraries(sources: Sources) -> Iterator[str]:
    """One row per library: its words alone, the same without any knowledge of libraries, and with the token beside them."""
    from benchmarks.live.libraries.registry import LIBRARIES
    from benchmarks.live.libraries.score import score

    yield "## Live libraries\n\n| library | words alone | by meaning only | with the token |\n|---|---|---|---|\n"
    for library in LIBRARIES:
        if lacking := library.missing():
            yield f"| {library.name} | not run: {lacking} | | |\n"
            continue
        scored = score(library)
        for name, some in (("words alone", scored.without_token), ("with the token", scored.with_token)):
            sources.setdefault(f"live libraries, {name}", []).extend(one.told for one in some if one.told)
        asked = (scored.without_token, scored.by_meaning, scored.with_token)
        cells = [f"{sum(one.is_right for one in some)} of {len(some)}" for some in asked]
        yield f"| {library.name} | {' | '.join(cells)} |\n"
    yield "\n"
