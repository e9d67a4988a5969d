"""The knowledge files as frozen records, validated as a whole: one wrong entry and nothing loads (KnowledgeError)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any, Final

from analyzer.knowledge import compiled
from analyzer.knowledge.products import Kind, facts, table
from analyzer.taxonomy import CODES
from collector.errors import Why401Error

MIN_LITERAL: Final = 5  # a shorter anchor would wake its signature on every other line
HOLE_LIMITS: Final = {"": 512, "word": 200, "int": 24, "long": 8192}  # kind of a hole -> longest text, characters
INNER: Final = "inner"  # the name of the hole that holds a wrapped message
UNDECIDED: Final = "?"  # what `why401 propose` writes for a code that only a person can name
_ANCHORS: Final = ("", "full")
_LISTS: Final = frozenset({"also", "examples", "near_misses"})
_OTHERS: Final[Mapping[str, tuple[type, ...]]] = {
    "certainty": (int, float),
    "underscores": (bool,),
    "by": (str, dict),
}  # every other key of a signature is text


class KnowledgeError(Why401Error, ValueError):
    """A knowledge file is wrong. Carries the file, the entry and what would be right."""

    def __init__(self, file: str, entry: str, expected: str) -> None:
        super().__init__(f"{file}: {entry}: {expected}")
        self.file = file
        self.entry = entry
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts with holes between them; `texts` is one longer than `holes`, its ends may be empty."""

    texts: tuple[str, ...]
    holes: tuple[tuple[str, str], ...]  # (name, kind of HOLE_LIMITS)

    @property
    def anchor(self) -> int:
        """Index of the longest literal, which the prefilter looks for."""
        return max(range(len(self.texts)), key=lambda index: len(self.texts[index]))

    @property
    def size(self) -> int:
        """Literal characters."""
        return sum(map(len, self.texts))


@dataclass(frozen=True, slots=True)
class Signature:
    """One wording of one program: what it means, how surely, and the texts that prove it."""

    id: str
    templates: tuple[Template, ...]
    code: str
    also: tuple[str, ...]
    certainty: float
    source: str
    library: str = ""
    gateway: str = ""
    exception: str = ""
    versions: str = ""
    anchored: str = ""
    says: str = ""
    by: tuple[tuple[str, str, tuple[str, ...]], ...] = ()  # (hole, its text, codes instead, best first)
    examples: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()


@cache
def signatures() -> tuple[Signature, ...]:
    """Every signature of every gateway and library. Raises KnowledgeError."""
    return compiled.held("signatures", tuple[Signature, ...], _checked)


def _checked() -> tuple[Signature, ...]:
    kinds: tuple[Kind, Kind] = ("gateway", "library")
    found = tuple(
        found for kind in kinds for file, content in facts(kind, "words") for found in signatures_of(file, content)
    )
    _unique("signatures", (signature.id for signature in found))
    return found


@cache
def titles() -> Mapping[str, str]:
    """Code -> one plain sentence. Raises KnowledgeError when a code of the taxonomy has none."""
    found: dict[str, str] = table("titles.toml")
    for code in CODES.keys() ^ found.keys():
        raise KnowledgeError("titles.toml", code, "needs exactly one title for each code of the taxonomy")
    return found


def title(code: str) -> str:
    """The code in one sentence that a person at 3 am understands. Raises KeyError for a code of no taxonomy."""
    return titles()[code]


@cache
def _claim_codes() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    raw = table("claims.toml")
    return {name: {value: tuple(codes) for value, codes in row.items()} for name, row in raw.items()}


def signatures_of(file: str, content: Mapping[str, Any]) -> Iterator[Signature]:
    """The signatures of one file's TOML, checked one by one; `file` is for messages. Raises KnowledgeError."""
    rows = content.get("signature", ())
    if not isinstance(rows, list | tuple) or not all(isinstance(row, dict) for row in rows):
        raise KnowledgeError(file, "signature", "a list of tables: [[signature]]")
    for row in rows:
        yield _signature(file, {"library": content.get("library", ""), "gateway": content.get("gateway", "")} | row)


