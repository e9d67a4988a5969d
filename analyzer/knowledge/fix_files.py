"""The fix files as frozen records, validated as a whole: one wrong entry and nothing loads (KnowledgeError)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any, Final

from analyzer.knowledge.products import facts, tables
from analyzer.knowledge.signatures import KnowledgeError
from analyzer.taxonomy import CODES

PLACEHOLDERS: Final = frozenset(
    {"issuer", "expected_issuer", "audience", "expected_audience", "kid", "alg", "claim", "route", "scope", "setting"}
)
# What a snippet is written in; tests parse those that Python can parse.
FORMATS: Final = frozenset(
    {"yaml", "json", "toml", "xml", "properties", "python", "javascript", "java", "csharp", "go", "php", "lua", "shell"}
    | {"nginx", "apache", "haproxy", "caddyfile"}
)
_GENERAL: Final = "general_fixes"
_NEAR: Final = "near_misses"


@dataclass(frozen=True, slots=True)
class FixEntry:
    """What to change for a code, at one gateway or library ("" is any), with `{placeholders}` of PLACEHOLDERS."""

    code: str
    says: str
    source: str
    gateway: str = ""
    library: str = ""
    snippet: str = ""
    format: str = ""  # of the snippet, one of FORMATS


@dataclass(frozen=True, slots=True)
class NearFixEntry:
    """Which of two values that nearly agree to change; `near` are beginnings of near misses (diagnosis/near.py)."""

    near: tuple[str, ...]
    entry: FixEntry
    settings: Mapping[str, str]  # gateway or library -> the name of the verifier's side there; "" is any


@cache
def fix_entries() -> tuple[FixEntry, ...]:
    """Every entry of the general, the gateways' and the libraries' files. Raises KnowledgeError, also when a code has no general one."""
    found = tuple(_entries())
    general = {entry.code for entry in found if not entry.gateway and not entry.library}
    for code in CODES.keys() - general:
        raise KnowledgeError(_GENERAL, code, "needs a fix without gateway and library")
    return found


@cache
def near_fix_entries() -> tuple[NearFixEntry, ...]:
    """Every entry of near_misses/, in order. Raises KnowledgeError."""
    return tuple(_near(file, row, table["settings"]) for file, table in tables(_NEAR) for row in table["fix"])


def _entries() -> Iterator[FixEntry]:
    for file, content in (*tables(_GENERAL), *facts("gateway", "fixes"), *facts("library", "fixes")):
        owner = {kind: content[kind] for kind in ("gateway", "library") if kind in content}
        for row in content["fix"]:
            yield read(file, owner | row)


def _near(file: str, row: Mapping[str, Any], settings: Mapping[str, str]) -> NearFixEntry:
    entry = read(file, {name: value for name, value in row.items() if name != "near"})
    if not row.get("near") or "" not in settings:
        raise KnowledgeError(file, entry.code, 'needs near, and a setting for ""')
    return NearFixEntry(tuple(row["near"]), entry, settings)


def read(file: str, row: Mapping[str, Any]) -> FixEntry:
    """One entry, checked; `file` is for messages. Raises KnowledgeError."""
    try:
        entry = FixEntry(**row)
    except TypeError as error:
        raise KnowledgeError(file, str(row.get("code")), str(error)) from None
    if entry.gateway and entry.library:
        raise KnowledgeError(file, entry.code, "is for a gateway or for a library, not for both")
    if entry.code not in CODES:
        raise KnowledgeError(file, entry.code, "not in the taxonomy")
    if not entry.source.strip() or not entry.says.strip():
        raise KnowledgeError(file, entry.code, "needs words and a source")
    if bool(entry.snippet) != bool(entry.format) or entry.format not in FORMATS | {""}:
        raise KnowledgeError(file, entry.code, f"a snippet needs a format of {sorted(FORMATS)}")
    names = {name for text in (entry.says, entry.snippet) for _, name, _, _ in Formatter().parse(text) if name}
    if strange := names - PLACEHOLDERS:
        raise KnowledgeError(file, entry.code, f"placeholders are {sorted(PLACEHOLDERS)}, not {sorted(strange)}")
    return entry
