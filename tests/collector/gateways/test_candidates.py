"""A record is shown to the parsers that may read it, and a parser that is left out could not have read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from collector.events import Origin
from collector.gateways import PARSERS
from collector.gateways.candidates import Candidates
from collector.gateways.reading.contract import NO_TEXTS, Texts
from collector.records import Parsed, RawRecord
from collector.safe import Safe
from tests.cases import failing
from tests.collector.gateways.cases import FILES, IDS, load, raw_record

CANDIDATES = Candidates([(known.parse, known.texts) for known in PARSERS])
# In front of a line: what wrappers leave there, and what a line of another kind begins with.
FRONTS = ("", " ", "\t", "x", "[", "2", "haproxy[7]: ", "level=error ", "é", "host - ")


def _first(_record: RawRecord) -> Parsed | None:
    return None


def _second(_record: RawRecord) -> Parsed | None:
    return None


def _third(_record: RawRecord) -> Parsed | None:
    return None


def _record(text: str, **given: object) -> RawRecord:
    return RawRecord(Origin(kind=Safe("file")), observed_ns=1, text=text, **given)  # type: ignore[arg-type]


def test_a_text_is_shown_to_those_whose_texts_look_like_it() -> None:
    """By its first character or by a part of it; in the parsers' order, with those that read any text."""
    parsers = [(_first, Texts(begins="[", holds=(" <", " >"))), (_second, None), (_third, NO_TEXTS)]
    candidates = Candidates(parsers)

    shown = {text: candidates.of(_record(text)) for text in ("[x", "x > y", "x [y", "<")}

    assert {"[x": (_first, _second), "x > y": (_first, _second), "x [y": (_second,), "<": (_second,)} == shown


def test_everything_else_is_shown_to_all() -> None:
    """Objects, texts with attributes, and texts that begin with nothing visible, or outside of ASCII."""
    candidates = Candidates([(_first, NO_TEXTS), (_second, Texts(begins="x"))])
    records = (_record("y", fields={}), _record("y", attributes={"a": 1}), *map(_record, ("", " y", "\ty", "é")))

    assert {(_first, _second)} == {candidates.of(record) for record in records}


def test_a_parser_that_is_left_out_reads_nothing() -> None:
    """Every text of every fixture, as it is and with something in front of it or cut off: the parser neither reads it nor raises."""
    assert {} == failing(zip(IDS, FILES, strict=True), _check)


def _check(path: Path) -> None:
    record = raw_record(load(path))
    for text in set(_altered(record.text)):
        altered = _record(text)
        shown = CANDIDATES.of(altered)
        read = {known.name for known in PARSERS if known.parse not in shown and known.parse(altered) is not None}
        assert (set(), text) == (read, text)


def _altered(text: str) -> Iterator[str]:
    yield from (front + text for front in FRONTS)
    yield from (text[at:] for at in (1, 5, 20))
