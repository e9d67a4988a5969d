"""The codes: public API, shipped as data in taxonomy.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

CAUSES: Final = ("issuer", "format", "library", "gateway", "policy", "unknown")


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its cause, its definition, and what evidence settles it, strongest first."""

    name: str
    cause: str
    when: str
    settles: tuple[str, ...]


def _load() -> dict[str, Code]:
    raw = tomllib.loads(files("analyzer").joinpath("taxonomy.toml").read_text(encoding="utf-8"))
    codes = {name: Code(name, row["cause"], row["when"], tuple(row["settles"])) for name, row in raw.items()}
    strange = [code.name for code in codes.values() if code.cause not in CAUSES]
    if strange:
        raise ValueError(f"taxonomy.toml: cause of {strange} is none of {CAUSES}")
    return codes


CODES: Final = _load()
