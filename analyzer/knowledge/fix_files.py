"""The fix files as frozen records, validated as a whole: one wrong entry and nothing loads (KnowledgeError)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any, Final

from analyzer.knowledge.products import facts, tables
from analyzer.knowledge.signatures import KnowledgeError
from analyzer.taxonomy import CODES

# What a fix may name -> the words used in its sentence when the value is not known.
PLACEHOLDERS: Final[Mapping[str, str]] = {
    "issuer": "the token's issuer",
    "expected_issuer": "the configured issuer",
    "audience": "the token's audience",
    "expected_audience": "the API's audience",
    "kid": "the token's kid",
    "alg": "the token's algorithm",
    "expected_alg": "an algorithm that the gateway accepts",
    "claim": "the claim",
    "scope": "the missing scope",
    "setting": "",  # of near misses; always known
}
# What a snippet is written in; tests parse those that Python can parse.
FORMATS: Final = frozenset(
    {"yaml", "json", "toml", "xml", "properties", "python", "javascript", "java", "csharp", "go", "php", "lua", "shell"}
    | {"nginx", "apache", "haproxy", "caddyfile"}
)
_GENERAL: Final = "general_fixes"
_NEAR: Final = "near_misses"
_LISTS: Final = frozenset({"when"})


@dataclass(frozen=True, slots=True)
class FixEntry:
    """What to change for a code, at one gateway or library ("" is any), with `{placeholders}` of PLACEHOLDERS.

    `when` are the discriminants for which it is the right fix, each a text or a pattern of fnmatch, "" for a failure
    without one; without `when` it is right for every discriminant that no other entry is for. `first` is for a general one that
    repairs the cause where the gateway's and the library's settings would accept more.
    """

    code: str
    says: str
    source: str
    gateway: str = ""
    library: str = ""
    when: tuple[str, ...] = ()
    snippet: str = ""
    format: str = ""  # of the snippet, one of FORMATS
    first: bool = False


@dataclass(frozen=True, slots=True)
class NearFixEntry:
    """Which of two values that nearly agree to change; `near` are beginnings of near misses (diagnosis/near.py)."""

    near: tuple[str, ...]
    entry: FixEntry
    settings: Mapping[str, str]  # gateway or library -> the name of the expected value's setting there; "" is any


@cache
def fix_entries() -> tuple[FixEntry, ...]:
    """Every entry of the general, the gateways' and the libraries' files. Raises KnowledgeError, also when a code has no general one."""
    found = tuple(_entries())
    general = {entry.code for entry in found if not (entry.gateway or entry.library or entry.when)}
    for code in CODES.keys() - general:
        raise KnowledgeError(_GENERAL, code, "needs a fix without gateway, library and when")
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
    fields: dict[str, Any] = {name: tuple(value) if name in _LISTS else value for name, value in row.items()}
    try:
        entry = FixEntry(**fields)
    except TypeError as error:
        raise KnowledgeError(file, str(row.get("code")), str(error)) from None
    for is_right, expected in _RULES:
        if not is_right(entry):
            raise KnowledgeError(file, entry.code, expected)
    return entry


def _names_one_owner(entry: FixEntry) -> bool:
    return not (entry.gateway and entry.library)


def _has_text_and_source(entry: FixEntry) -> bool:
    return bool(entry.source.strip() and entry.says.strip())


def _has_format(entry: FixEntry) -> bool:
    return bool(entry.snippet) == bool(entry.format) and entry.format in FORMATS | {""}


def _names_known_placeholders(entry: FixEntry) -> bool:
    names = {name for text in (entry.says, entry.snippet) for _, name, _ in pieces(text) if name}
    return names <= PLACEHOLDERS.keys()


# What must hold for every entry, and what is said when it does not.
_RULES: Final[tuple[tuple[Callable[[FixEntry], bool], str], ...]] = (
    (_names_one_owner, "is for a gateway or for a library, not for both"),
    (lambda entry: entry.code in CODES, "not in the taxonomy"),
    (_has_text_and_source, "needs words and a source"),
    (_has_format, f"a snippet needs a format of {sorted(FORMATS)}"),
    (_names_known_placeholders, f"placeholders are {sorted(PLACEHOLDERS)}"),
)


def pieces(text: str) -> tuple[tuple[str, str, str], ...]:
    """A text with placeholders in parts: (literal, name of the placeholder behind it, words for an unknown value).

    >>> pieces("Add {audience} or {claim|a claim}.")
    (('Add ', 'audience', ''), (' or ', 'claim', 'a claim'), ('.', '', ''))
    """
    return tuple((literal, *_field(field or "")) for literal, field, _, _ in Formatter().parse(text))


def _field(field: str) -> tuple[str, str]:
    name, _, words = field.partition("|")
    return name, words
