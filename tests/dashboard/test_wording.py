"""Words: what a person reads, and text that cannot act."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dashboard import wording

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "0 s"), (0, "0 s"), (59.4, "59 s"), (60, "1 min"), (95, "2 min"), (3_599, "59 min"), (3_600, "1 h"),
        (7_199, "2 h"), (7_500, "2 h 5 min"), (86_399, "24 h"), (86_400, "1 d"), (100_000, "1 d 4 h"), (40 * 86_400, "40 d"),
    ],
)  # fmt: skip
def test_a_span_is_told_in_two_units_at_most(seconds: float, expected: str) -> None:
    """Rounding never yields 60 minutes."""
    assert expected == wording.span(seconds)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0"),
        (950, "950"),
        (9_999, "9,999"),
        (48_341, "48.3 k"),
        (1_234_567, "1.2 M"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_counts_are_short(number: float | None, expected: str) -> None:
    """Four digits are exact, more are rounded."""
    assert expected == wording.count(number)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, "0 %"), (1, "100 %"), (0.99999, "99.9 %"), (0.00001, "0.1 %"), (0.958, "95.8 %"), (None, "–")],
)
def test_a_share_that_is_not_all_never_reads_as_all(share: float | None, expected: str) -> None:
    """One failure in a million is not 100 % success."""
    assert expected == wording.percent(share)


def test_times_are_utc_and_relative() -> None:
    """Another day is named; nothing is never."""
    other_zone = (NOW - timedelta(hours=5)).astimezone()

    assert ("22 Nov 22:00", "5 h ago", "never", "just now") == (
        wording.clock(other_zone, NOW), wording.ago(other_zone, NOW), wording.ago(None, NOW), wording.ago(NOW, NOW),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"), ("a\r\nb", "a\\u000d\\u000ab"), ("\x1b]8;;", "\\u001b]8;;"), ("\u202eexe", "\\u202eexe"),
        ("a\u200bb", "a\\u200bb"), ("é", "é"), (None, ""), ("x" * 30, "x" * 19 + "…"),
    ],
)  # fmt: skip
def test_hidden_characters_are_written_out(raw: str | None, shown: str) -> None:
    """Controls, bidirectional marks and zero-width characters show as codes; length is bounded."""
    assert shown == wording.visible(raw, limit=20)


@given(st.text())
def test_shown_text_holds_no_hidden_character(raw: str) -> None:
    """Whatever comes in, what is shown prints."""
    assert wording.visible(raw).isprintable() or any(c.isspace() for c in wording.visible(raw))


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_every_punctuation_mark_is_escaped(raw: str) -> None:
    """CommonMark takes a backslash before any ASCII punctuation: no mark stands without one."""
    escaped = wording.escape(raw).replace("\u2060", "")

    assert wording.visible(raw) == "".join(b for a, b in _pairs(escaped))


@given(st.text(alphabet=st.sampled_from("`a <*_\\\n:![]("), max_size=30))
def test_a_sentence_is_text_and_code_and_nothing_else(raw: str) -> None:
    """By a CommonMark parser: every inline token is text or a code span, and together they say what was given."""
    found = MarkdownIt().parseInline(wording.sentence("x" + raw))[0].children or []

    assert {token.type for token in found} <= {"text", "text_special", "code_inline"}
    said = "".join(token.content for token in found).replace("\u2060", "").replace("`", "")
    assert said.split() == wording.visible("x" + raw).replace("`", "").split()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("no `sub` here", "no `sub` here"),
        ("a`b", "a\\`b"),
        ("``x``", "\\`\\`x\\`\\`"),
        ("`<b>`", "`<b>`"),
        ("`a\n`", "`a\\u000a`"),
    ],
)
def test_code_is_shown_as_code(raw: str, shown: str) -> None:
    """Between single backticks; a lone or doubled one is a character."""
    assert shown == wording.sentence(raw)


def _pairs(escaped: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(escaped):
        if escaped[position] == "\\":
            found.append(("\\", escaped[position + 1]))
            position += 2
        else:
            assert escaped[position].isalnum() or escaped[position] == " ", escaped[position]
            found.append(("", escaped[position]))
            position += 1
    return found


@pytest.mark.parametrize(
    "raw", ["https://evil.example/x", "www.evil.example", "a@evil.example", ":smile:", ":material/home:"]
)
def test_nothing_is_left_for_automatic_links(raw: str) -> None:
    """GitHub's autolinks and emoji names are found after escapes are gone, so they are parted by a joiner."""
    assert raw not in wording.escape(raw).replace("\\", "")


def test_long_lists_are_cut() -> None:
    """Three names and how many more."""
    assert ("a, b, c and 4 more", "a, b, c, d", "") == (
        wording.listed("abcdefg"),
        wording.listed("abcd"),
        wording.listed(None),
    )


@pytest.mark.parametrize(
    ("seconds", "expected"), [(95, "1 min 35 s ahead"), (-720, "12 min behind"), (30, "30 s ahead")]
)
def test_clock_offsets_say_which_way(seconds: float, expected: str) -> None:
    """Ahead is the future."""
    assert expected == wording.offset(seconds)
