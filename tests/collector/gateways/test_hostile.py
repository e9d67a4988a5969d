"""Parsers take anything: they answer, or raise one of two errors, in linear time, and show no secret while doing so."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collector.errors import UnreadableRecord
from collector.events import Origin
from collector.gateways import PARSERS, NotAuth, Parser, parse
from collector.records import RawRecord
from tests.collector.gateways.cases import FILES, load, raw_record
from tests.waiting import HANG_S

MIB = 1 << 20
TEXTS = sorted({text for path in FILES if (text := raw_record(load(path)).text) and not text.startswith("{")})
OBJECTS = [record.fields for path in FILES if (record := raw_record(load(path))).fields]
PIECES = (
    '"',
    '" "',
    '\\"',
    "] ",
    "[",
    "{",
    "}",
    "#",
    "#41",
    ", client: 1.1.1.1",
    ", server: ",
    " ",
    "\t",
    "=",
    "²",
    "\x00",
    "\ud800",
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=8), v, max_size=3), max_leaves=8
)


def _answers(record: RawRecord) -> bool:
    """Every parser answers, and no complaint quotes the record."""
    complaints = [_complaint(known, record) for known in (*(each.parse for each in PARSERS), parse)]
    return "eyJ" not in "".join(complaints)


def _complaint(known: Parser, record: RawRecord) -> str:
    try:
        known(record)
    except (NotAuth, UnreadableRecord) as error:
        return str(error)
    return ""


def _mutated(text: str, random_: random.Random) -> str:
    for _ in range(random_.randint(1, 4)):
        at = random_.randint(0, len(text))
        text = text[:at] + random_.choice(PIECES) + text[at + random_.randint(0, 12) :]
    return text


@settings(deadline=None)
@example("0000000000000000 [WRN] =\x80")  # an equals sign, no pair, and a last character of two bytes
@given(st.text() | st.builds(_mutated, st.sampled_from(TEXTS), st.randoms(use_true_random=False)))
def test_any_text_is_answered(text: str) -> None:
    """Arbitrary text, and real lines with pieces cut out and hostile ones put in."""
    assert _answers(RawRecord(Origin("file"), 1, text))


@settings(deadline=None)
@given(st.sampled_from(OBJECTS), st.dictionaries(st.text(max_size=12), VALUES, max_size=4), st.data())
def test_any_object_is_answered(fields: dict, more: dict, data: st.DataObject) -> None:
    """Real records with values of any JSON type under the keys that matter, from a body and from OTLP attributes."""
    changed = dict(fields) | more | {data.draw(st.sampled_from(sorted(fields))): data.draw(VALUES)}

    assert _answers(RawRecord(Origin("otlp"), 1, fields=changed))
    assert _answers(RawRecord(Origin("otlp"), 1, text="x", attributes=changed, resource=more))


@pytest.mark.timeout(HANG_S)  # a quadratic scan of one of these takes many minutes
@pytest.mark.parametrize("piece", [*PIECES[:-1], "\\", "eyJ", "{[", "jwt ", "a=b ", 'a="'])
def test_a_mebibyte_line_costs_linear_time(piece: str) -> None:
    """Each format's beginning, followed by one MiB of what its scanner looks for."""
    heads = [text[: len(text) * 2 // 3] for text in TEXTS[::6]]

    for head in ["", *heads]:
        assert _answers(RawRecord(Origin("file"), 1, head + piece * (MIB // len(piece))))


@pytest.mark.timeout(HANG_S)
def test_wide_and_deep_objects_are_bounded() -> None:
    """A record with a hundred thousand keys, or a thousand levels, is no log record, and costs next to nothing."""
    deep: dict = {"status": 401}
    for _ in range(900):
        deep = {"request": deep, "metadata": deep}

    assert _answers(RawRecord(Origin("file"), 1, fields={f"status{n}": n for n in range(100_000)}))
    assert _answers(RawRecord(Origin("file"), 1, fields=deep))
    assert _answers(RawRecord(Origin("file"), 1, fields={"x" * MIB: 1, "status": 401}))
