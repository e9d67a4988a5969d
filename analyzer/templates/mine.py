"""Messages in, templates out: what is said again and again, with holes where values differ.

1. Values that are told by their form become holes (values.py).
2. Messages that agree in everything but words outside the verifier's vocabulary (words.py) are a family. A family is
   divided by the place that differs least, until every place that still differs has more words than words are likely
   to have; these places are holes.

The outcome does not depend on the order of the messages. The work is bounded by MAX_MESSAGES, MAX_LENGTH and MAX_OPEN.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from analyzer.knowledge.lexicon import lexicon
from analyzer.knowledge.signatures import HOLE_LIMITS, INNER
from analyzer.templates.value_forms import parts, shape, template_id
from analyzer.templates.variable_words import is_named, is_vocabulary, pieces, proof

MAX_MESSAGES: Final = 5_000  # different ones; the store keeps as many an hour
MAX_LENGTH: Final = 2_000  # characters of a message that a template covers; the collector keeps as many
MAX_OPEN: Final = 32  # places of a family that may become holes
EXAMPLES: Final = 3
_VALUE: Final = "\0"  # a value's place in a row, where a word would stand
_CUT: Final = "…"  # what a text that was cut ends with


@dataclass(frozen=True, slots=True)
class Message:
    """A redacted text and how often it came. `unread`: of records that no parser read, so no wording can explain it."""

    text: str
    gateway: str = ""
    records: int = 1
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """One wording. `texts` is one longer than `holes`, which are (name, kind) as a signature writes them.

    `id` is that of the member seen first; `ids` are those of all members, so an id that was once shown stays good.
    """

    id: str
    ids: frozenset[str]
    texts: tuple[str, ...]
    holes: tuple[tuple[str, str], ...]
    records: int
    gateways: tuple[tuple[str, int], ...]  # (kind, records), most first
    first_seen: datetime | None
    last_seen: datetime | None
    examples: tuple[str, ...]
    unread: bool = False

    @property
    def pattern(self) -> str:
        """As a signature of analyzer/knowledge writes it."""
        literals = [text.replace("{", "{{").replace("}", "}}") for text in self.texts]
        holes = [f"{{{name}:{kind}}}" if kind else f"{{{name}}}" for name, kind in self.holes]
        return "".join(piece for pair in zip(literals, [*holes, ""], strict=True) for piece in pair)

    @property
    def shown(self) -> str:
        """For people: `tenant '<tenant>' is asleep`."""
        holes = [f"<{name}>" for name, _ in self.holes]
        return "".join(piece for pair in zip(self.texts, [*holes, ""], strict=True) for piece in pair)


@dataclass(frozen=True, slots=True)
class _Row:
    """One message taken apart. `words` has _VALUE where `values` stand; `between` is one longer than `words`."""

    message: Message
    shape: str
    between: tuple[str, ...]
    words: tuple[str, ...]
    values: tuple[str, ...]


def mine(messages: Iterable[Message]) -> tuple[Template, ...]:
    """Templates, the most frequent first. Beyond MAX_MESSAGES the rarest messages are left out; never raises."""
    ordered = sorted(messages, key=lambda message: (-message.records, message.text, message.gateway, message.unread))
    families: defaultdict[tuple[object, ...], list[_Row]] = defaultdict(list)
    for message in ordered[:MAX_MESSAGES]:
        row = _row(message)
        families[_family(row)].append(row)
    found = [_template(rows, holes) for family in families.values() for rows, holes in _divided(family)]
    return tuple(sorted(found, key=lambda template: (-template.records, template.id, template.unread)))


def cut(text: str) -> str:
    """The part of a message that a template covers; it ends with a whole word."""
    text = text.removesuffix(_CUT)
    if len(text) <= MAX_LENGTH:
        return text
    words = text[: MAX_LENGTH + 1].rsplit(maxsplit=1)
    return words[0] if len(words) > 1 else text[:MAX_LENGTH]


# --- families ----------------------------------------------------------------------------------------------


def _row(message: Message) -> _Row:
    literals, values = parts(cut(message.text))
    between: list[str] = [""]
    words: list[str] = []
    for index, literal in enumerate(literals):
        first, *others = pieces(literal)[0]
        between[-1] += first
        between += others
        words += pieces(literal)[1]
        if index < len(values):
            words.append(_VALUE)
            between.append("")
    return _Row(message, shape(message.text), tuple(between), tuple(words), values)


def _family(row: _Row) -> tuple[object, ...]:
    """Equal for rows that differ in values, and in words outside the vocabulary."""
    around = ("", *row.words, "")
    fixed = (
        word if word != _VALUE and is_vocabulary(word) and not is_named(word, before, after) else ""
        for before, word, after in zip(around, row.words, around[2:], strict=False)
    )
    return (row.message.unread, row.between, tuple(fixed))


def _divided(rows: list[_Row]) -> Iterator[tuple[list[_Row], frozenset[int]]]:
    """The family in parts, each with the places of its words that are holes."""
    waiting = [rows]
    while waiting:
        part = waiting.pop()
        varying = _varying(part)
        if not varying:
            yield part, frozenset()
            continue
        least = min(varying, key=lambda place: (len(varying[place]), place))
        if _is_value_s_place(varying[least], part) and _says_enough(part[0], varying.keys()):
            yield part, frozenset(varying)
            continue
        by_word: defaultdict[str, list[_Row]] = defaultdict(list)
        for row in part:
            by_word[row.words[least]].append(row)
        waiting.extend(by_word.values())


def _varying(rows: list[_Row]) -> dict[int, set[str]]:
    """Place -> its words, where they differ; beyond MAX_OPEN such places the shapes are taken apart from the left."""
    columns = (set(column) for column in zip(*(row.words for row in rows), strict=True))
    found = [(place, words) for place, words in enumerate(columns) if len(words) > 1]
    return dict(found[:MAX_OPEN])


def _is_value_s_place(words: set[str], rows: list[_Row]) -> bool:
    """Enough different words, and few messages to each: three words in a hundred messages are rather three wordings."""
    if _VALUE in words:
        return True
    needed = proof(words)
    shapes = len({row.shape for row in rows})
    return len(words) >= needed and len(words) * needed > shapes


def _says_enough(row: _Row, holes: Iterable[int]) -> bool:
    """At least as many words stay as become holes."""
    gone = set(holes)
    stays = [word for place, word in enumerate(row.words) if word != _VALUE and place not in gone]
    return len(stays) >= len(gone)


# --- templates ---------------------------------------------------------------------------------------------


def _template(rows: list[_Row], places: frozenset[int]) -> Template:
    texts, columns = _joined(*_columns(rows, places))
    messages = [row.message for row in rows]
    gateways = _records_by_gateway(messages)
    return Template(
        id=template_id(min(rows, key=_age).shape),
        ids=frozenset(template_id(row.shape) for row in rows),
        texts=texts,
        holes=tuple(zip(_names(texts), map(_kind, columns), strict=True)),
        records=sum(gateways.values()),
        gateways=tuple(sorted(gateways.items(), key=lambda item: (-item[1], item[0]))),
        first_seen=min(filter(None, (message.first_seen for message in messages)), default=None),
        last_seen=max(filter(None, (message.last_seen for message in messages)), default=None),
        examples=tuple(dict.fromkeys(message.text for message in messages))[:EXAMPLES],
        unread=messages[0].unread,
    )


def _records_by_gateway(messages: Iterable[Message]) -> Counter[str]:
    found: Counter[str] = Counter()
    for message in messages:
        found[message.gateway] += message.records
    return found


def _age(row: _Row) -> tuple[float, str]:
    """The oldest first; of those seen at the same time, or without a time, the one whose id is the smallest."""
    first = row.message.first_seen
    return (first.timestamp() if first else 0.0, template_id(row.shape))


def _columns(rows: list[_Row], places: frozenset[int]) -> tuple[list[str], list[list[str]]]:
    """Literals, and for each hole between them what stands there in each row."""
    texts, columns = [rows[0].between[0]], []
    said = [_said(row) for row in rows]
    for place, word in enumerate(rows[0].words):
        after = rows[0].between[place + 1]
        if word == _VALUE or place in places:
            columns.append([each[place] for each in said])
            texts.append(after)
        else:
            texts[-1] += word + after
    return texts, columns


def _said(row: _Row) -> list[str]:
    """Words and values, as they stand."""
    values = iter(row.values)
    return [next(values) if word == _VALUE else word for word in row.words]


def _joined(texts: list[str], columns: list[list[str]]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Holes that nothing but a mark or two separates as one: a signature needs words between its holes."""
    kept: list[str] = [texts[0]]
    held: list[list[str]] = []
    for text, column in zip(texts[1:], columns, strict=True):
        link = kept[-1]
        if held and len(link) < 3 and not any(char.isalnum() or char.isspace() for char in link):
            held[-1] = [left + link + right for left, right in zip(held[-1], column, strict=True)]
            kept[-1] = text
        else:
            held.append(column)
            kept.append(text)
    return tuple(kept), held


def _kind(values: Iterable[str]) -> str:
    """The narrowest kind of hole that holds them all."""
    found = list(values)
    longest = max(map(len, found))
    if longest <= HOLE_LIMITS["int"] and all(value.lstrip("-").isdigit() for value in found):
        return "int"
    if longest <= HOLE_LIMITS["word"] and not any(char.isspace() for value in found for char in value):
        return "word"
    return "" if longest <= HOLE_LIMITS[""] else "long"


def _names(texts: tuple[str, ...]) -> list[str]:
    """A hole is called after the word before it."""
    used: Counter[str] = Counter()
    names = []
    for text in texts[:-1]:
        words = pieces(text)[1]
        name = words[-1].lower() if words and _is_name(words[-1]) else "value"
        used[name] += 1
        names.append(name if used[name] == 1 else f"{name}{used[name]}")
    return names


def _is_name(word: str) -> bool:
    return word.isascii() and word.isalpha() and 2 < len(word) < 20 and word.lower() not in lexicon().filler | {INNER}
