"""Which files of which repository are a product's authentication code, and which of their texts are no auth messages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
MAX_IGNORED: Final = 60  # rows of one product; more are a sign that its paths are too wide


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """Texts that are no answer to a caller: a pattern that is searched in the text or its call, and why."""

    pattern: re.Pattern[str]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Product:
    """One source tree of a gateway or library; `of` names it as the knowledge base does."""

    name: str
    kind: str  # gateway | library
    of: str
    repository: str
    paths: tuple[str, ...]
    without: tuple[str, ...] = ()
    constants: str = ""
    ignored: tuple[Ignored, ...] = field(default=())


def products(file: Path = HERE / "products.toml") -> Mapping[str, Product]:
    """Every product by name. Raises ValueError with the entry that is wrong."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    everywhere = tuple(map(_ignored, content.get("ignore", ())))
    return {name: _product(name, row, everywhere) for name, row in content["product"].items()}


def _product(name: str, row: dict[str, Any], everywhere: tuple[Ignored, ...]) -> Product:
    own = tuple(map(_ignored, row.get("ignore", ())))
    if len(own) > MAX_IGNORED:
        raise ValueError(f"{name}: {len(own)} ignored patterns; at most {MAX_IGNORED} are expected")
    if ("gateway" in row) == ("library" in row):
        raise ValueError(f"{name}: needs either gateway or library")
    kind = "gateway" if "gateway" in row else "library"
    return Product(
        name=name,
        kind=kind,
        of=row[kind],
        repository=row["repository"],
        paths=tuple(row["paths"]),
        without=tuple(row.get("without", ())),
        constants=row.get("constants", ""),
        ignored=(*everywhere, *own),
    )


def _ignored(row: dict[str, str]) -> Ignored:
    if not row.get("reason"):
        raise ValueError(f"{row}: needs a reason")
    return Ignored(pattern=re.compile(row["pattern"]), reason=row["reason"])
