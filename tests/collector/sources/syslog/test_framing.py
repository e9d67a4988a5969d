"""Where a syslog message ends (RFC 6587)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.sources.syslog.framing import Framer

LIMIT = 100
Said = tuple[list[bytes], int, bool, bool]
MESSAGES = st.lists(st.binary(max_size=150).map(lambda body: b"<134>" + body), min_size=1, max_size=6)
CUTS = st.lists(st.integers(0, 900), max_size=12)


def said(stream: bytes, cuts: list[int] | None = None) -> Said:
    """What a framer makes of a stream that arrives in these pieces."""
    framer = Framer(LIMIT)
    messages: list[bytes] = []
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts or []), len(stream)]
    for begin, end in pairwise(places):
        messages += framer.feed(stream[begin:end])
    incomplete = framer.is_incomplete
    return [*messages, *framer.rest()], framer.cut, framer.is_broken, incomplete


def counted(messages: list[bytes]) -> bytes:
    return b"".join(b"%d %s" % (len(message), message) for message in messages)


@given(MESSAGES, CUTS)
def test_counted_messages_come_out_as_they_went_in(messages: list[bytes], cuts: list[int]) -> None:
    """Whatever a message holds, and wherever the network cuts the stream; one that is too long keeps its beginning."""
    expected = [message[:LIMIT] for message in messages]
    assert said(counted(messages), cuts) == (expected, sum(len(m) > LIMIT for m in messages), False, False)


@given(MESSAGES, CUTS)
def test_lines_come_out_as_they_went_in(messages: list[bytes], cuts: list[int]) -> None:
    """The same with a line break behind each message."""
    lines = [message.replace(b"\n", b"").replace(b"\0", b"").replace(b"\r", b"") for message in messages]
    expected = [line[:LIMIT] for line in lines]
    assert said(b"\n".join(lines) + b"\n", cuts) == (expected, sum(len(m) > LIMIT for m in lines), False, False)


@given(st.binary(max_size=400), CUTS)
def test_any_bytes_mean_the_same_in_any_pieces(stream: bytes, cuts: list[int]) -> None:
    """What no sender writes is no error either, and depends on nothing but the bytes."""
    assert said(stream, cuts) == said(stream)


@given(st.lists(st.sampled_from([b"<134>a", b"7 ", b"9 <134>a b", b"\n", b"\0", b"99999999999 <", b"x" * 60])), CUTS)
def test_what_looks_like_a_message_means_the_same_in_any_pieces(parts: list[bytes], cuts: list[int]) -> None:
    """The same of bytes that are nearly right."""
    stream = b"".join(parts)
    assert said(stream, cuts) == said(stream)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"99999999999 <134>a\n<134>b\n", ([], 0, True, True)),
        (b"8 <134>a b0 x", ([b"<134>a b"], 0, True, True)),
        (b"6 <134>ax 7 <134>b", ([b"<134>a"], 0, True, True)),
        (b"6 <134>a\n6 <134>b\n", ([b"<134>a", b"<134>b"], 0, False, False)),
        (b"9 <134>a", ([], 0, False, True)),
        (b"<134>a\0<134>b\0", ([b"<134>a", b"<134>b"], 0, False, False)),
        (b"<134>a\r\n\r\n<134>b", ([b"<134>a", b"<134>b"], 0, False, True)),
        (b"2026-03-03 a\nb\n", ([b"2026-03-03 a", b"b"], 0, False, False)),
        (b"5", ([b"5"], 0, False, True)),
    ],
)
def test_framing_by_example(stream: bytes, expected: Said) -> None:
    """Huge and false counts, what some senders put between messages, NUL for a line break, half messages at the end."""
    assert said(stream) == expected
