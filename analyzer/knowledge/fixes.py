"""From a code to what to change: the most specific entries first, placeholders filled only with harmless values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from string import Formatter, ascii_letters, digits
from typing import Final

from analyzer.knowledge.fix_files import FixEntry, NearFixEntry, fix_entries, near_fix_entries
from analyzer.knowledge.products import Kind, relatives
from analyzer.verdicts import Fix

FIXES: Final = 3
_VALUE_LIMIT: Final = 200
# Values come from tokens, and a fix is pasted into configurations: no quotes, spaces, braces, `;`, `$` or `#`.
_HARMLESS: Final = frozenset(ascii_letters + digits + "-._~:/@+=,*%")


def fixes_for(
    code: str, gateway: str = "", library: str = "", values: Mapping[str, str] | None = None, near_miss: str = ""
) -> tuple[Fix, ...]:
    """One to FIXES fixes for a code of the taxonomy: the gateway's, the library's, the general one.

    A near miss puts first which of the two values to change. `<name>` stands for a value not known.
    """
    given = values or {}
    near = tuple(_near_fix(found, (gateway, library), given) for found in _near_fitting(code, near_miss))
    fitting = _fitting(code, gateway, library)[: FIXES - len(near)]
    return near + tuple(_fix(entry, given) for entry in fitting)


def _near_fitting(code: str, near_miss: str) -> tuple[NearFixEntry, ...]:
    if not near_miss:
        return ()
    return tuple(
        found for found in near_fix_entries() if found.entry.code == code and near_miss.startswith(found.near)
    )[:1]


def _near_fix(found: NearFixEntry, names: tuple[str, str], values: Mapping[str, str]) -> Fix:
    kinds: tuple[Kind, Kind] = ("gateway", "library")
    known = (near for kind, name in zip(kinds, names, strict=True) for near in relatives(kind, name))
    setting = next((found.settings[name] for name in known if name in found.settings), found.settings[""])
    says = setting.join(_filled(part, values) for part in found.entry.says.split("{setting}"))
    return Fix(says, found.entry.source)


@lru_cache(maxsize=4096)
def _fitting(code: str, gateway: str, library: str) -> tuple[FixEntry, ...]:
    """The nearest ones for the gateway, the nearest ones for the library, then the general one, which always stays."""
    rows = _by_code().get(code, ())
    own = _nearest([row for row in rows if row.gateway and not row.library], "gateway", gateway)
    librarys = _nearest([row for row in rows if row.library and not row.gateway], "library", library)
    general = tuple(row for row in rows if not row.gateway and not row.library)[:1]
    return (own[: FIXES - 1 - bool(librarys)] + librarys)[: FIXES - 1] + general


def _nearest(rows: list[FixEntry], kind: Kind, name: str) -> tuple[FixEntry, ...]:
    for near in relatives(kind, name):
        if found := tuple(row for row in rows if getattr(row, kind) == near):
            return found
    return ()


@cache
def _by_code() -> Mapping[str, tuple[FixEntry, ...]]:
    found: dict[str, list[FixEntry]] = {}
    for entry in fix_entries():
        found.setdefault(entry.code, []).append(entry)
    return {code: tuple(rows) for code, rows in found.items()}


def _fix(entry: FixEntry, values: Mapping[str, str]) -> Fix:
    text = f"{entry.says}\n{entry.snippet}" if entry.snippet else entry.says
    return Fix(_filled(text, values), entry.source)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return "".join(literal + (_harmless(name, values.get(name, "")) if name else "") for literal, name in _pieces(text))


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in Formatter().parse(text))


def _harmless(name: str, value: str) -> str:
    usable = value and len(value) <= _VALUE_LIMIT and _HARMLESS.issuperset(value)
    return value if usable else f"<{name}>"
