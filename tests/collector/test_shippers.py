"""What shippers wrap around a record is peeled off."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.events import Origin
from collector.gateways import krakend, traefik
from collector.records import RawRecord
from collector.shippers import peel

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


@pytest.mark.parametrize(
    "coloured",
    [
        f"\x1b[90m{LINE[:20]}\x1b[0m{LINE[20:]}",
        f"2026-03-03T10:00:00Z stdout F \x1b[38;2;255;0;0m{LINE}\x1b[m",
        json.dumps({"log": f"\x1b[36m{LINE}\x1b[0m\n", "stream": "stdout"}),
        f"Mar  3 10:00:00 host carts[12]: #033[1;44m{LINE}#033[0m",
    ],
)
def test_colours_are_no_part_of_a_line(coloured: str) -> None:
    """A console's SGR sequences go, wherever they stand."""
    assert LINE == peeled(coloured).text


KRAKEND = (
    "[KRAKEND] 2026/03/03 - 10:00:00.043 \x1b[31m▶ ERROR\x1b[0m [ENDPOINT: /v1/carts][JWTValidator] "
    "Unable to validate the token: Token not found"
)
GIN = "[GIN] 2026/03/03 - 10:00:00 |\x1b[97;43m 401 \x1b[0m| 91.2µs | 192.0.2.61 |\x1b[97;44m GET \x1b[0m /v1/carts"
TRAEFIK = (
    "\x1b[90m2026-03-03T10:00:00Z\x1b[0m \x1b[31mERR\x1b[0m "
    "\x1b[1mgithub.com/traefik/traefik/v3/pkg/middlewares/auth/forward.go:213\x1b[0m\x1b[36m >\x1b[0m "
    '\x1b[1mError calling http://auth/\x1b[0m \x1b[36merror=\x1b[0m\x1b[31m\x1b[1m"dial tcp: refused"\x1b[0m\x1b[0m '
    "\x1b[36mmiddlewareName=\x1b[0mjwt@file \x1b[36mmiddlewareType=\x1b[0mForwardAuth"
)


@pytest.mark.parametrize("line", [KRAKEND, GIN, TRAEFIK], ids=["KrakenD", "gin", "Traefik"])
def test_a_coloured_line_is_read(line: str) -> None:
    """KrakenD, gin and Traefik colour what they write to stdout, also where that is a container's log."""
    outcomes = [
        parsed.outcome or parsed.status for parse in (krakend.parse, traefik.parse) if (parsed := parse(peeled(line)))
    ]

    assert len(outcomes) == 1
    assert all(outcomes)


@pytest.mark.parametrize("text", ["a\x1b[2Kb", "a\x1b[", "a\x1b[12x m", "a\x1b]0;title\x07"])
def test_other_control_sequences_stay(text: str) -> None:
    """Only SGR is known to carry nothing."""
    assert text == peeled(text).text


def test_istios_agent_names_envoy_before_its_lines() -> None:
    """Until 1.5; what stands behind is Envoy's own line."""
    line = "[2026-03-03 10:00:00.594][27][debug][jwt] [a.cc:245] JWT token verification completed with: Jwt is expired"

    assert line == peeled(f"[Envoy (Epoch 0)] {line}").text


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


def test_a_sentence_that_rich_broke_is_whole_again() -> None:
    """The source file in the last column stands behind the sentence; anything else that is indented stays."""
    broken = (
        "[11/29/26 23:20:58] WARNING  Bearer token rejected for client b:       jwt.py:606\n"
        "                             issuer mismatch (got 'https://a.test/',             \n"
        "                             expected 'https://b.test/')                         \n"
    )
    whole = (
        "[11/29/26 23:20:58] WARNING  Bearer token rejected for client b: issuer mismatch (got 'https://a.test/', "
        "expected 'https://b.test/')  jwt.py:606"
    )
    trace = 'ERROR refused  app.py:7\nTraceback (most recent call last):\n  File "app.py", line 7'

    assert [whole, trace] == [peel(RawRecord(Origin("file"), 1, text=text)).text for text in (broken, trace)]
