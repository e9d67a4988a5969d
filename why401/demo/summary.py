"""The summary of the demo: how many refusals were caused on purpose and how many why401 found, by code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analyzer.taxonomy import CODES
from why401.demo.faults import BY_NAME

_SQL: Final = """
    SELECT
        code,
        coalesce(arg_max(title, failures), '') AS title,
        sum(failures)::BIGINT AS found,
        coalesce(sum(confidence * failures) / sum(failures), 0)::DOUBLE AS confidence
    FROM groups GROUP BY code
"""


@dataclass(frozen=True, slots=True)
class Found:
    """One code as the lake has it."""

    code: str
    title: str
    count: int
    confidence: float


def read_found(config: Path) -> list[Found]:
    """The groups in the lake, added up by code. Reads the public view only."""
    from analyzer.lake import connect_reader
    from collector.settings import load

    settings = load(config, environ={})
    connection = connect_reader(settings, memory_mib=settings.dashboard.memory_mib)
    try:
        return [Found(*row) for row in connection.execute(_SQL).fetchall()]
    finally:
        connection.close()


def expected(refused: Mapping[str, int]) -> Counter[str]:
    """Refused requests by code, from refused requests by fault."""
    by_code: Counter[str] = Counter()
    for name, count in refused.items():
        by_code[BY_NAME[name].code] += count
    return by_code


def table(refused: Mapping[str, int], found: Sequence[Found]) -> list[str]:
    """The lines of the summary, most frequent code first; a code that only one side has shows 0 on the other."""
    sent, seen = expected(refused), {row.code: row for row in found}
    codes = sorted({*sent, *seen}, key=lambda code: (-sent[code], code))
    lines = [f"{'code':24} {'cause':8} {'caused':>6} {'found':>6} {'conf.':>5}  title"]
    for code in codes:
        row = seen.get(code) or Found(code, "", 0, 0.0)
        cause = CODES[code].cause if code in CODES else "?"
        lines.append(f"{code:24} {cause:8} {sent[code]:6} {row.count:6} {row.confidence:5.2f}  {row.title}".rstrip())
    return lines
