"""From a code to what to change: the most specific remedies first, placeholders filled only with harmless values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from string import Formatter, ascii_letters, digits
from typing import Final

from analyzer.knowledge.load import Remedy, kin, remedies
from analyzer.verdicts import Fix

FIXES: Final = 3
_VALUE_LIMIT: Final = 200
# Values come from tokens, and a fix is pasted into configurations: no quotes, spaces, braces, `;`, `$` or `#`.
_HARMLESS: Final = frozenset(ascii_letters + digits + "-._~:/@+=,*%")


def remedies_for(
    code: str, gateway: str = "", library: str = "", values: Mapping[str, str] | None = None
) -> tuple[Fix, ...]:
    """One to FIXES fixes for a code of the taxonomy, the most specific first; `<name>` stands for a value not known."""
    return tuple(_fix(remedy, values or {}) for remedy in _fitting(code, gateway, library))


@lru_cache(maxsize=4096)
def _fitting(code: str, gateway: str, library: str) -> tuple[Remedy, ...]:
    gateways = _near("gateway", gateway)
    libraries = _near("library", library)
    ranked = [
        (gateways[remedy.gateway] + libraries[remedy.library], order, remedy)
        for order, remedy in enumerate(_by_code().get(code, ()))
        if remedy.gateway in gateways and remedy.library in libraries
    ]
    return tuple(remedy for _, _, remedy in sorted(ranked)[:FIXES])


def _near(kind: str, name: str) -> dict[str, int]:
    """Names whose remedies hold for this one -> distance; "", that is any, is farthest."""
    names = dict.fromkeys((name, *kin(kind).get(name, ()), ""))
    distances = {near: distance for distance, near in enumerate(names)}
    return distances | {"": 10}


@cache
def _by_code() -> Mapping[str, tuple[Remedy, ...]]:
    found: dict[str, list[Remedy]] = {}
    for remedy in remedies():
        found.setdefault(remedy.code, []).append(remedy)
    return {code: tuple(rows) for code, rows in found.items()}


def _fix(remedy: Remedy, values: Mapping[str, str]) -> Fix:
    text = f"{remedy.says}\n{remedy.snippet}" if remedy.snippet else remedy.says
    return Fix(_filled(text, values), remedy.source)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return "".join(literal + (_harmless(name, values.get(name, "")) if name else "") for literal, name in _pieces(text))


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in Formatter().parse(text))


def _harmless(name: str, value: str) -> str:
    usable = value and len(value) <= _VALUE_LIMIT and _HARMLESS.issuperset(value)
    return value if usable else f"<{name}>"
