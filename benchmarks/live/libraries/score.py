"""The answers of why401 to what live libraries said.

`python -m benchmarks.live.libraries.score [NAME …]` prints, for each library, how many records are answered rightly with
the words alone, with the words and no knowledge of any library, and with the token in the record.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.knowledge import read_meaning
from benchmarks.accuracy.answers import Answer, answer
from benchmarks.live.libraries.contract import USER, Case, Complaint, Library, Trust, accepted, cases
from benchmarks.live.libraries.records import FORMS, WITH_TOKEN, typed
from benchmarks.live.libraries.registry import LIBRARIES
from collector.settings import Settings, load
from why401.demo.mint import Mint
from why401.explainer import Explainer


@dataclass(frozen=True, slots=True)
class Asked:
    """One record and the answer to it; `form` says how it was written."""

    fault: str
    form: str
    words: str
    accepted: frozenset[str]
    code: str
    told: Answer | None = None  # the same, where nothing but the true code is right

    @property
    def is_right(self) -> bool:
        """An accepted code was answered."""
        return self.code in self.accepted


@dataclass(frozen=True, slots=True)
class Scored:
    """One library's answers."""

    library: Library
    passed: tuple[str, ...]  # faults that the library does not refuse
    without_token: tuple[Asked, ...]
    by_meaning: tuple[Asked, ...]
    with_token: tuple[Asked, ...]


def score(library: Library) -> Scored:
    """Verify every case with the library and ask about every complaint."""
    told, trust = cases(Mint())
    complaints = library.verify(told, trust)
    refused = {case.fault: case for case in told}
    pairs = [(refused.pop(complaint.fault), complaint) for complaint in complaints]
    with tempfile.TemporaryDirectory() as folder:
        configured = Explainer(load(_config(Path(folder), trust), {}))
        return Scored(
            library=library,
            passed=tuple(refused),
            without_token=tuple(_without_token(library, pairs)),
            by_meaning=tuple(_by_meaning(library, pairs)),
            with_token=tuple(_with_token(configured, library, pairs)),
        )


def _without_token(library: Library, pairs: Iterable[tuple[Case, Complaint]]) -> Iterator[Asked]:
    explainer = Explainer(Settings())
    for case, complaint in pairs:
        for form in FORMS[library.language]:
            record = form(complaint)
            if record:
                codes = accepted(library, case, complaint)
                told = _answer(explainer, library, case, record)
                yield Asked(case.fault, form.__name__, typed(complaint), codes, told.code, told)


def _by_meaning(library: Library, pairs: Iterable[tuple[Case, Complaint]]) -> Iterator[Asked]:
    for case, complaint in pairs:
        readings = read_meaning(typed(complaint))
        code = readings[0].code if readings else "unclassified"
        yield Asked(case.fault, "meaning", typed(complaint), accepted(library, case, complaint), code)


def _with_token(explainer: Explainer, library: Library, pairs: Iterable[tuple[Case, Complaint]]) -> Iterator[Asked]:
    for case, complaint in pairs:
        told = _answer(explainer, library, case, WITH_TOKEN[library.language](complaint, case.token))
        yield Asked(case.fault, "with token", typed(complaint), frozenset((case.code,)), told.code, told)


def _answer(explainer: Explainer, library: Library, case: Case, record: str) -> Answer:
    return answer(explainer, library.name, case.fault, (case.code,), record)


def _config(folder: Path, trust: Trust) -> Path:
    """What the application's operator would write into why401.toml."""
    key_set = folder / "jwks.json"
    key_set.write_text(json.dumps(trust.jwks), encoding="utf-8")
    path = folder / "why401.toml"
    path.write_text(
        f"""data_dir = {json.dumps(str(folder / "data"))}
[[issuers]]
issuer = {json.dumps(trust.issuer.url)}
audiences = [{json.dumps(trust.issuer.audience)}]
algorithms = [{json.dumps(trust.alg)}]
jwks = {json.dumps(str(key_set))}
user_claim = {json.dumps(USER)}
required_claims = ["exp"]
clock_skew_seconds = 60
""",
        encoding="utf-8",
    )
    return path


def rate(asked: Sequence[Asked]) -> str:
    """`right of all (share)`."""
    right = sum(one.is_right for one in asked)
    return f"{right} of {len(asked)} ({right / max(1, len(asked)):.1%})"


def main(names: Sequence[str]) -> None:
    """Print a row for each library, then what was answered wrongly."""
    wrong: list[str] = []
    print("| library | listed | words alone | by meaning only | with the token |\n|---|---|---|---|---|")
    for library in LIBRARIES:
        if names and library.name not in names:
            continue
        if lacking := library.missing():
            print(f"| {library.name} | {lacking} | | | |")
            continue
        scored = score(library)
        columns = map(rate, (scored.without_token, scored.by_meaning, scored.with_token))
        print(f"| {library.name} | {'yes' if library.listed else 'no'} | {' | '.join(columns)} |", flush=True)
        told = (*scored.without_token, *(scored.by_meaning if names else ()), *scored.with_token)
        wrong += [_wrong(library, one) for one in told if not one.is_right]
    print("\n".join(("", *wrong)))


def _wrong(library: Library, one: Asked) -> str:
    words = one.words[:160].replace("\n", " ")
    return f"{library.name} {one.fault} ({one.form}): {one.code}, not {sorted(one.accepted)}: {words}"


if __name__ == "__main__":
    main(sys.argv[1:])
