"""Templates of unexplained messages: what becomes a hole, what never does, and that hostile input changes nothing."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.knowledge.signatures import signatures
from analyzer.store.migrate import views
from analyzer.templates import MAX_MESSAGES, Message, mine
from analyzer.templates.mine import MAX_LENGTH
from analyzer.templates.value_forms import (
    EXPRESSION,
    HOLE,
    KEPT_EXPRESSION,
    KEPT_REPLACEMENT,
    REPLACEMENT,
    parts,
    shape,
    template_id,
)
from collector.redaction import safe_text
from tests.tokens import token
from tests.waiting import HANG_S


def patterns(*texts: str) -> list[str]:
    return sorted(template.pattern for template in mine(Message(text) for text in texts))


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        (["tenant 'acme' sleeps", "tenant 'bolt' sleeps"], "tenant '{tenant:word}' sleeps"),
        (["quota 17 of 20 gone", "quota 3 of 20 gone"], "quota {quota:int} of {value:int} gone"),
        (["at https://a.example/x sleeps", "at http://b.example sleeps"], "at {value:word} sleeps"),
        (["since 2026-01-02 03:04:05 asleep", "since 2026-01-02T03:04:05Z asleep"], "since {since} asleep"),
        (["[email] sleeps", "[user] sleeps"], "{value:word} sleeps"),
        (["lease {{7}} over", "lease {{8}} over"], "lease {{{{{lease:int}}}}} over"),
        (["order-1701 sleeps", "order-1702 sleeps"], "{value:word} sleeps"),
        (["a1b2c3/d4e5f6 sleeps", "b1b2c3/d4e5f6 sleeps"], "{value:word} sleeps"),
        (["ran 5m0s late", "ran 30ms late"], "ran {ran:word} late"),
    ],
)
def test_a_value_is_told_by_its_form(texts: list[str], pattern: str) -> None:
    """Messages that differ in quoted words, numbers, addresses, times and ids are one template."""
    assert [pattern] == patterns(*texts)


@pytest.mark.parametrize(
    "texts",
    [
        ["the gizmo token is expired", "the gizmo token is revoked", "the gizmo token is missing"],
        ["bad claim 'exp' in gizmo", "bad claim 'aud' in gizmo", "bad claim 'iss' in gizmo"],
        ['gizmo: error="invalid_token"', 'gizmo: error="insufficient_scope"', 'gizmo: error="invalid_request"'],
        ["gizmo: GZ-AA failed", "gizmo: GZ-AB failed", "gizmo: GZ-AC failed"],
        ["gizmo says InvalidToken", "gizmo says MissingScope", "gizmo says UnknownIssuer"],
    ],
)
def test_a_word_that_names_the_cause_is_no_value(texts: list[str]) -> None:
    """Whatever differs in the verifier's vocabulary, a claim's name or an error's code stays apart."""
    assert sorted(texts) == patterns(*texts)


def test_a_place_of_many_words_is_a_value_s_place() -> None:
    """Plain words become a hole when many of them stand in one place, two places at once too."""
    names = ["amber", "birch", "cedar", "daisy", "elder"]
    texts = [f"member {name} sleeps in garden {other}" for name, other in zip(names, reversed(names), strict=True)]

    assert ["member {member:word} sleeps in garden {garden:word}"] == patterns(*texts)


def test_two_wordings_are_not_one() -> None:
    """Two words in one place are rather two wordings than values."""
    assert ["member amber sleeps", "member birch sleeps"] == patterns("member birch sleeps", "member amber sleeps")


def test_nothing_but_holes_is_no_template() -> None:
    """Sentences without a word in common stay apart."""
    texts = ["amber birch cedar", "daisy elder fig", "grape hazel iris", "jasmine kale lily"]

    assert texts == patterns(*texts)


