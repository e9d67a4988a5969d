"""What holds of redaction for every text."""

import json
import time
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.redaction import FAILED_TEXT, engine, redact, redact_fast, redact_value, safe_id, safe_text, template
from tests.collector.redaction import samples

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "redaction.jsonl"
HANG_S = 30  # CPU time, a hang limit: quadratic behaviour on these inputs takes minutes

VALUES = samples.make(1)
PIECES = st.sampled_from(
    [text for text, _ in VALUES.values()]
    + [
        "Bearer ",
        "Authorization: ",
        "token=",
        '"password":"',
        "cookie: a=",
        "kid=",
        "'",
        '"',
        "\\",
        '\\"',
        "%25",
        "&",
        "; ",
        ", ",
        "[",
        "]",
        "{",
        "}",
    ]
    + [
        "\n",
        "\r\n",
        "\r",
        "\u2028",
        "\x1b[31m",
        "\u200b",
        " ",
        "=",
        ":",
        ".",
        "~",
        "@",
        "[secret]",
        "[token]",
        "[-]",
        "user=",
        "CN=",
        "-----BEGIN PRIVATE KEY-----",
        "1",
        "://",
        "\ud800",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=12).map("".join))


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_redacting_twice_changes_nothing(text):
    """The result of redaction is a text in which redaction finds nothing."""
    once = redact(text)
    assert redact(once.text).text == once.text


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_lines_stay_and_length_is_bounded(text):
    """As many lines as before, at most twice as long and 64 characters; and it does not fail."""
    redacted = engine.run(text)
    assert redacted.text != FAILED_TEXT
    assert len(redacted.text.splitlines()) == len(text.splitlines())
    assert redacted.text.count("\n") == text.count("\n")
    assert len(redacted.text) <= 2 * len(text) + 64


@pytest.mark.parametrize(
    "text",
    ["-----BEGIN PRIVATE KEY-----\r{}\n{}", "{}\r{}\n", "-----BEGIN PRIVATE KEY-----\r{}\n", "{}\r\n{}\r\r\n\n{}"],
)
def test_a_lone_cr_before_lf_stays_a_line(text):
    """What stood between CR and LF goes, and the two do not become one line break."""
    text = text.replace("{}", samples.make(1)["jwt"][0])

    assert len(text.splitlines()) == len(redact(text).text.splitlines())


@given(st.lists(PIECES, max_size=6).map("".join), st.sampled_from(["jwt", "opaque", "email"]))
@settings(max_examples=300, deadline=None)
def test_a_secret_goes_whatever_surrounds_it(before, name):
    """A token behind `token=` does not survive, in any context that ends at a space."""
    secret = samples.make(2)[name][0]  # PIECES has those of another seed
    assert secret not in redact(f"{before} token={secret} status=401").text


@given(
    st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**53), 2**53),
            st.floats(allow_nan=False),
            TEXTS,
            st.binary(max_size=20),
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
        max_leaves=12,
    )
)
@settings(max_examples=200, deadline=None)
def test_the_walk_takes_any_value(value):
    """Any JSON-like value gives a redacted copy; redacting the copy changes nothing."""
    once = redact_value(value)
    assert json.dumps(redact_value(once)) == json.dumps(once)


def test_a_broken_rule_takes_the_text_with_it(monkeypatch):
    """When a rule raises, the text is gone and `failed` is counted."""

    def broken(data):
        raise RecursionError

    rules = tuple(engine.Rule(rule.name, rule.trigger, broken) for rule in engine.RULES)
    monkeypatch.setattr(engine, "RULES", rules)
    redacted = redact("Authorization: Bearer hunter2hunter2")
    assert redacted.text == FAILED_TEXT
    assert redacted.found == (("failed", 1),)


def test_counts_by_rule():
    """`found` names each rule with the number of values it replaced."""
    redacted = redact("a@b.example and c@d.example from 203.0.113.9")
    assert redacted.text == "[email] and [email] from 203.0.113.0/24"
    assert redacted.found == (("email", 2), ("ip", 1))


def test_fast_is_equal_and_keeps_no_secret():
    """`redact_fast` gives what `redact` gives and remembers only texts without findings."""
    from collector import redaction

    redaction._clean.cache_clear()
    texts = ["/v1/orders/{id}", f"token={VALUES['opaque'][0]}", "/v1/orders/{id}"]
    assert [redact_fast(text) for text in texts] == [redact(text) for text in texts]
    assert redaction._clean.cache_info().currsize == 1


OTLP = {"key": "http.request.header.authorization", "value": {"stringValue": "Bearer s3cretpass"}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"password": "hunter", "route": "/v1"}, {"password": "[secret]", "route": "/v1"}),
        ({"Authorization": "Bearer hunter"}, {"Authorization": "Bearer [token]"}),
        ({"Authorization": 'Digest username="jane", response="0a"'}, {"Authorization": "Digest [token]"}),
        ({"Authorization": "hunter one two"}, {"Authorization": "[token]"}),
        ({"headers": {"Cookie": "a=1234; theme=dark"}}, {"headers": {"Cookie": "a=[cookie]; theme=dark"}}),
        ({"cookies": {"sid": "abcd", "lang": "de"}}, {"cookies": {"sid": "[cookie]", "lang": "de"}}),
        (
            {"claims": {"sub": "jane", "name": "Jane", "iss": "https://idp/"}},
            {"claims": {"sub": "[user]", "name": "[user]", "iss": "https://idp/"}},
        ),
        ({"host": {"name": "gw-3"}}, {"host": {"name": "gw-3"}}),
        ([["X-Api-Key", "hunter"], ["Host", "api"]], [["X-Api-Key", "[secret]"], ["Host", "api"]]),
        ({"name": "x-api-key", "value": "hunter"}, {"name": "x-api-key", "value": "[secret]"}),
        ([OTLP], [{"key": "http.request.header.authorization", "value": {"stringValue": "Bearer [token]"}}]),
        ({"token": ["hunter", "hunter2"]}, {"token": ["[secret]", "[secret]"]}),
        ({"sub": 4711, "exp": 1795430000, "active": True}, {"sub": "[user]", "exp": 1795430000, "active": True}),
        ({"pаssword": "hunter"}, {"pаssword": "[secret]"}),
        ({"token": "expired", "code": "UNAUTHENTICATED"}, {"token": "expired", "code": "UNAUTHENTICATED"}),
    ],
)
def test_the_walk_redacts_by_key(value, expected):
    """Keys decide what their values are, through lists, pairs and attribute objects."""
    assert redact_value(value) == expected


