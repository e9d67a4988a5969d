"""How often is the answer right? `python -m benchmarks.accuracy [CORPUS] [--write]`

Labelled records and library messages of a corpus folder (`gateways.jsonl`, `libraries.jsonl`; default ../shared/corpus), and a
real Envoy that refuses requests whose fault is known, with the token in its log and without. A case is right when its code is
one of the accepted ones. `--write` puts the tables into docs/accuracy.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from analyzer.cli.explainer import Explainer
from analyzer.taxonomy import CAUSES, CODES
from collector.settings import Settings, load

HERE: Final = Path(__file__).parent.parent
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
    from analyzer.demo.labels import LabelledRun, fault_of

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
    return "".join(parts)


def main(arguments: list[str]) -> None:
    """Print the page; `--write` keeps it."""
    folders = [Path(argument) for argument in arguments if not argument.startswith("-")]
    page = report(folders[0] if folders else HERE.parent / "shared" / "corpus")
    print(page)
    if "--write" in arguments:
        (HERE / "docs" / "accuracy.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
