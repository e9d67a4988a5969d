"""Real gateways and libraries that refuse requests whose fault is known."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.accuracy import calibration, tables
from benchmarks.accuracy.answers import Answer, answer, cause
from benchmarks.live.contract import LiveGateway
from benchmarks.live.registry import GATEWAYS
from collector.settings import Settings, load
from why401.explainer import Explainer

AT_ONCE: Final = 6
Answers = Mapping[bool, list[Answer]]  # with the operator's configuration, and without


def of_envoy(*, with_token: bool, configured: bool) -> Iterator[Answer]:
    """Answers to what a real Envoy wrote of every fault of the demo."""
    from why401.demo.labels import LabelledRun, fault_of

    with tempfile.TemporaryDirectory() as folder, LabelledRun(Path(folder)) as run:
        run.send()
        explainer = Explainer(load(run.config, {}) if configured else Settings())
        for record in run.records():  # those that passed too: they are evidence
            fault = fault_of(record["request_id"])
            kept = {name: value for name, value in record.items() if with_token or "authorization" not in name}
            if fault:
                yield answer(explainer, fault.cause, fault.name, (fault.code,), json.dumps(kept))
            else:
                explainer.explain(json.dumps(kept))


def of_gateway(gateway: LiveGateway) -> Answers:
    """Answers to what another real gateway wrote of the faults that need no route of their own."""
    from benchmarks.live.drive import drive
    from benchmarks.live.score import judge

    with tempfile.TemporaryDirectory() as folder, drive(gateway, Path(folder)) as driven:
        found = {}
        for configured in (True, False):
            explainer = Explainer(load(driven.config, {}) if configured else Settings())
            verdicts = [(one, judge(explainer, one.lines).diagnosis) for one in driven.refused]
            found[configured] = [
                Answer(
                    cause(one.code),
                    one.fault,
                    (one.code,),
                    said.code if said else "unclassified",
                    said.confidence if said else 0.0,
                )
                for one, said in verdicts
            ]
        return found


def sections(summary: list[str]) -> Iterator[str]:
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
    yield from gateways(summary)
    yield from libraries()


def gateways(summary: list[str]) -> Iterator[str]:
    """One row per gateway; one that this machine cannot run says what is missing."""
    yield (
        "## Other live gateways\n\n| gateway | token in the log | refused | right, configured | causes right | "
        "right, not configured | wrong, configured |\n|---|---|---|---|---|---|---|\n"
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:  # each mostly waits for its own log
        runs = {gateway.name: pool.submit(of_gateway, gateway) for gateway in GATEWAYS if not gateway.missing()}
    by_kind: dict[tuple[bool, bool], list[Answer]] = {}
    for gateway in GATEWAYS:
        if lacking := gateway.missing():
            yield f"| {gateway.name} | | | | | | not run: {lacking} |\n"
            continue
        answers = runs[gateway.name].result()
        for configured, some in answers.items():
            by_kind.setdefault((gateway.without_token, configured), []).extend(some)
        yield gateway_row(gateway, answers)
    yield "\n"
    for (without_token, configured), some in sorted(by_kind.items()):
        what = "Without the token" if without_token else "With the token in the log"
        how = "with configuration" if configured else "without configuration"
        summary.append(tables.summary(f"other live gateways, {what.lower()}, {how}", some))
        yield f"### {what}, {how}\n\n{tables.score(some)}\n\n"
        yield from calibration.table(some)


def gateway_row(gateway: LiveGateway, answers: Answers) -> str:
    """A row of the table of live gateways, with every wrong answer by name."""
    told = answers[True]
    wrong = ", ".join(f"`{a.name}` {a.accepted[0]} → {a.code}" for a in told if not a.is_right)
    shown = "no" if gateway.without_token else "yes"
    causes = sum(a.has_right_cause for a in told)
    bare = calibration.right(answers[False])
    return f"| {gateway.name} | {shown} | {len(told)} | {calibration.right(told)} | {causes} | {bare} | {wrong} |\n"


def libraries() -> Iterator[str]:
    """One row per library: its words alone, the same without any knowledge of libraries, and with the token beside them."""
    from benchmarks.live.libraries.registry import LIBRARIES
    from benchmarks.live.libraries.score import score

    yield "## Live libraries\n\n| library | words alone | by meaning only | with the token |\n|---|---|---|---|\n"
    for library in LIBRARIES:
        if lacking := library.missing():
            yield f"| {library.name} | not run: {lacking} | | |\n"
            continue
        scored = score(library)
        asked = (scored.without_token, scored.by_meaning, scored.with_token)
        cells = [f"{sum(one.is_right for one in some)} of {len(some)}" for some in asked]
        yield f"| {library.name} | {' | '.join(cells)} |\n"
    yield "\n"
