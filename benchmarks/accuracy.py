"""How often is the answer right? `python -m benchmarks.accuracy [CORPUS] [--write]`

Labelled records and library messages of a corpus folder (`gateways.jsonl`, `libraries.jsonl`; default ../shared/corpus), a real
Envoy that refuses requests whose fault is known, with the token in its log and without, every other gateway that this machine
can run, and JWT libraries that verify broken tokens. A case is right when its code is one of the accepted ones.
`--write` puts the tables into docs/accuracy.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from analyzer.taxonomy import CAUSES, CODES
from benchmarks.live.contract import LiveGateway
from benchmarks.live.registry import GATEWAYS
from collector.settings import Settings, load
from why401.explainer import Explainer

HERE: Final = Path(__file__).parent.parent
AT_ONCE: Final = 6
BINS: Final = (0.0, 0.3, 0.5, 0.7, 0.9, 0.95, 1.01)


@dataclass(frozen=True)
class Answer:
    """One case: who wrote the record, what is accepted, what was said and how surely."""

    of: str
    name: str
    accepted: tuple[str, ...]
    code: str
    confidence: float

    @property
    def is_right(self) -> bool:
        """The code is one of the accepted."""
        return self.code in self.accepted

    @property
    def has_right_cause(self) -> bool:
        """The cause is that of an accepted code."""
        return cause(self.code) in {cause(code) for code in self.accepted}


def cause(code: str) -> str:
    """The cause of a code; "ok" for a passing one."""
    return CODES[code].cause if code in CODES else "ok"


def of_corpus(file: Path) -> Iterator[Answer]:
    """Answers to a corpus file, without any configuration."""
    explainer = Explainer(Settings())
    for line in file.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield answer(explainer, case.get("gateway") or case["library"], case["id"], tuple(case["codes"]), case["raw"])


def of_live_envoy(*, with_token: bool) -> Iterator[Answer]:
    """Answers to what a real Envoy wrote of every fault of the demo, with the configuration that an operator would have."""
    from why401.demo.labels import LabelledRun, fault_of

    with tempfile.TemporaryDirectory() as folder, LabelledRun(Path(folder)) as run:
        run.send()
        explainer = Explainer(load(run.config, {}))
        for record in run.records():  # those that passed too: they are evidence
            fault = fault_of(record["request_id"])
            kept = {name: value for name, value in record.items() if with_token or "authorization" not in name}
            if fault:
                yield answer(explainer, fault.cause, fault.name, (fault.code,), json.dumps(kept))
            else:
                explainer.explain(json.dumps(kept))


def of_live_gateway(gateway: LiveGateway) -> list[Answer]:
    """Answers to what another real gateway wrote of the faults that need no route of their own."""
    from benchmarks.live.score import score

    with tempfile.TemporaryDirectory() as folder:
        _, scored = score(gateway, Path(folder))
    sure = [one.verdict.diagnosis.confidence if one.verdict.diagnosis else 0.0 for one in scored]
    pairs = zip(scored, sure, strict=True)
    return [Answer(cause(one.refusal.code), one.refusal.fault, (one.refusal.code,), one.code, c) for one, c in pairs]


def answer(explainer: Explainer, of: str, name: str, accepted: tuple[str, ...], raw: str) -> Answer:
    """One answer; a record that cannot be read is unclassified."""
    diagnosis = explainer.explain(raw).diagnosis
    code, confidence = (diagnosis.code, diagnosis.confidence) if diagnosis else ("unclassified", 0.0)
    return Answer(of, str(name), accepted, code, confidence)


def tables(title: str, answers: list[Answer]) -> Iterator[str]:
    """Score, per source, confusion of causes, calibration, and every case that is wrong."""
    right, causes, count = sum(a.is_right for a in answers), sum(a.has_right_cause for a in answers), len(answers)
    yield f"## {title}\n\n**{right} of {count} codes ({right / count:.1%}), {causes} causes ({causes / count:.1%}).**\n\n"
    yield from _by_source(answers)
    yield from _confusion(answers)
    yield from _calibration(answers)
    yield from _wrong(answers)


def _by_source(answers: list[Answer]) -> Iterator[str]:
    wrong = Counter(a.of for a in answers if not a.is_right)
    total = Counter(a.of for a in answers)
    yield "| of | cases | right |\n|---|---|---|\n"
    yield from (f"| {of} | {n} | {n - wrong[of]} |\n" for of, n in sorted(total.items()))
    yield "\n"


def _confusion(answers: Iterable[Answer]) -> Iterator[str]:
    pairs = Counter(
        (cause(a.accepted[0]), cause(a.code) if not a.has_right_cause else cause(a.accepted[0])) for a in answers
    )
    names = [*CAUSES, "ok"]
    yield (
        "Rows: the true cause; columns: the answer.\n\n| | "
        + " | ".join(names)
        + " |\n"
        + "|---" * (len(names) + 1)
        + "|\n"
    )
    for true in CAUSES[:-1]:
        yield f"| {true} | " + " | ".join(str(pairs[true, said] or "") for said in names) + " |\n"
    yield "\n"


def _calibration(answers: list[Answer]) -> Iterator[str]:
    yield "| confidence | answers | right |\n|---|---|---|\n"
    for low, high in pairwise(BINS):
        inside = [a for a in answers if low <= a.confidence < high]
        if inside:
            yield f"| {low:.2f} to {min(high, 1):.2f} | {len(inside)} | {sum(a.is_right for a in inside) / len(inside):.0%} |\n"
    yield "\n"


def _wrong(answers: Iterable[Answer]) -> Iterator[str]:
    wrong = [a for a in answers if not a.is_right]
    if wrong:
        yield "Wrong, by id: " + "; ".join(f"`{a.name}` {a.accepted[0]} → {a.code}" for a in wrong) + ".\n\n"


def report(corpus: Path) -> str:
    """All tables as one page."""
    parts = [
        f"# How often is the answer right?\n\n{__doc__.partition(chr(10))[2].strip()}\n\n".replace("\n\n\n", "\n\n")
    ]
    for name, title in (("gateways", "Gateways' records"), ("libraries", "Libraries' messages")):
        if (corpus / f"{name}.jsonl").exists():
            parts.extend(tables(f"{title}, without configuration", list(of_corpus(corpus / f"{name}.jsonl"))))
    parts.extend(tables("A live Envoy, token in the log", list(of_live_envoy(with_token=True))))
    parts.extend(tables("A live Envoy, no token in the log", list(of_live_envoy(with_token=False))))
    parts.extend(live_gateways())
    parts.extend(live_libraries())
    return "".join(parts)


def live_gateways() -> Iterator[str]:
    """One row per gateway; one that this machine cannot run says what is missing."""
    yield "## Other live gateways\n\n| gateway | token in the log | refused | right | causes right | wrong |\n|---|---|---|---|---|---|\n"
    with ThreadPoolExecutor(AT_ONCE) as pool:  # each mostly waits for its own log
        runs = {gateway.name: pool.submit(of_live_gateway, gateway) for gateway in GATEWAYS if not gateway.missing()}
    by_token: dict[bool, list[Answer]] = {}
    for gateway in GATEWAYS:
        if lacking := gateway.missing():
            yield f"| {gateway.name} | | | | | not run: {lacking} |\n"
            continue
        answers = runs[gateway.name].result()
        by_token.setdefault(gateway.without_token, []).extend(answers)
        yield gateway_row(gateway, answers)
    for without_token, answers in by_token.items():
        what = "Without the token" if without_token else "With the token in the log"
        right = sum(answer.is_right for answer in answers)
        yield f"\n{what}: **{right} of {len(answers)} ({right / len(answers):.1%})**.\n"
    yield "\n"


def gateway_row(gateway: LiveGateway, answers: list[Answer]) -> str:
    """A row of the table of live gateways, with every wrong answer by name."""
    wrong = ", ".join(f"`{a.name}` {a.accepted[0]} → {a.code}" for a in answers if not a.is_right)
    right, causes = sum(a.is_right for a in answers), sum(a.has_right_cause for a in answers)
    shown = "no" if gateway.without_token else "yes"
    return f"| {gateway.name} | {shown} | {len(answers)} | {right} | {causes} | {wrong} |\n"


def live_libraries() -> Iterator[str]:
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


def main(arguments: list[str]) -> None:
    """Print the page; `--write` keeps it."""
    folders = [Path(argument) for argument in arguments if not argument.startswith("-")]
    page = report(folders[0] if folders else HERE.parent / "shared" / "corpus")
    print(page)
    if "--write" in arguments:
        (HERE / "docs" / "accuracy.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
