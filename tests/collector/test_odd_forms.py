"""Fields that are no JSON: CEF, LEEF, LTSV, pairs between bars, an object with words behind it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.settings import Settings
from collector.shippers.odd_forms import MAX_CHARS, as_fields
from why401.explainer import Explainer

CEF = (
    "CEF:0|Harbour|Edge|4.2|771|JWT signature verification failed|8|src=198.51.100.4 requestMethod=PUT request=/berths/9 "
    "cn1=401 cn1Label=status_code cs1=quay policy one cs1Label=policy"
)


def test_a_security_event_is_its_name_and_its_fields() -> None:
    """The name is the sentence, values hold blanks, and a labelled field has its label's name."""
    fields = as_fields(CEF)

    assert fields is not None
    assert ("JWT signature verification failed", "WARN") == (fields["message"], fields["level"])
    assert ("401", "quay policy one", "/berths/9") == (fields["status_code"], fields["policy"], fields["request"])


def test_leef_has_tabs_between_its_fields() -> None:
    """IBM's form has five parts before them, and its severity among them."""
    fields = as_fields(
        "LEEF:1.0|Harbour|Edge|4.2|TokenExpired|src=198.51.100.4\tsev=3\tmsg=The access token has expired"
    )

    assert fields is not None
    assert ("TokenExpired: The access token has expired", "INFO") == (fields["message"], fields["level"])


@pytest.mark.parametrize(
    "text",
    [
        "time:10:00:00\thost:192.0.2.1\treq:GET /berths HTTP/1.1\tstatus:401\treason:token expired",
        "when=10:00:00|client=192.0.2.1|path=/berths|status=401|reason=token expired",
        "when=10:00:00; client=192.0.2.1; path=/berths; status=401; reason=token expired",
    ],
    ids=["ltsv", "bars", "semicolons"],
)
def test_pairs_with_marks_between_them_are_fields(text: str) -> None:
    """Values may hold blanks, since the marks part them."""
    fields = as_fields(text)

    assert fields is not None
    assert ("401", "token expired") == (fields["status"], fields["reason"])


@pytest.mark.parametrize(
    "tail", ["  HTTP 403  flow=berths", "\tflow=berths\t2026-03-03T10:00:00Z\t403", " status=403 flow=berths"]
)
def test_what_stands_behind_an_object_adds_to_it(tail: str) -> None:
    """Its own keys win; pairs and a status are added."""
    fields = as_fields('{"error": "scope quay:write is missing", "flow": "own"}' + tail)

    assert fields is not None
    assert ("403", "own") == (str(fields["status"]), fields["flow"])


@pytest.mark.parametrize(
    "text",
    [
        "jwt expired; please log in again; then retry; or call us",
        "GET /a?b=1&c=2;d=3;e=4 401",
        '{"a": 1',
        '{"a": 1}{"b": 2}',
        "| 401 |  1.2ms | 10.0.0.1 | GET | /x | -",
        "CEF:0|too|short",
        "a=1|b=2|c=3|d=4\nsecond line",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    """A sentence, a query, broken JSON, an access line, several lines."""
    assert as_fields(text) is None


@pytest.mark.parametrize("text", [CEF, '{"error": "JWT signature verification failed"}  HTTP 401 flow=a'])
def test_they_are_read_as_refusals(text: str) -> None:
    """The whole way: status, sentence and code."""
    found = Explainer(Settings()).explain(text)

    assert found.diagnosis is not None
    assert ("signature_invalid", 401, True) == (found.diagnosis.code, found.event.request.status, found.is_read)


@given(st.one_of(st.text(max_size=200), st.from_regex(r"(CEF:0|LEEF:2\.0|\{)[|{}:=;\t\"a-z0-9 ]{0,80}")))
def test_it_never_raises(text: str) -> None:
    """Whatever stands there, it is fields or nothing."""
    found = as_fields(text)
    assert found is None or all(isinstance(name, str) for name in found)


def test_a_long_text_is_not_looked_at() -> None:
    """Nothing is parsed beyond the bound."""
    assert as_fields("{" + '"a":1,' * MAX_CHARS) is None
