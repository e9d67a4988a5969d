"""A template as an entry of the knowledge base: TOML to paste, which the loader accepts and which proves itself.

What only a person knows stays open: the code, where the words alone do not give it ("?"), and the source, which is the
program's own text and not a log line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from analyzer.knowledge import Reading, read_meaning
from analyzer.knowledge.match import Knowledge
from analyzer.knowledge.signatures import UNDECIDED, KnowledgeError, Signature, signatures_of
from analyzer.templates.mine import Template
from analyzer.templates.variable_words import pieces
from collector.errors import Why401Error

CERTAINTY: Final = 0.8  # the words decide unless the token refutes them
_ANY_CODE: Final = "access_denied"  # stands in for a code that is not decided yet, where one is needed to load
_NEVER_READ: Final = "the request was let through"
_ID_WORDS: Final = 6
_CONSIDERED: Final = 5_000  # texts among which a near miss is looked for


class NoEntry(Why401Error):
    """A template too general for a signature: it would read what it must not."""

    def __init__(self, template: Template, why: str) -> None:
        super().__init__(f"{template.id} makes no entry ({template.shown!r}): {why}")
        self.template = template
        self.why = why


@dataclass(frozen=True, slots=True)
class Entry:
    """What `toml` says: a signature without a decided code when `code` is UNDECIDED."""

    id: str
    code: str
    toml: str


def suggested(template: Template) -> Reading | None:
    """What the words mean to the meaning-based reader, by the surest of the examples; None when they say nothing."""
    readings = [reading for text in template.examples for reading in read_meaning(text)[:1]]
    return max(readings, key=lambda reading: (reading.certainty, reading.code), default=None)


def entry(template: Template, known: Knowledge, others: Iterable[str] = (), code: str = "") -> Entry:
    """The entry for a template. `others` are texts of other templates; near misses come from them. Raises NoEntry."""
    if template.unread:
        raise NoEntry(template, "no parser read these records; describe their format under [[formats]]")
    guess = suggested(template)
    row = _row(template, known, code or (guess.code if guess else UNDECIDED))
    signature = _loaded(template, row)
    fitting = _fitting(template, row, signature)
    row = _row(fitting, known, row["code"]) | {"examples": _read_by(_loaded(fitting, row), template.examples)}
    row["near_misses"] = [_near_miss(_loaded(fitting, row), known, others)]
    comments = [*_head(template), *_rivals(known, _loaded(fitting, row))]
    return Entry(row["id"], row["code"], "\n".join([*comments, *_lines(row, None if code else guess)]) + "\n")


def _row(template: Template, known: Knowledge, code: str) -> dict[str, Any]:
    """The signature as a table; examples and near misses are not proven yet."""
    gateways = [kind for kind, _ in template.gateways if kind]
    own = known.is_gateway(gateways[0]) if len(gateways) == 1 else False
    row = {"id": _id(template, known, gateways[0] if own else "own")}
    row |= {"gateway": gateways[0]} if own else {}
    return row | {
        "pattern": template.pattern,
        "code": code,
        "certainty": CERTAINTY,
        "source": _source(template),
        "examples": list(template.examples),
        "near_misses": [_NEVER_READ],
    }


def _loaded(template: Template, row: dict[str, Any]) -> Signature:
    decided = row | {"code": _ANY_CODE if row["code"] == UNDECIDED else row["code"]}
    try:
        return next(iter(signatures_of("the proposal", {"signature": [decided]})))
    except KnowledgeError as error:
        raise NoEntry(template, error.expected) from None


def _fitting(template: Template, row: dict[str, Any], signature: Signature) -> Template:
    """The template with holes that its examples fit: wide ones, where a value holds what stands behind its hole."""
    if _read_by(signature, template.examples):
        return template
    wide = replace(template, holes=tuple((name, "") for name, _ in template.holes))
    if _read_by(_loaded(wide, row | {"pattern": wide.pattern}), template.examples):
        return wide
    raise NoEntry(template, "its values and its words cannot be told apart")


def _read_by(signature: Signature, texts: Iterable[str]) -> list[str]:
    alone = Knowledge((signature,))
    return [text for text in texts if alone.read(text, signature.gateway)]


def _near_miss(signature: Signature, known: Knowledge, others: Iterable[str]) -> str:
    """The text with the most words in common that the signature does not read; of its own gateway, when equal."""
    mine = set(pieces(signature.examples[0])[1])
    listed = [(text, each.gateway) for each in known.signatures for text in each.examples]
    texts = dict([*listed, *((text, signature.gateway) for text in others)][-_CONSIDERED:])

    def likeness(text: str) -> tuple[int, bool, int, str]:
        words = set(pieces(text)[1])
        return len(mine & words), texts[text] == signature.gateway, -len(words), text

    unread = (text for text in sorted(texts, key=likeness, reverse=True) if not _read_by(signature, [text]))
    return next(unread, _NEVER_READ)


def _rivals(known: Knowledge, signature: Signature) -> Iterator[str]:
    """What would be read first all the same, once this signature is there."""
    both = Knowledge((*known.signatures, signature))
    for example in signature.examples:
        first = both.read(example, signature.gateway)[0]
        if first.signature_id != signature.id and first.code != signature.code:
            yield f"# {first.signature_id} reads an example first, as {first.code}: say more in the pattern, or that code."
            return


# --- words -------------------------------------------------------------------------------------------------


def _head(template: Template) -> Iterator[str]:
    gateways = [kind for kind, _ in template.gateways if kind]
    since = f" since {template.first_seen:%Y-%m-%d %H:%M} UTC" if template.first_seen else ""
    yield f"# {template.id}: {template.records} records{since}{' at ' if gateways else ''}{_comment(', '.join(gateways))}"
    home = f"gateways/{_comment(gateways[0])}.toml" if len(gateways) == 1 else "libraries/<library>.toml"
    yield "# Goes into a file of yours, named in why401.toml ([knowledge] files); `why401 check` proves it."
    yield f"# For everybody: analyzer/knowledge/{home}, with the program's own text as source."


def _lines(row: dict[str, Any], guess: Reading | None) -> Iterator[str]:
    yield "[[signature]]"
    for name, value in row.items():
        yield f"{name} = {_toml(value)}{_about(row, guess) if name == 'code' else ''}"


def _about(row: dict[str, Any], guess: Reading | None) -> str:
    if row["code"] == UNDECIDED:
        return "  # one of docs/codes.md; `why401 propose --code CODE ID` writes it"
    if guess is None:
        return ""
    others = f"; or {', '.join(guess.also)}" if guess.also else ""
    return f"  # by meaning, {guess.certainty:.0%} sure{others}: confirm it"


def _id(template: Template, known: Knowledge, prefix: str) -> str:
    words = [word.lower() for text in template.texts for word in pieces(text)[1] if word.isascii()]
    plain = "_".join("".join(char if char.isalnum() else "_" for char in word) for word in words[:_ID_WORDS])
    name = f"{prefix}.{plain[:60].strip('_') or template.id}"
    return f"{name}_{template.id[2:]}" if any(each.id == name for each in known.signatures) else name


def _source(template: Template) -> str:
    when = f", first {template.first_seen:%Y-%m-%d}" if template.first_seen else ""
    return f"seen in {template.records} records{when} ({template.id})"


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    text = json.dumps(value.encode("utf-8", "replace").decode(), ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in text)
