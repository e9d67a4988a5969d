"""Blocks of lines: the same as every line alone, and nothing else changed."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.traffic import envoy_json
from collector.redaction import addresses, engine, jose, line_blocks, redact, redact_lines, shapes
from collector.redaction.patterns import compiled
from collector.redaction.views import fold
from tests.collector.redaction import generated, samples

SECRETS = [text for text, _ in samples.make(3).values()]
WORDS = st.sampled_from(
    [
        *SECRETS,
        "203.0.113.9", "10.0.0.1", "131.0.0.0", "127.0.0.1", "1.2.3.4.5", "v1", "/v1/orders/4711/items", "Chrome/131.0.0.0", "Edg/120.0.2210.91",
        " ", " ", " - ", ":", ":8080", ", ", ".", "/", "-", '"', "(", "=", "token=", "user ", "version 1.2.3.4", "<a ", ">", "GET ", "\r", "\t",
        "\x0b", "\u2028", "é", "-----BEGIN PRIVATE KEY-----", "AAAA", "\\n", "%20", "Bearer ", "cookie: a=", "eyJ", "0.0/24", "AppleWebKit/537.36",
    ]
)  # fmt: skip
LINE = st.lists(WORDS, max_size=8).map("".join)
BLOCKS = st.lists(LINE, max_size=8).map("\n".join)
# A path of words and numbers with one flaw somewhere: what makes it none is a pair of neighbours, or an end.
PATHS = st.lists(st.sampled_from(["orders", "v1", "4711", "my-items", "a_b", "x"]), min_size=4, max_size=7).map(
    "/".join
)
FLAWS = st.one_of(
    st.text("abzvABV019/_-+~", max_size=2), st.sampled_from(["env1", "-v2", "v-1", "//", "12345678901234567890"])
)
RUNS = st.builds(lambda path, flaw, at: path[:at] + flaw + path[at:], PATHS, FLAWS, st.integers(0, 30))


def alone(text: str) -> str:
    """Line by line, as `redact` does it; a break of another kind inside of a hit is a space."""
    parts = [(line.removesuffix("\r"), "\r" * line.endswith("\r")) for line in text.split("\n")]
    return "\n".join(redact(line).text.replace("\n", " ") + end for line, end in parts)


@given(BLOCKS)
@settings(max_examples=400, deadline=None)
def test_a_block_is_its_lines(text: str) -> None:
    """What is around a line changes nothing in it, and lines stay as many as they were."""
    safe = redact_lines(text.encode()).content

    assert alone(text).encode() == safe
    assert text.count("\n") == safe.count(b"\n")


@given(BLOCKS)
@settings(max_examples=150, deadline=None)
def test_what_was_found_is_what_its_lines_hold(text: str) -> None:
    """Counts are the sum over lines; each is told with its line's number."""
    seen: dict[int, dict[str, int]] = {}

    def saw(number: int, found: line_blocks.Found) -> None:
        for rule, count in found:
            seen.setdefault(number, {})[rule] = seen.get(number, {}).get(rule, 0) + count

    total = redact_lines(text.encode(), saw).found

    expected = [dict(redact(line.removesuffix("\r")).found) for line in text.split("\n")]
    assert {number: found for number, found in enumerate(expected) if found} == seen
    assert {rule: sum(found.get(rule, 0) for found in expected) for rule in {r for f in expected for r in f}} == total


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_pass(block: bytes) -> None:
    """Nothing raises; line feeds stay; bytes that are no UTF-8 come out as they went in."""
    safe = redact_lines(block).content

    assert block.count(b"\n") == safe.count(b"\n")
    assert redact_lines(safe).content == safe


def test_invalid_bytes_stay_beside_a_secret() -> None:
    """A line that is half Latin-1 is redacted, and its strange bytes are kept."""
    assert redact_lines(b"\xff\xfe caf\xe9 token=" + SECRETS[0].encode() + b" \x80\n").content == (
        b"\xff\xfe caf\xe9 token=[secret] \x80\n"
    )


def test_generated_and_ordinary_lines_in_one_block() -> None:
    """Hard lines of every kind between access log lines give what each gives alone."""
    hard = [line for kind in generated.KINDS for line, _, _ in generated.lines(kind, 5)]
    ordinary = [f'203.0.113.{n % 250} - - [x] "GET /orders/{n} HTTP/1.1" 200 5 "-" "curl/8.7.1"' for n in range(200)]
    mixed = [line for pair in zip(hard, ordinary * 9, strict=False) for line in pair] + envoy_json(5, tokens=5)
    text = "\n".join(mixed)

    assert alone(text).encode() == redact_lines(text.encode()).content


@given(RUNS, st.sampled_from(["", " ", "a ", '"']), st.sampled_from(["", " ", ".", '"']))
@settings(max_examples=3000, deadline=None)
def test_no_run_that_a_rule_would_read_passes_for_a_path(run: str, before: str, after: str) -> None:
    """The cheap search stops wherever a run of 20 is neither a path of words nor without digits and changes of case."""
    data = (before + run + after).encode()
    runs = [data[start:end] for start, end in jose._CANDIDATE.spans(data)]
    reads = any(r.endswith(b".") or not (shapes.is_route(r) or jose._MIXED.find(r)[0] < 0) for r in runs)

    assert not reads or compiled(jose.SUSPECT).find(data)[0] >= 0


@given(LINE)
@settings(max_examples=400, deadline=None)
@example(f"{samples.make(3)['jwt'][0]}éjf50hw.okonkwo85+gw@mailbox.example")  # a token that goes on as an address
@example(f"{samples.make(3)['jwt'][0]}-----BEGIN PRIVATE KEY-----")
@example("token=token=\x0b")  # a value that is blank
@example(f"{samples.make(3)['jwt'][0]}cookie: a=(")  # a token that ends in a key
def test_the_short_ways_change_nothing(text: str) -> None:
    """A text that wakes no rule but `ip`, and one with a token, give what all rules would give.

    A token that ran into the name of a cookie takes the name with it, so the cookie's own token is then named by its looks.
    """
    data = fold(text)
    hits = engine._hits(data, engine._triggered(data))
    slow, quick = (engine._until_clean(text, hits) if hits else engine.Redacted(text)), engine.run(text)

    assert _unnamed(slow) == _unnamed(quick)


def _unnamed(redacted: engine.Redacted) -> tuple[str, int]:
    """What was left, and how many values went, whatever they were taken for."""
    return re.sub(r"\[(?:token|cookie)\]", "[]", redacted.text), sum(count for _, count in redacted.found)


@given(LINE)
@settings(max_examples=400, deadline=None)
def test_addresses_that_are_left_to_the_rules_are_those_not_settled(text: str) -> None:
    """In a line, an address followed by anything but what keeps its network apart makes the line suspicious."""
    data = text.replace("\r", "").encode()
    loose = [
        end
        for start, end in addresses.IPV4.spans(data)
        if addresses.is_address(data, start, end) and end < len(data) and not data.startswith(addresses._SETTLED, end)
    ]

    assert not loose or compiled(addresses.UNSETTLED, one_line=True).find(data)[0] >= 0
