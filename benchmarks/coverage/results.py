"""The figures of docs/coverage.md: one row per product and version, in a file that is committed (nothing fetched is)."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.coverage.asking import MEANING, NONE, OTHER, OWN, Asked

FILE: Final = Path(__file__).with_name("results.toml")


@dataclass(frozen=True, kw_only=True, order=True)
class Row:
    """How the messages of one product at one version are known.

    `blind_right` and `blind_wrong`: of the messages with an own signature, those that the rest of the knowledge base
    (other products' signatures, the meaning) interprets alike, or with another code; the others remain without an answer.
    """

    product: str
    version: str
    messages: int
    own: int
    meaning: int
    unclassified: int
    other: int
    ignored: int
    blind_right: int
    blind_wrong: int

    @property
    def share(self) -> float:
        """Messages with a signature of the product, of all; 1 when there is none."""
        return self.own / self.messages if self.messages else 1.0


def row_of(product: str, version: str, asked: Iterable[Asked], ignored: int) -> Row:
    """The figures of some answers."""
    answers = list(asked)
    count = Counter(one.bucket for one in answers)
    known = [one for one in answers if one.bucket == OWN]
    right = sum(one.blind in (one.code, *one.also) for one in known)
    return Row(
        product=product,
        version=version,
        messages=len(answers),
        own=count[OWN],
        meaning=count[MEANING],
        unclassified=count[NONE],
        other=count[OTHER],
        ignored=ignored,
        blind_right=right,
        blind_wrong=sum(one.blind not in (NONE, one.code, *one.also) for one in known),
    )


def rows(file: Path = FILE) -> list[Row]:
    """The kept rows by product and version."""
    return sorted(Row(**row) for row in tomllib.loads(file.read_text(encoding="utf-8")).get("row", ()))


def keep(row: Row, file: Path = FILE) -> None:
    """Replace or add the row of this product and version."""
    kept = [one for one in rows(file) if (one.product, one.version) != (row.product, row.version)]
    file.write_text("".join(map(_as_toml, sorted([*kept, row]))), encoding="utf-8")


def _as_toml(row: Row) -> str:
    lines = (
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}" for name, value in asdict(row).items()
    )
    return "[[row]]\n" + "\n".join(lines) + "\n\n"


def table(file: Path = FILE) -> Iterator[str]:
    """The rows as lines of a table in Markdown, with their sum."""
    yield "| product | version | messages | own signature | | by meaning | unclassified | another's signature | ignored | right without own | wrong without own |\n"
    yield "|---|---|---|---|---|---|---|---|---|---|---|\n"
    kept = rows(file)
    for row in kept:
        yield _cells(row.product, row.version, row)
    yield _cells("**all**", "", _sum(kept))


def _cells(product: str, version: str, row: Row) -> str:
    counts = (row.meaning, row.unclassified, row.other, row.ignored, row.blind_right, row.blind_wrong)
    return (
        f"| {product} | {version} | {row.messages} | {row.own} | {row.share:.1%} | {' | '.join(map(str, counts))} |\n"
    )


def _sum(kept: list[Row]) -> Row:
    names = [name for name, kind in Row.__annotations__.items() if kind == "int"]
    return Row(product="", version="", **{name: sum(getattr(row, name) for row in kept) for name in names})
