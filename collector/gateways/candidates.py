"""Which parsers a record is shown to: most of them cannot read a text that begins as this one does.

Thirty parsers would each look at the beginning of a line and say no. What they look for is data (`Texts`), so one look decides for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from collector.gateways.reading.contract import MAX_HEAD, Parser, Texts
from collector.records import RawRecord

_MAX_LOOKS: Final = 4096  # looks whose parsers are remembered


class Candidates:
    """Parsers in their order, each with the texts that it reads; None: any."""

    def __init__(self, parsers: Sequence[tuple[Parser, Texts | None]]) -> None:
        self._parsers = parsers
        self._all = tuple(parser for parser, _ in parsers)
        self._parts = sorted({part for _, texts in parsers if texts for part in texts.holds})
        self._who_reads = lru_cache(_MAX_LOOKS)(self._reading)

    def of(self, record: RawRecord) -> tuple[Parser, ...]:
        """The parsers that may read the record: all, unless it is a text alone that begins with a visible character of ASCII."""
        first = record.text[:1]
        if record.fields is not None or record.attributes or not "!" <= first <= "~":
            return self._all
        return self._who_reads(first, tuple(map(record.text[:MAX_HEAD].__contains__, self._parts)))

    def _reading(self, first: str, held: tuple[bool, ...]) -> tuple[Parser, ...]:
        parts = {part for part, is_held in zip(self._parts, held, strict=True) if is_held}
        return tuple(parser for parser, texts in self._parsers if texts is None or _fits(texts, first, parts))


def _fits(texts: Texts, first: str, parts: set[str]) -> bool:
    return first in texts.begins or not parts.isdisjoint(texts.holds)
