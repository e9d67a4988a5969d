"""From a code to what to change: the most specific entries first, placeholders filled only with harmless values."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from string import ascii_letters, digits
from typing import Final, Protocol

from analyzer.knowledge.fix_files import PLACEHOLDERS, FixEntry, NearFixEntry, fix_entries, near_fix_entries, pieces
from analyzer.knowledge.products import Kind, relatives
from analyzer.verdicts import Fix

FIXES: Final = 3
_VALUE_LIMIT: Final = 200
# Values come from tokens, and a fix is pasted into configurations: no quotes, spaces, braces, `;`, `$` or `#`.
_HARMLESS: Final = frozenset(ascii_letters + digits + "-._~:/@+=,*%")
_KINDS: Final[tuple[Kind, Kind]] = ("gateway", "library")


class Known(Protocol):
    """Placeholder -> its value; a dict, or what looks a value up when a fix asks for it."""

    def get(self, name: str, default: str, /) -> str:
        """The value, or `default`."""


def fixes_for(
    code: str,
    gateway: str = "",
    library: str = "",
    values: Known | None = None,
    near_miss: str = "",
    discriminant: str = "",
) -> tuple[Fix, ...]:
    """One to FIXES fixes for a code of the taxonomy: the gateway's, the library's, the general one.

    Those written for this discriminant come first, and those for another one are left out. A near miss puts before them
    which of the two values to change.
    """
    given: Known = values or {}
    near = tuple(_near_fix(found, (gateway, library), given) for found in _near_fitting(code, near_miss))
    found = entries_for(code, gateway, library, discriminant)[: FIXES - len(near)]
    return near + tuple(_fix(entry, given) for entry in found)


@lru_cache(maxsize=4096)  # issuers and audiences repeat; a long text is no value and is not kept
def _consists_of_harmless(value: str) -> bool:
    return _HARMLESS.issuperset(value)


def is_harmless(value: str) -> bool:
    """Whether a value may be pasted into a configuration."""
    return bool(value) and len(value) <= _VALUE_LIMIT and _consists_of_harmless(value)


def _near_fitting(code: str, near_miss: str) -> tuple[NearFixEntry, ...]:
    if not near_miss:
        return ()
    fitting = (row for row in near_fix_entries() if row.entry.code == code and near_miss.startswith(row.near))
    return tuple(fitting)[:1]


def _near_fix(found: NearFixEntry, names: tuple[str, str], values: Known) -> Fix:
    known = (near for kind, name in zip(_KINDS, names, strict=True) for near in relatives(kind, name))
    setting = next((found.settings[name] for name in known if name in found.settings), found.settings[""])
    says = setting.join(_sentence(part, values) for part in found.entry.says.split("{setting}"))
    return Fix(says, found.entry.source)


@lru_cache(maxsize=4096)
def entries_for(code: str, gateway: str = "", library: str = "", discriminant: str = "") -> tuple[FixEntry, ...]:
    """The gateway's, the library's and the general one, each the nearest; before them what comes `first`, and those for this discriminant."""
    rows = [row for row in _by_code().get(code, ()) if not row.when or is_for(row, discriminant)]
    owned = _of_owner(rows, "gateway", gateway), _of_owner(rows, "library", library), _of_nobody(rows)
    found = [_most_specific(entries) for entries in owned if entries]
    return tuple(sorted(found, key=lambda entry: (not entry.first, bool(discriminant) and _is_for_any(entry))))


def is_for(entry: FixEntry, discriminant: str) -> bool:
    """Whether an entry is written for this discriminant; "" among `when` is for a failure whose discriminant is not known."""
    return any(fnmatchcase(discriminant, pattern) for pattern in entry.when)


def _is_for_any(entry: FixEntry) -> bool:
    return not entry.when


def _most_specific(entries: list[FixEntry]) -> FixEntry:
    """The one written for the discriminant, else the one for any; `entries` hold no other."""
    return min(entries, key=_is_for_any)


def _of_owner(rows: list[FixEntry], kind: Kind, name: str) -> list[FixEntry]:
    """Those of the gateway or library itself, else of its nearest relative that has any."""
    for near in relatives(kind, name):
        if found := [row for row in rows if near and getattr(row, kind) == near]:
            return found
    return []


def _of_nobody(rows: list[FixEntry]) -> list[FixEntry]:
    return [row for row in rows if not row.gateway and not row.library]


@cache
def _by_code() -> Mapping[str, tuple[FixEntry, ...]]:
    found: dict[str, list[FixEntry]] = {}
    for entry in fix_entries():
        found.setdefault(entry.code, []).append(entry)
    return {code: tuple(rows) for code, rows in found.items()}


def _fix(entry: FixEntry, values: Known) -> Fix:
    says = _sentence(entry.says, values)
    return Fix(f"{says}\n{_snippet(entry.snippet, values)}" if entry.snippet else says, entry.source)


def _sentence(text: str, values: Known) -> str:
    return "".join(
        literal + (_known(name, values) or words or PLACEHOLDERS.get(name, ""))
        for literal, name, words in _pieces(text)
    )


def _snippet(text: str, values: Known) -> str:
    """As a sentence, with an obvious gap where a value is not known: YOUR_ISSUER."""
    return "".join(
        literal + (name and (_known(name, values) or words or f"YOUR_{name.upper()}"))
        for literal, name, words in _pieces(text)
    )


_pieces = lru_cache(maxsize=4096)(pieces)


def _known(name: str, values: Known) -> str:
    value = values.get(name, "")
    return value if is_harmless(value) else ""
