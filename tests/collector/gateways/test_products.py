"""The table of products: every mark is one product's, and a record is known by them however it arrives."""

from __future__ import annotations

import pytest

from collector.events import Origin
from collector.gateways import PARSERS, PRODUCTS, names, parse
from collector.gateways.reading.marks import products, recognized
from collector.records import RawRecord


def _record(**given) -> RawRecord:
    return RawRecord(Origin("test"), 1, **given)


def test_a_product_has_one_name_of_its_own() -> None:
    """No two rows and no parser share a name, and each can be named by the operator."""
    found = [each.name for each in products()]

    assert len(found) == len(set(found)) == len(PRODUCTS)
    assert not set(found) & {each.name for each in PARSERS}
    assert set(found) <= set(names())


def test_no_mark_is_given_twice() -> None:
    """The same words cannot tell two products apart."""
    marks = [frozenset(mark) for each in products() for mark in each.marks]

    assert [mark for mark in set(marks) if marks.count(mark) > 1] == []


def test_marks_are_long_enough_to_be_one_products() -> None:
    """Five letters occur in anything."""
    short = [mark for each in products() for mark in each.marks if sum(map(len, mark)) < 6]

    assert short == []


def test_every_row_has_a_source() -> None:
    """As any other fact."""
    assert [each.name for each in products() if "/" not in each.source] == []


@pytest.mark.parametrize("given", ["text", "fields", "attributes"])
def test_marks_are_found_in_every_form_of_a_record(given: str) -> None:
    """A line, a body of fields, and OTLP attributes."""
    logger = "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
    forms = {
        "text": _record(text=f"[2026-05-04 10:00:05,300] WARN sub value must be non-null ({logger})"),
        "fields": _record(fields={"logger_name": logger, "message": "sub value must be non-null"}),
        "attributes": _record(attributes={"log": {"logger": logger}}, text=""),
    }

    found = recognized(forms[given])

    assert found is not None
    assert found.product.name == "kafka"


def test_a_named_product_needs_no_mark() -> None:
    """The operator's word is enough; the line is read as an application's."""
    line = '2026-05-04 10:00:00,000 WARN token rejected: audience "a" is not valid'

    assert parse(_record(text=line)).gateway == "application"
    assert parse(_record(text=line, gateway="kafka")).gateway == "kafka"


def test_a_line_without_marks_is_nobodys() -> None:
    """The search finds nothing and the other parsers are asked."""
    assert recognized(_record(text="2026-05-04 10:00:00,000 WARN token rejected")) is None