def test_counts_gateways_and_times_are_summed() -> None:
    """A template says how often, where and since when; its examples are of the most frequent messages."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    messages = [
        Message("tenant 'a' sleeps", "kong", 5, start, start + timedelta(hours=1)),
        Message("tenant 'b' sleeps", "envoy", 7, start - timedelta(hours=1), start),
    ]
    (template,) = mine(messages)

    assert (12, (("envoy", 7), ("kong", 5))) == (template.records, template.gateways)
    assert (start - timedelta(hours=1), start + timedelta(hours=1)) == (template.first_seen, template.last_seen)
    assert ("tenant 'b' sleeps", "tenant 'a' sleeps") == template.examples


def test_an_id_once_shown_stays_good() -> None:
    """When later messages widen a template, every id that it had leads to it still."""
    names = ["amber", "birch", "cedar", "daisy"]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    messages = [Message(f"member {name} sleeps", first_seen=start + timedelta(hours=n)) for n, name in enumerate(names)]
    before, after = mine(messages[:2]), mine(messages)

    assert (2, 1) == (len(before), len(after))
    assert {template.id for template in before} <= after[0].ids
    assert template_id(shape("member amber sleeps")) == after[0].id


def test_unread_records_stay_apart() -> None:
    """No wording explains a record that no parser read."""
    assert [False, True] == sorted(each.unread for each in mine([Message("gizmo"), Message("gizmo", unread=True)]))


def test_a_shape_has_a_hole_for_each_value() -> None:
    """In the words of every program that is known, the shape is the literals with holes between them."""
    texts = [example for signature in signatures() for example in signature.examples]

    assert [] == [text for text in texts if HOLE.join(parts(text)[0]) != shape(text)]


SPECIMEN = st.one_of(
    st.text(max_size=60),
    st.from_regex(r"[ -~]{0,80}", fullmatch=True),
    st.sampled_from(["'", '"', "{", "}", "<*>", "\0", "…", "\n", " ", "e=", '"error":"', "[token]", "[", "/", "\\"]),
    st.sampled_from([signature.examples[0] for signature in signatures()[::20]]),
)
TEXTS = st.lists(st.lists(SPECIMEN, max_size=4).map("".join), max_size=20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, st.randoms(use_true_random=False))
def test_any_messages_in_any_order_give_the_same(texts: list[str], chance: random.Random) -> None:
    """Mining never raises, counts every record once, and does not depend on the order."""
    messages = [Message(text, records=index % 3 + 1) for index, text in enumerate(texts)]
    found = mine(messages)
    chance.shuffle(messages)

    assert found == mine(messages)
    assert sum(message.records for message in messages) == sum(template.records for template in found)
    assert [] == [each for each in found if len(each.texts) != len(each.holes) + 1 or each.id not in each.ids]


@settings(max_examples=150, deadline=None)
@given(st.lists(SPECIMEN, max_size=5).map("".join))
def test_the_parts_of_a_text_are_the_text(text: str) -> None:
    """Nothing is lost between literals and values."""
    literals, values = parts(text)

    assert text == "".join(piece for pair in zip(literals, [*values, ""], strict=True) for piece in pair)


def test_no_secret_is_in_a_template() -> None:
    """What was redacted before is all that mining ever sees; it brings nothing back."""
    secrets = [token(sub=f"ann{n}@example.com") for n in range(3)]
    texts = [safe_text(f"gizmo refused Bearer {secret} of ann@example.com", 2_000) for secret in secrets]
    shown = repr(mine(Message(text) for text in texts))

    assert [] == [piece for secret in secrets for piece in (*secret.split("."), "ann@") if piece in shown]


def test_the_work_is_bounded() -> None:
    """More messages, longer ones and hostile ones: the rarest and the ends are left out, and it ends soon."""
    chance = random.Random(401)
    words = [f"w{chance.getrandbits(40):x}" for _ in range(200)]
    texts = [" ".join(chance.choices(words, k=40)) for _ in range(MAX_MESSAGES + 100)]
    began = time.monotonic()
    found = mine([*map(Message, texts), Message("'" * 100_000 + "x" * 100_000, records=2)])

    assert MAX_MESSAGES + 1 == sum(template.records for template in found)
    assert max(len("".join(template.texts)) for template in found) <= MAX_LENGTH
    assert time.monotonic() - began < HANG_S


def test_the_view_says_what_the_miner_says() -> None:
    """SQL and Python take the same for values: expressions are equal, and so are shapes and ids of many texts."""
    (view,) = [view for view in views() if view.name == "templates"]
    texts = [example for signature in signatures() for example in signature.examples]
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE unclassified (template VARCHAR, reason VARCHAR, gateway VARCHAR, records BIGINT, first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ)"
    )
    con.execute("INSERT INTO unclassified SELECT unnest($1), '', 'kong', 1, now(), now()", [texts])
    rows = con.execute(f"SELECT template_id, template FROM ({view.sql})").fetchall()

    for expression in (EXPRESSION, REPLACEMENT, KEPT_EXPRESSION, KEPT_REPLACEMENT):
        assert f"'{expression.replace(chr(39), chr(39) * 2)}'" in view.sql
    assert {(template_id(shape(text)), shape(text)) for text in texts} == set(rows)