def _signature(file: str, row: dict[str, Any]) -> Signature:
    entry = str(row.get("id", "an entry without id"))
    wanted = {"id", "pattern", "code", "certainty", "source", "examples", "near_misses"}
    if missing := sorted(wanted - row.keys()):
        raise KnowledgeError(file, entry, f"needs {missing}")
    _check_types(file, entry, row)
    templates = _templates(file, entry, row.pop("pattern"), either=row.pop("underscores", False))
    by = _by(file, entry, row.pop("by", {}), templates[0])
    fields = row | {name: tuple(row.get(name, ())) for name in ("also", "examples", "near_misses")}
    try:
        signature = Signature(templates=templates, by=by, **fields)
    except TypeError as error:
        raise KnowledgeError(file, entry, str(error)) from None
    _check(file, signature)
    return signature


def _check_types(file: str, entry: str, row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        if name in _LISTS:
            if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
                raise KnowledgeError(file, entry, f"{name} is a list of texts")
        elif isinstance(value, bool) != (name == "underscores") or not isinstance(value, _OTHERS.get(name, (str,))):
            kinds = " or ".join(kind.__name__ for kind in _OTHERS.get(name, (str,)))
            raise KnowledgeError(file, entry, f"{name} is {kinds}, not {type(value).__name__}")


def _templates(file: str, entry: str, pattern: str, *, either: bool) -> tuple[Template, ...]:
    written = (pattern, pattern.replace(" ", "_")) if either and " " in pattern else (pattern,)
    return tuple(_template(file, entry, text) for text in written)


def _template(file: str, entry: str, pattern: str) -> Template:
    try:
        pieces = list(Formatter().parse(pattern))
    except ValueError as error:
        raise KnowledgeError(file, entry, f"pattern: {error}; a brace of the text itself is doubled") from None
    literals: list[str] = [""]
    holes: list[tuple[str, str]] = []
    for literal, name, kind, _ in pieces:
        literals[-1] += literal
        if name is not None:
            holes.append((name, kind or ""))
            literals.append("")
    template = Template(tuple(literals), tuple(holes))
    _check_template(file, entry, template)
    return template


def _check_template(file: str, entry: str, template: Template) -> None:
    if not all(template.texts[1:-1]):
        raise KnowledgeError(file, entry, "two holes need a literal between them")
    if strange := [kind for _, kind in template.holes if kind not in HOLE_LIMITS]:
        raise KnowledgeError(file, entry, f"kinds of holes are {sorted(HOLE_LIMITS)}, not {strange}")
    if len(template.texts[template.anchor]) < MIN_LITERAL:
        raise KnowledgeError(file, entry, f"needs a literal of at least {MIN_LITERAL} characters")


def _by(file: str, entry: str, raw: Any, template: Template) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    if isinstance(raw, str):
        if raw not in _claim_codes():
            raise KnowledgeError(file, entry, f"by is one of {sorted(_claim_codes())}, or a table of its own")
        rows = [("claim", value, codes) for value, codes in _claim_codes()[raw].items()]
    else:
        pairs = ((key.partition("="), codes) for key, codes in raw.items())
        rows = [(hole, value, tuple(codes)) for (hole, _, value), codes in pairs]
    names = {name for name, _ in template.holes}
    for hole, value, codes in rows:
        if hole not in names or not set(codes) <= CODES.keys():
            raise KnowledgeError(file, entry, f"by {hole}={value}: needs that hole and codes of the taxonomy")
    return tuple(rows)


def _check(file: str, signature: Signature) -> None:
    if signature.code == UNDECIDED:
        raise KnowledgeError(file, signature.id, 'code = "?": write the code that these words mean (docs/codes.md)')
    if strange := {signature.code, *signature.also} - CODES.keys():
        raise KnowledgeError(file, signature.id, f"not in the taxonomy: {sorted(strange)}")
    if signature.code in signature.also:
        raise KnowledgeError(file, signature.id, "also: repeats the code")
    if not 0 < signature.certainty <= 1:
        raise KnowledgeError(file, signature.id, "certainty lies in (0, 1]")
    if signature.anchored not in _ANCHORS:
        raise KnowledgeError(file, signature.id, f"anchored is one of {_ANCHORS}")
    if not signature.examples or not signature.near_misses or not signature.source:
        raise KnowledgeError(file, signature.id, "needs a source, an example and a near miss")


def _unique(file: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise KnowledgeError(file, name, f"occurs {count} times")
