"""What shippers wrap around a record is peeled off."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.envelope import peel
from collector.events import Origin
from collector.records import RawRecord

LINE = '127.0.0.1 - - [03/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 401 179'


def peeled(text: str) -> RawRecord:
    return peel(RawRecord(Origin("file"), 1, text=text))


@pytest.mark.parametrize(
    "wrapped",
    [
        LINE,
        f"<134>Mar  3 10:00:00 gw-1 nginx: {LINE}",
        f"<165>1 2026-03-03T10:00:00Z gw-1 nginx 12 - - {LINE}",
        f'<165>1 2026-03-03T10:00:00Z gw-1 nginx 12 ID47 [ex@32473 iut="3"] {LINE}',
        f"Mar  3 10:00:00 gw-1 nginx[77]: {LINE}",
        f"2026-03-03T10:00:00.000000000Z stdout F {LINE}",
        json.dumps({"log": LINE + "\n", "stream": "stdout", "time": "2026-03-03T10:00:00Z"}),
        json.dumps({"message": LINE, "@timestamp": "2026-03-03T10:00:00Z", "agent": {"type": "filebeat"}}),
        json.dumps({"log": f"2026-03-03T10:00:00Z stderr F {LINE}", "stream": "stdout"}),
        "\ufeff" + LINE + "\r\n",
    ],
)
def test_the_gateways_own_line_is_left(wrapped: str) -> None:
    """Syslog (RFC 3164 and 5424), CRI, docker, Filebeat, and one inside the other."""
    assert LINE == peeled(wrapped).text


def test_a_json_record_becomes_fields() -> None:
    """A gateway's own JSON is not a shipper's, even with a message in it."""
    record = peeled('{"status": 401, "message": "no", "path": "/"}')

    assert {"status": 401, "message": "no", "path": "/"} == record.fields


def test_json_inside_a_shippers_json_becomes_fields() -> None:
    """The inner object is the record."""
    record = peeled(json.dumps({"log": '{"status":401}', "stream": "stdout"}))

    assert {"status": 401} == record.fields


@given(st.text(max_size=200))
def test_any_text_survives(text: str) -> None:
    """Never raises, never grows."""
    assert len(peeled(text).text) <= len(text)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '{"log":"' * 50_000, "<" * 100_000, '{"a":' + "1" * 5000 + "}"]
)
def test_hostile_nesting_is_only_text(text: str) -> None:
    """Depth and length stop nothing."""
    assert peeled(text).text