def test_the_walk_is_bounded():
    """Nesting beyond the limit is cut, not followed."""
    value = "hunter"
    for _ in range(500):
        value = [value]
    assert "[too deep]" in orjson.dumps(redact_value(value)).decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user 17 of 203.0.113.9 waited 3.5 s", "user {n} of {n}/{n} waited {n} s"),
        ("id 4bec5bf3-f6e1-4446-a00d-9079ecdfbb77 gone", "id {id} gone"),
        ('key "orders-api" not found', "key {q} not found"),
        ("alg RS256 not allowed", "alg RS256 not allowed"),
    ],
)
def test_templates(text, expected):
    """Records that differ in values only have one template."""
    assert template(text) == expected


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_templates_are_short_lines(text):
    """A template is one printable line of at most 300 characters."""
    result = template(text)
    assert len(result) <= 300
    assert len(result.splitlines()) <= 1


@pytest.mark.parametrize(
    "character",
    [
        "\n",
        "\r",
        "\x00",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9b",
        "\u202e",
        "\u2066",
        "\u2028",
        "\u200b",
        "\ufeff",
        "\ud800",
        "\U000e0041",
    ],
)
def test_safe_text_shows_no_control_character(character):
    """Control, bidirectional, invisible and surrogate characters are escaped, so a log line stays one line."""
    shown = safe_text(f"a{character}b", 100)
    assert character not in shown
    assert shown.isprintable()


@pytest.mark.parametrize("limit", [0, 1, 5, 40])
def test_safe_text_is_at_most_the_limit(limit):
    """Truncation counts what it adds."""
    assert len(safe_text("word " * 50 + "\x1b", limit)) == limit


def test_safe_text_redacts():
    """Free text that enters an event holds no credential."""
    assert safe_text("Bearer " + VALUES["opaque"][0], 100) == "Bearer [token]"


@pytest.mark.parametrize(
    "text",
    [
        "ey" * 200_000, "a" * 1_000_000, "a" * 50_000 + "!", "eyJ." * 100_000, "a@" * 100_000, "key=" * 100_000, "%25" * 100_000,
        "\\" * 200_000, '\\"' * 100_000, "Bearer " * 50_000, "cookie: " + "a=b; " * 50_000, "1.1.1." * 50_000, "::" * 100_000,
        "token:" + '"' * 100_000, "<token>" * 50_000, "CN=" * 50_000, "://" * 100_000, "-----BEGIN A-----" * 20_000, "4" * 200_000,
        "[" * 100_000, '{"a":' * 50_000, "https://a:b" * 30_000, "token=[" * 20_000, "kid, " * 50_000, '"name":"x",' * 20_000,
        "cookies={" * 20_000, "A1b2" * 100_000 + "." * 1000, "\u200b" * 100_000, "Ａ" * 100_000, "&#65;" * 50_000, "+1 " * 50_000,
        "203.0.113.9, " * 50_000, "<a b>" * 50_000 + "</a>", "--token a " * 30_000, "user 'a" * 50_000, "a/1.2.3.4 " * 30_000,
        "DE89370400440532013000 " * 20_000, "token: a_b " * 30_000,
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)  # fmt: skip
def test_no_text_takes_long(text):
    """Time grows with the length of the text, not faster."""
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < HANG_S


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the shared corpus is not beside the project ({CORPUS.name})")
def test_recall_on_the_corpus():
    """At least 99 % of lines leak nothing, at most 1 % lose a word to keep, and no negative does."""
    lines = [orjson.loads(line) for line in CORPUS.read_bytes().splitlines()]
    texts = [redact(line["raw"]).text for line in lines]
    leaking = [line["kind"] for line, text in zip(lines, texts, strict=True) if any(s in text for s in line["secrets"])]
    losing = [line["kind"] for line, text in zip(lines, texts, strict=True) if any(k not in text for k in line["keep"])]
    assert len(lines) > 50
    assert len(leaking) <= len(lines) / 100, leaking
    assert len(losing) <= len(lines) / 100, losing
    assert [kind for kind in losing if kind.startswith("negative")] == []


@pytest.mark.parametrize("name", ["signature", "hex32", "word"])
def test_safe_id_keeps_identifiers(name):
    """A thumbprint as kid and a trace id stay; as free text they would be taken for secrets."""
    identifier = VALUES[name][0]
    assert safe_id(identifier, 100) == identifier
    assert len(safe_id(identifier * 3, 20)) == 20


@pytest.mark.parametrize("name", ["jwt", "email", "jwt_none", "twice"])
def test_safe_id_is_no_way_around_redaction(name):
    """A token or an address in the place of an identifier goes."""
    text, parts = VALUES[name]
    shown = safe_id(text, 1000)
    assert [part for part in parts or [text] if part in shown] == []
