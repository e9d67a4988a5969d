"""Which product wrote a record, where the line's shape does not say it: by words that are that product's alone.

The table is `collector/gateways/products.toml`. One Aho-Corasick pass over the record's beginning finds the marks of
every product at once, so that a record costs the same whether the table has ten products or a hundred.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
from ahocorasick_rs import AhoCorasick, Implementation

from collector.gateways.reading.values import MAX_KEYS
from collector.records import RawRecord

FILE: Final = Path(__file__).parents[1] / "products.toml"
_READ_CHARS: Final = 4096  # logger, class and the first sentence stand within it


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of the table.

    `marks`: lists of texts; a record that holds every text of one list is this product's. `refusals`: its own words
    that refuse a caller, also where no general word does; with one of `calm` the line refuses nobody. `echoes`: its sentences that follow
    a line with the reason. `keys`: field of
    `Parsed` -> dotted paths in its JSON objects. `prefix`: field of `Parsed` -> what is put before its value.
    """

    name: str
    source: str
    marks: tuple[tuple[str, ...], ...]
    refusals: tuple[str, ...] = ()
    calm: tuple[str, ...] = ()
    echoes: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prefix: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recognized:
    """Whose record it is, and whether one of the product's own words of refusal stands in it."""

    product: Product
    is_refusal: bool


@cache
def products() -> tuple[Product, ...]:
    """The table, in its order: of two products whose marks a record holds, the first one wrote it."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["product"]
    return tuple(_product(row) for row in rows)


def _product(row: Mapping[str, Any]) -> Product:
    return Product(
        name=row["name"],
        source=row["source"],
        marks=tuple((mark,) if isinstance(mark, str) else tuple(mark) for mark in row["marks"]),
        refusals=tuple(row.get("refusals", ())),
        calm=tuple(row.get("calm", ())),
        echoes=tuple(row.get("echoes", ())),
        keys={name: tuple(paths) for name, paths in row.get("keys", {}).items()},
        prefix=row.get("prefix", {}),
    )


def recognized(record: RawRecord) -> Recognized | None:
    """The product whose marks the record holds; None when no product is certain."""
    found = _search().find(_searched(record))
    return _judged(found) if found else None


def named(record: RawRecord, name: str) -> Recognized:
    """The same for a record whose product the operator names. Raises KeyError for a name that is not in the table."""
    product = {each.name: each for each in products()}[name]
    return Recognized(product, _says(product, _search().find(_searched(record))))


def _judged(found: frozenset[str]) -> Recognized | None:
    """Only the marks that hold a found text are looked at: the table has a thousand."""
    known = products()
    places = (place for text in found for place, mark in _search().marks.get(text, ()) if found.issuperset(mark))
    first = min(places, default=None)
    return None if first is None else Recognized(known[first], _says(known[first], found))


def _says(product: Product, found: frozenset[str]) -> bool:
    return not found.isdisjoint(product.refusals) and found.isdisjoint(product.calm)


def _searched(record: RawRecord) -> str:
    if record.text:
        return record.text[:_READ_CHARS].replace('": ', '":')  # JSON with and without the blank has the same marks
    return _serialized({**record.attributes, **(record.fields or {})})


def _serialized(fields: Mapping[str, Any]) -> str:
    """JSON without blanks, as marks are written; "" for what cannot be written as JSON, which no product logs."""
    if not 0 < len(fields) <= MAX_KEYS:
        return ""
    try:
        return orjson.dumps(fields, default=str)[:_READ_CHARS].decode("utf-8", "replace")
    except (TypeError, RecursionError):
        return ""


def _by_text(known: tuple[Product, ...]) -> Mapping[str, tuple[tuple[int, tuple[str, ...]], ...]]:
    """Text -> the marks that hold it, with the place of their product; a mark is found by the first of its texts."""
    rows: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for place, product in enumerate(known):
        for mark in product.marks:
            rows.setdefault(mark[0], []).append((place, mark))
    return {text: tuple(marks) for text, marks in rows.items()}


class _Search:
    """All marks and words of refusal of all products, searched at once."""

    def __init__(self) -> None:
        texts = {text for each in products() for mark in each.marks for text in mark}
        texts |= {text for each in products() for text in (*each.refusals, *each.calm)}
        self._texts = sorted(texts)
        self.marks = _by_text(products())
        self._automaton = AhoCorasick(self._texts, implementation=Implementation.ContiguousNFA)

    def find(self, text: str) -> frozenset[str]:
        """The texts that occur."""
        try:
            indexes = self._automaton.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:  # half of a surrogate pair, which no mark has
            indexes = self._automaton.find_matches_as_indexes(
                text.encode("utf-8", "replace").decode(), overlapping=True
            )
        return frozenset(self._texts[index] for index, _, _ in indexes)


_search = cache(_Search)
